/**
 * `node tools/manifest-fields/index.ts SWAGGER_JSON`: writes the table of fields that `holdfast lint` knows, from
 * api/openapi-spec/swagger.json of a release of Kubernetes.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../project.ts';

const TARGET = 'src/domain/manifest/kubernetes-fields.ts';
const KINDS = [
  ...['core.v1.PersistentVolume', 'core.v1.PersistentVolumeClaim', 'core.v1.Pod', 'core.v1.Service'],
  ...['apps.v1.StatefulSet', 'apps.v1.Deployment', 'apps.v1.DaemonSet', 'apps.v1.ReplicaSet'],
  ...['batch.v1.Job', 'batch.v1.CronJob', 'storage.v1.StorageClass'],
];
/** Written by the API server, and by nobody who writes manifests. */
const SKIPPED = new Set(['status', 'managedFields']);

interface Property {
  readonly type?: string;
  readonly $ref?: string;
  readonly items?: Property;
}
interface Swagger {
  readonly info: { readonly version: string };
  readonly definitions: Readonly<Record<string, { readonly properties?: Readonly<Record<string, Property>> }>>;
}

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error('name the file swagger.json of a release of Kubernetes');
const swagger = JSON.parse(readFileSync(path, 'utf8')) as Swagger;
const lines = new Map<string, string>();

/** Adds a type and those that it is made of. @returns its short name; undefined for what has no fields */
function addType(definition: string): string | undefined {
  const properties = swagger.definitions[definition]?.properties;
  const name = definition.split('.').at(-1) ?? '';
  if (properties === undefined) return undefined;
  if (lines.has(name)) return name;
  lines.set(name, '');
  const fields = Object.entries(properties).filter(([field]) => !SKIPPED.has(field));
  lines.set(name, fields.map(([field, property]) => describe(field, property)).join(' '));
  return name;
}

function describe(field: string, property: Property): string {
  const reference = property.$ref ?? property.items?.$ref;
  const type = reference === undefined ? undefined : addType(reference.split('/').at(-1) ?? '');
  const named = type === undefined ? field : `${field}:${type}`;
  if (property.type === 'array') return `${named}[]`;
  return property.type === 'object' ? `${named}{}` : named;
}

for (const kind of KINDS) addType(`io.k8s.api.${kind}`);
const table = [...lines].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, fields]) => `${name} ${fields}`);
writeFileSync(
  join(ROOT, TARGET),
  `/**
 * Fields of the objects of Kubernetes that lint knows; one type a line: "field" holds one value, "field[]" a list of them,
 * "field{}" names with values, "field:Type" a type of this table. Written by tools/manifest-fields from
 * api/openapi-spec/swagger.json; do not edit.
 */
export const KUBERNETES_FIELDS = \`
${table.join('\n')}
\`;
`,
);
