/** The fields of a zod schema as rows of a table: where, what, default, range, meaning. */
import { z } from 'zod';
import { AbsolutePath, Condition, IpAddress, Label, Size } from '../../src/schemas/common.ts';

/** What JSON schema cannot say about a type; found again in every schema that was made from it. */
const FORMS = z.registry<{ readonly form: string }>();
FORMS.add(Label, { form: 'name (RFC 1123 label)' });
FORMS.add(Size, { form: 'quantity of bytes' });
FORMS.add(AbsolutePath, { form: 'absolute path' });
FORMS.add(IpAddress, { form: 'IP address' });
FORMS.add(Condition, { form: 'condition' });

const FORM = 'x-form';

interface Node {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly format?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: Node;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | boolean;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
  readonly [FORM]?: string;
}

/** Field, type, default, range, meaning. */
export type SchemaRow = readonly [path: string, type: string, fallback: string, range: string, meaning: string];

/** One row for each field, and for the fields of what it holds. */
export function schemaRows(schema: z.ZodType): readonly SchemaRow[] {
  const root = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      const form = FORMS.get(zodSchema as unknown as z.ZodType)?.form;
      if (form !== undefined) (jsonSchema as Record<string, unknown>)[FORM] = form;
    },
  }) as Node;
  return fieldRows(root, '');
}

function fieldRows(node: Node, path: string): readonly SchemaRow[] {
  const rows = Object.entries(node.properties ?? {}).flatMap(([name, field]): readonly SchemaRow[] => {
    const at = path === '' ? name : `${path}.${name}`;
    const isRequired = node.required?.includes(name) === true && field.default === undefined;
    const fallback = field.default === undefined ? (isRequired ? 'required' : '') : JSON.stringify(field.default);
    const row: SchemaRow = [at, typeOf(field), fallback, rangeOf(field), field.description ?? ''];
    return [row, ...below(field, at)];
  });
  return rows;
}

/** Conditions are the same everywhere, and told once. */
function below(field: Node, path: string): readonly SchemaRow[] {
  if (field[FORM] !== undefined) return [];
  if (field.items !== undefined) return below(field.items, `${path}[]`).concat(objectRows(field.items, `${path}[]`));
  if (typeof field.additionalProperties === 'object') {
    return below(field.additionalProperties, `${path}.*`).concat(objectRows(field.additionalProperties, `${path}.*`));
  }
  return path.endsWith('[]') || path.endsWith('.*') ? [] : objectRows(field, path);
}

function objectRows(node: Node, path: string): readonly SchemaRow[] {
  return node[FORM] === undefined ? fieldRows(node, path) : [];
}

function typeOf(node: Node): string {
  if (node[FORM] !== undefined) return node[FORM];
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.enum !== undefined) return node.enum.map(String).join(', ');
  const choices = node.anyOf ?? node.oneOf;
  if (choices !== undefined) return [...new Set(choices.map(typeOf))].join(' or ');
  return containerOf(node) ?? (node.format === 'uuid' ? 'UUID' : (node.type ?? 'anything'));
}

function containerOf({ type, items, properties, additionalProperties }: Node): string | undefined {
  if (type === 'array') return `list of ${items === undefined ? 'anything' : typeOf(items)}`;
  const isMap = type === 'object' && properties === undefined && typeof additionalProperties === 'object';
  return isMap ? `map of ${typeOf(additionalProperties)}` : undefined;
}

function rangeOf(node: Node): string {
  const parts: string[] = [];
  const least = node.minimum ?? node.exclusiveMinimum;
  const isOpen = node.maximum === undefined || node.maximum === Number.MAX_SAFE_INTEGER;
  if (least !== undefined && least !== Number.MIN_SAFE_INTEGER)
    parts.push(isOpen ? `from ${least}` : `${least} to ${node.maximum}`);
  else if (!isOpen) parts.push(`up to ${node.maximum}`);
  if (node.maxLength !== undefined) parts.push(`up to ${node.maxLength} characters`);
  if (node.minItems !== undefined) parts.push(`${node.minItems} and more`);
  if (node.maxItems !== undefined) parts.push(`up to ${node.maxItems}`);
  return parts.join(', ');
}
