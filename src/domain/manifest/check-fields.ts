/** Fields that an object does not have, as the API server would say it. */
import { nearest } from '../nearest.ts';
import { fieldsOf, type Shape, shapeOfField, shapeOfKind } from './field-table.ts';
import { describePath, type ManifestObject, type ManifestPath, type RuleFinding } from './finding.ts';

/** What is wrong about one field. */
export interface FieldFault {
  readonly path: ManifestPath;
  readonly message: string;
  readonly fix: string;
}

/** Every field of a value that its shape does not have, and every list or map that is none. */
export function fieldFaults(value: unknown, shape: Shape, path: ManifestPath = []): readonly FieldFault[] {
  if (shape.is === 'any' || value === null || value === undefined) return [];
  if (shape.is === 'list') {
    if (!Array.isArray(value)) return [wrongForm(path, 'a list')];
    return value.flatMap((item, at) => fieldFaults(item, shape.of, [...path, at]));
  }
  if (shape.is === 'value') return typeof value === 'object' ? valueFault(value, path) : [];
  if (typeof value !== 'object' || Array.isArray(value)) return [wrongForm(path, 'a map of fields')];
  return Object.entries(value).flatMap(([field, inner]) => {
    const known = shapeOfField(shape, field);
    if (known !== undefined) return fieldFaults(inner, known, [...path, field]);
    return [unknownField(shape, [...path, field], field)];
  });
}

/** A few fields without a type of their own hold maps in a list or in brackets: only what has keys is told. */
function valueFault(value: object, path: ManifestPath): readonly FieldFault[] {
  return Array.isArray(value) ? [wrongForm(path, 'one value')] : [];
}

function wrongForm(path: ManifestPath, wanted: string): FieldFault {
  const name = describePath(path) || 'the object';
  return { path, message: `${name} is to hold ${wanted}, and does not`, fix: `write ${wanted}` };
}

function unknownField(shape: Shape, path: ManifestPath, field: string): FieldFault {
  const where = describePath(path.slice(0, -1)) || 'the object';
  const meant = nearest(field, fieldsOf(shape));
  const fix = meant === undefined ? 'remove it, or put it where it belongs' : `did you mean ${meant}?`;
  return { path, message: `${where} has no field ${field}`, fix };
}

/** The rule: what the API server refuses of an object of a kind that is known. */
export function checkFields(objects: readonly ManifestObject[]): readonly RuleFinding[] {
  return objects.flatMap((object) =>
    fieldFaults(object.value, shapeOfKind(object.kind)).map(
      ({ path, message, fix }) =>
        ({
          ...{ rule: 'unknown-field', severity: 'error', object, path, message, fix },
        }) as const,
    ),
  );
}
