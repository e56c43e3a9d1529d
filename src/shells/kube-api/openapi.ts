/**
 * OpenAPI documents generated from the zod schemas: kubectl reads version 3 for `explain` and to learn that the server
 * validates fields itself; version 2 (as JSON) is for older clients.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { ObjectMeta } from '../../schemas/common.ts';
import { apiVersionOf, groupPath } from '../../schemas/kind-names.ts';
import { EMBEDDED_KINDS, type KindDefinition } from '../../schemas/kinds.ts';

type Json = Record<string, unknown>;

export interface OpenApi {
  /** GET /openapi/v3: where each group's document is. */
  index(): object;
  /** GET /openapi/v3/PATH, such as "apis/holdfast.dev/v1alpha1"; undefined when there is none. */
  document(path: string): string | undefined;
  /** GET /openapi/v2. */
  version2(): object;
  /** GET /openapi/v2 as protobuf. */
  version2Protobuf(): Buffer;
}

/** The one media type in which kubectl asks for version 2, and the name it takes in the answer ("@" is no valid character). */
export const PROTOBUF_V2 = {
  asked: 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf',
  answered: 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
} as const;

const META_NAME = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

/** Makes the documents when first asked, and keeps them. @param version - of the program, for the info section */
export function createOpenApi(version: string): OpenApi {
  const documents = new Map<string, string>();
  const definitions = EMBEDDED_KINDS.map(([, definition]) => definition);
  const paths = [...new Set(definitions.map(groupPath))];
  const document = (path: string): string | undefined => {
    if (!paths.includes(path)) return undefined;
    const known = documents.get(path) ?? JSON.stringify(renderDocument(path, definitions, version));
    documents.set(path, known);
    return known;
  };
  const url = (path: string) => {
    // The hash makes clients fetch again after an update of the program and never otherwise.
    const hash = createHash('sha256')
      .update(document(path) ?? '')
      .digest('hex');
    return { serverRelativeURL: `/openapi/v3/${path}?hash=${hash.slice(0, 32).toUpperCase()}` };
  };
  return {
    index: () => ({ paths: Object.fromEntries(paths.map((path) => [path, url(path)])) }),
    document,
    version2: () => ({
      swagger: '2.0',
      info: { title: 'Holdfast', version },
      paths: {},
      definitions: JSON.parse(
        JSON.stringify(componentSchemas(definitions)).replaceAll('#/components/schemas/', '#/definitions/'),
      ) as Json,
    }),
    version2Protobuf: () => emptyVersion2(version),
  };
}

/**
 * A version 2 document without definitions, in protobuf. kubectl insists on one for `kind: List` and asks for one before
 * each patch; where it finds no definition it leaves the judgement to the server, which validates every field itself.
 */
function emptyVersion2(version: string): Buffer {
  // Field numbers of message Document in github.com/google/gnostic-models/openapiv2: swagger 1, info 2, paths 8.
  const field = (number: number, content: Buffer) =>
    Buffer.concat([Buffer.from([(number << 3) | 2, content.length]), content]);
  const text = (value: string) => Buffer.from(value.slice(0, 64).replaceAll(/[^\x20-\x7e]/g, ''));
  const info = Buffer.concat([field(1, text('Holdfast')), field(2, text(version))]);
  return Buffer.concat([field(1, text('2.0')), field(2, info), field(8, Buffer.alloc(0))]);
}

function renderDocument(path: string, all: readonly KindDefinition[], version: string): Json {
  const definitions = all.filter((definition) => groupPath(definition) === path);
  return {
    openapi: '3.0.0',
    info: { title: 'Holdfast', version },
    paths: Object.assign({}, ...definitions.map((definition) => resourcePaths(path, definition))),
    components: { schemas: componentSchemas(definitions) },
  };
}

/** "dev.holdfast.v1alpha1.Volume", "io.k8s.api.core.v1.Service". */
function schemaName(definition: KindDefinition): string {
  const { group, version, kind } = definition;
  const prefix = group === '' || group.endsWith('.k8s.io') ? `io.k8s.api.${group.split('.')[0] || 'core'}` : undefined;
  return `${prefix ?? group.split('.').toReversed().join('.')}.${version}.${kind}`;
}

