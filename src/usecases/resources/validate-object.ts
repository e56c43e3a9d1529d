/** Checks an object against the zod schema of its kind, fills in defaults, and names every field that is wrong. */
import type { z } from 'zod';
import { AppError, type Fault } from '../../domain/errors.ts';
import type { KindDefinition } from '../../schemas/kinds.ts';
import { isRecord, type JsonRecord, nameObject } from './kube-object.ts';

/**
 * What happens to a field that the schema does not know, as in Kubernetes. Left out: refused where the schema is strict
 * (the specs of Holdfast's kinds), dropped with a warning elsewhere.
 */
export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

export interface Validated {
  readonly object: JsonRecord;
  readonly warnings: readonly string[];
}

interface ValidateOptions {
  readonly fieldValidation: FieldValidation | undefined;
  /** Judge only this part: a status report must not fail over a spec that an older version stored. */
  readonly part?: 'status';
}

const UNKNOWN = 'unknown field';

/**
 * Validates one object.
 *
 * @throws {AppError} invalid with reason Invalid and one fault per wrong field
 */
export function validateObject(definition: KindDefinition, input: JsonRecord, options: ValidateOptions): Validated {
  const { fieldValidation, part } = options;
  const isOfPart = (fault: Fault) => part === undefined || fault.field === part || fault.field.startsWith(`${part}.`);
  const first = parse(definition, input);
  const unknown = first.unknown.filter(isOfPart);
  const isRefused = fieldValidation === 'Strict' || fieldValidation === undefined;
  const faults = [...first.faults.filter(isOfPart), ...(isRefused ? unknown : [])];
  if (faults.length > 0) throw invalidObject(definition, nameOf(input), faults);

  const object = first.object ?? reparsePart({ definition, input, part, unknown: first.unknown });
  const dropped = droppedFields(input, object, '').filter(isOfPart);
  if (fieldValidation === 'Strict' && dropped.length > 0) {
    throw invalidObject(definition, nameOf(input), dropped);
  }
  const warnings = fieldValidation === 'Ignore' ? [] : dropped.map((fault) => `${UNKNOWN} "${fault.field}"`);
  return { object, warnings };
}

/** The error for an object with wrong fields, in the words of Kubernetes. */
export function invalidObject(definition: KindDefinition, name: string, faults: readonly Fault[]): AppError {
  const list = faults.map((fault) => `${fault.field}: ${fault.message}`);
  const shown = list.length === 1 ? list[0] : `[${list.join(', ')}]`;
  const qualified = definition.group === '' ? definition.kind : `${definition.kind}.${definition.group}`;
  return new AppError('invalid', `${qualified} ${JSON.stringify(name)} is invalid: ${shown}`, {
    reason: 'Invalid',
    resource: nameObject(definition, name),
    faults,
  });
}

/** The name that an object gives itself, for messages; empty when it gives none. */
export function nameOf(input: JsonRecord): string {
  const metadata = input['metadata'];
  const name = isRecord(metadata) ? metadata['name'] : undefined;
  return typeof name === 'string' ? name : '';
}

interface Parsed {
  readonly object: JsonRecord | undefined;
  readonly faults: readonly Fault[];
  readonly unknown: readonly Fault[];
}

function parse(definition: KindDefinition, input: JsonRecord): Parsed {
  const result = definition.schema.safeParse(input);
  if (result.success) return { object: asRecord(result.data), faults: [], unknown: [] };
  const faults: Fault[] = [];
  const unknown: Fault[] = [];
  for (const issue of result.error.issues) {
    if (issue.code !== 'unrecognized_keys')
      faults.push({ field: fieldPath(issue.path), message: describeIssue(issue) });
    else for (const key of issue.keys) unknown.push({ field: fieldPath([...issue.path, key]), message: UNKNOWN });
  }
  return { object: undefined, faults, unknown };
}

function asRecord(value: unknown): JsonRecord {
  if (!isRecord(value)) throw new AppError('internal', 'a schema of a kind does not describe an object');
  // Text and back: leaves out undefined, which JSON does not have, so that later comparisons are exact.
  return JSON.parse(JSON.stringify(value)) as JsonRecord;
}

/** The object without its unknown fields; a part that was not judged is kept as it is. */
function reparsePart(job: {
  definition: KindDefinition;
  input: JsonRecord;
  part: 'status' | undefined;
  unknown: readonly Fault[];
}): JsonRecord {
  const { definition, input, part, unknown } = job;
  const pruned = structuredClone(input);
  for (const fault of unknown) removePath(pruned, fault.field);
  const again = parse(definition, pruned);
  if (again.object !== undefined) return again.object;
  if (part === undefined) throw invalidObject(definition, nameOf(input), again.faults);
  return pruned;
}

function removePath(root: JsonRecord, field: string): void {
  const segments = field.split(/\.|\[(\d+)\]/).filter((segment) => segment !== undefined && segment !== '');
  const last = segments.pop();
  let parent: unknown = root;
  for (const segment of segments) parent = (parent as JsonRecord | undefined)?.[segment];
  if (isRecord(parent) && last !== undefined) delete parent[last];
}

/** Fields of the input that the schema let fall without a word. */
function droppedFields(input: unknown, output: unknown, path: string): Fault[] {
  if (Array.isArray(input) && Array.isArray(output)) {
    return input.flatMap((item, index) => droppedFields(item, output[index], `${path}[${index}]`));
  }
  if (!isRecord(input) || !isRecord(output)) return [];
  return Object.entries(input).flatMap(([key, value]) => {
    const field = path === '' ? key : `${path}.${key}`;
    if (!Object.hasOwn(output, key)) return value === undefined ? [] : [{ field, message: UNKNOWN }];
    return droppedFields(value, output[key], field);
  });
}

function fieldPath(path: readonly PropertyKey[]): string {
  let text = '';
  for (const segment of path) {
    if (typeof segment === 'number') text += `[${segment}]`;
    else text += text === '' ? String(segment) : `.${String(segment)}`;
  }
  return text === '' ? '(object)' : text;
}

type Issue = z.core.$ZodIssue;

function describeIssue(issue: Issue): string {
  if (issue.code === 'invalid_union') {
    const messages = issue.errors.flat().map(describeIssue);
    return messages.length === 0 ? issue.message : [...new Set(messages)].join(' or ');
  }
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined')) {
    return 'required value is missing';
  }
  return issue.message.replace(/^Invalid (?:input|option): /, '');
}
