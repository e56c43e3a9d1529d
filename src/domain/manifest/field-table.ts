/** What the fields of objects of Kubernetes hold, asked by type. */
import { KUBERNETES_FIELDS } from './kubernetes-fields.ts';

/** What a field holds: one value, a list, names with values, fields of a known type, or what is not known. */
export type Shape =
  | { readonly is: 'value' }
  | { readonly is: 'names' }
  | { readonly is: 'any' }
  | { readonly is: 'fields'; readonly type: string }
  | { readonly is: 'list'; readonly of: Shape };

const VALUE: Shape = { is: 'value' };
/** Of kinds that are not in the table. */
export const ANY: Shape = { is: 'any' };

const TYPES: ReadonlyMap<string, ReadonlyMap<string, Shape>> = new Map(
  KUBERNETES_FIELDS.trim()
    .split('\n')
    .map((line) => {
      const [type = '', ...fields] = line.split(' ');
      return [type, new Map(fields.map(readField))] as const;
    }),
);

function readField(text: string): readonly [string, Shape] {
  const isList = text.endsWith('[]');
  const isNames = text.endsWith('{}');
  const [name = '', type] = text.replace(/[[\]{}]+$/, '').split(':');
  const one: Shape = type === undefined ? VALUE : { is: 'fields', type };
  if (isList) return [name, { is: 'list', of: one }];
  return [name, isNames ? { is: 'names' } : one];
}

/** The kinds that are known by their fields. */
export function shapeOfKind(kind: string | undefined): Shape {
  return kind !== undefined && TYPES.get(kind)?.has('kind') === true ? { is: 'fields', type: kind } : ANY;
}

/** What a field of the shape holds; undefined where there is no such field. */
export function shapeOfField(shape: Shape, field: string): Shape | undefined {
  switch (shape.is) {
    case 'fields':
      return TYPES.get(shape.type)?.get(field);
    case 'names':
      return VALUE;
    case 'any':
      return ANY;
    case 'value':
    case 'list':
      return undefined;
  }
}

/** Names of the fields of a type. */
export function fieldsOf(shape: Shape): readonly string[] {
  return shape.is === 'fields' ? [...(TYPES.get(shape.type)?.keys() ?? [])] : [];
}

/** Fields of the shape that hold fields of their own, each with what it holds. */
export function innerFieldsOf(shape: Shape): readonly (readonly [string, Shape])[] {
  if (shape.is !== 'fields') return [];
  return [...(TYPES.get(shape.type) ?? [])].filter(([, inner]) => inner.is === 'fields');
}
