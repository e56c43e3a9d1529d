/** The CustomResourceDefinitions of Holdfast's own kinds, from the same schemas that the embedded API judges by. */
import { resourceOf } from '../../src/schemas/kind-names.ts';
import { KINDS, type KindDefinition, type KindName } from '../../src/schemas/kinds.ts';
import { GROUP } from '../../src/schemas/own-kind.ts';
import { CRD_RULES } from './crd-rules.ts';
import { type Json, LABEL_SCHEMA, NODE_NAME_SCHEMA, structuralSchema } from './crd-schema.ts';

/** Fields of specs that lists can be asked by, as the embedded API lets them. */
const SELECTABLE: Partial<Record<KindName, readonly string[]>> = {
  VolumeCopy: ['.spec.node', '.spec.volume'],
  VolumeAttachmentRecord: ['.spec.node', '.spec.volume'],
};

/** All of them, in the order of KINDS. */
export function customResourceDefinitions(): readonly Json[] {
  const own = Object.entries(KINDS).filter(([, definition]) => definition.group === GROUP);
  return own.map(([name, definition]) => definitionOf(name as KindName, definition));
}

function definitionOf(name: KindName, definition: KindDefinition): Json {
  const { group, version, kind, plural, singular, shortNames, scope } = definition;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: resourceOf(definition), labels: { 'app.kubernetes.io/part-of': 'holdfast' } },
    spec: {
      ...{ group, scope },
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames: [...shortNames], categories: ['holdfast'] },
      versions: [
        {
          ...{ name: version, served: true, storage: true },
          schema: { openAPIV3Schema: objectSchema(name, definition) },
          ...(definition.hasStatus ? { subresources: { status: {} } } : {}),
          additionalPrinterColumns: definition.columns.map((column) => ({ ...column })),
          ...selectable(name),
        },
      ],
    },
  };
}

function selectable(name: KindName): Json {
  const paths = SELECTABLE[name];
  return paths === undefined ? {} : { selectableFields: paths.map((jsonPath) => ({ jsonPath })) };
}

function objectSchema(name: KindName, definition: KindDefinition): Json {
  const { properties, required, description } = structuralSchema(definition.schema) as {
    readonly properties: Readonly<Record<'spec' | 'status', Json>>;
    readonly required: readonly string[];
    readonly description?: string;
  };
  const { spec = [], change = [] } = CRD_RULES[name] ?? {};
  const nameSchema = { label: LABEL_SCHEMA, node: NODE_NAME_SCHEMA, none: undefined }[definition.nameRule ?? 'none'];
  return {
    type: 'object',
    ...(description === undefined ? {} : { description }),
    required: required.filter((field) => field === 'spec'),
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object', ...(nameSchema === undefined ? {} : { properties: { name: nameSchema } }) },
      spec: withRules(properties.spec, spec),
      status: properties.status,
    },
    ...rules(change),
  };
}

function withRules(schema: Json, added: readonly object[]): Json {
  return { ...schema, ...rules(added) };
}

function rules(added: readonly object[]): Json {
  return added.length === 0 ? {} : { 'x-kubernetes-validations': added };
}
