/** docs/reference/resources.md: every kind of Holdfast's own with all its fields, from the schemas that judge them. */
import { Condition } from '../../src/schemas/common.ts';
import { KINDS, type KindDefinition } from '../../src/schemas/kinds.ts';
import { GROUP } from '../../src/schemas/own-kind.ts';
import { code, markdownTable } from './markdown.ts';
import { type SchemaRow, schemaRows } from './schema-rows.ts';

const COLUMNS = ['field', 'type', 'default', 'range', 'what it means'];

/** Writes the page. */
export function resourcesPage(note: string): string {
  const own = (Object.values(KINDS) as readonly KindDefinition[]).filter(({ group }) => group === GROUP);
  return [
    '# Resources',
    note,
    `The kinds of group \`${GROUP}\`, the same on a cluster and with the embedded API. A field below another is written with a
dot, one of each entry of a list with \`[]\`, one of each entry of a map with \`.*\`. What has no default and is not required is
left out as a rule. An unknown field of a \`spec\` is refused.`,
    ...own.flatMap(section),
    '## Conditions',
    'The entries of every `status.conditions`, as Kubernetes has them (KEP-1623).',
    table(schemaRows(Condition)),
  ]
    .join('\n\n')
    .concat('\n');
}

function section({ kind, plural, shortNames, version, schema, scope }: KindDefinition): readonly string[] {
  const rows = schemaRows(schema).filter(([path]) => /^(?:spec|status)(?:\.|$)/.test(path));
  const part = (name: string) => rows.filter(([path]) => path === name || path.startsWith(`${name}.`));
  const names = [plural, ...shortNames].map(code).join(', ');
  return [
    `## ${kind}`,
    `${schema.description ?? ''} Version \`${version}\`, ${scope === 'Cluster' ? 'of the cluster' : 'in a namespace'}; for kubectl ${names}.`.trim(),
    table(part('spec')),
    table(part('status')),
  ];
}

function table(rows: readonly SchemaRow[]): string {
  return markdownTable(
    COLUMNS,
    rows.map(([path, type, fallback, range, meaning]) => [
      code(path),
      type,
      fallback === 'required' ? fallback : code(fallback),
      range,
      meaning,
    ]),
  );
}