function groupVersionKind(definition: KindDefinition): Json {
  return { group: definition.group, version: definition.version, kind: definition.kind };
}

function componentSchemas(definitions: readonly KindDefinition[]): Json {
  const entries = definitions.map((definition) => [schemaName(definition), kindSchema(definition)] as const);
  const meta = { ...toSchema(ObjectMeta), description: 'Name, labels and identity of the object.' };
  return { ...Object.fromEntries(entries), [META_NAME]: meta };
}

function kindSchema(definition: KindDefinition): Json {
  const schema = toSchema(definition.schema);
  const properties = schema['properties'] as Json | undefined;
  return {
    ...schema,
    properties: {
      ...properties,
      apiVersion: { type: 'string', description: `Always ${apiVersionOf(definition)}.` },
      kind: { type: 'string', description: `Always ${definition.kind}.` },
      metadata: { allOf: [{ $ref: `#/components/schemas/${META_NAME}` }], description: 'Name, labels and identity.' },
    },
    'x-kubernetes-group-version-kind': [groupVersionKind(definition)],
  };
}

/** A zod schema as OpenAPI 3.0, in the forms that Kubernetes' own readers understand. */
function toSchema(schema: z.ZodType): Json {
  return z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => simplify(jsonSchema as Json),
  }) as Json;
}

function simplify(schema: Json): void {
  // Unknown fields are judged by the server; kubectl's readers expect no "additionalProperties: false" or an empty one.
  const additional = schema['additionalProperties'];
  const isEmpty = typeof additional === 'object' && additional !== null && Object.keys(additional).length === 0;
  if (additional === false || isEmpty) delete schema['additionalProperties'];
  delete schema['propertyNames'];
  if (schema['maximum'] === Number.MAX_SAFE_INTEGER) delete schema['maximum'];
  if (schema['minimum'] === Number.MIN_SAFE_INTEGER) delete schema['minimum'];
  const options = schema['anyOf'] as Json[] | undefined;
  const types = new Set(options?.map((option) => option['type']));
  if (options === undefined) return;
  const [only] = types;
  // A choice of formats of one type (IPv4 or IPv6) is that type; a text or a number is Kubernetes' int-or-string.
  if (types.size === 1) Object.assign(schema, { type: only });
  else if (types.has('string')) Object.assign(schema, { type: 'string', 'x-kubernetes-int-or-string': true });
  else return;
  delete schema['anyOf'];
}

/** The operations that kubectl looks for: that PATCH and POST take fieldValidation and dryRun, and the kind of each path. */
function resourcePaths(base: string, definition: KindDefinition): Json {
  const { plural, scope } = definition;
  const prefix = scope === 'Namespaced' ? `/${base}/namespaces/{namespace}/${plural}` : `/${base}/${plural}`;
  const kind = groupVersionKind(definition);
  const operation = (action: string, parameters: readonly string[]) => ({
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': kind,
    parameters: parameters.map((name) => ({ name, in: 'query', schema: { type: 'string', uniqueItems: true } })),
    responses: {
      200: {
        description: 'OK',
        content: { 'application/json': { schema: { $ref: `#/components/schemas/${schemaName(definition)}` } } },
      },
    },
  });
  const writing = ['dryRun', 'fieldManager', 'fieldValidation'];
  const listing = ['labelSelector', 'fieldSelector', 'limit', 'continue', 'watch', 'resourceVersion', 'timeoutSeconds'];
  const patchTypes = ['application/json-patch+json', 'application/merge-patch+json'];
  const body = { content: Object.fromEntries(patchTypes.map((type) => [type, { schema: { type: 'object' } }])) };
  return {
    [prefix]: { get: operation('list', listing), post: operation('post', writing) },
    [`${prefix}/{name}`]: {
      get: operation('get', []),
      put: operation('put', writing),
      patch: { ...operation('patch', writing), requestBody: body },
      delete: operation('delete', ['dryRun']),
    },
  };
}
