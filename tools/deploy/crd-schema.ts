/** A zod schema as the structural schema that a CustomResourceDefinition takes. */
import { z } from 'zod';
import { AbsolutePath, Condition, IpAddress, Label, NodeNameText, Size } from '../../src/schemas/common.ts';
import { Share, VolumeSpec } from '../../src/schemas/volume.ts';
import { NfsExport } from '../../src/schemas/volume-attachment-record.ts';

export type Json = Readonly<Record<string, unknown>>;

/** One sentence of CEL that must hold, and what is said where it does not. */
export interface CelRule {
  readonly rule: string;
  readonly message: string;
  /** Field that is at fault, relative to where the rule stands: ".replicas". */
  readonly fieldPath?: string;
}

const LABEL_PART = '[a-z0-9]([a-z0-9-]*[a-z0-9])?';
/** For metadata.name of kinds whose names become names of machines, folders and engine volumes. */
export const LABEL_SCHEMA: Json = { type: 'string', maxLength: 63, pattern: `^${LABEL_PART}$` };
/** For names of nodes. */
export const NODE_NAME_SCHEMA: Json = { type: 'string', maxLength: 63, pattern: `^${LABEL_PART}(\\.${LABEL_PART})*$` };

/** A part between two slashes that is neither "." nor "..", without control characters. RE2 has no lookahead. */
const PLAIN_PART =
  '([^/.\\x00-\\x1f\\x7f][^/\\x00-\\x1f\\x7f]*|\\.[^/.\\x00-\\x1f\\x7f][^/\\x00-\\x1f\\x7f]*|\\.\\.[^/\\x00-\\x1f\\x7f]+)';
const QUANTITY_PATTERN = '^[0-9]{1,16}(\\.[0-9]{1,9})?(k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$';
const HOST_PART = '[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?';
const FOLDER_PART = '[A-Za-z0-9_][A-Za-z0-9._-]*';

/** A number of this kind is no value; texts are not touched by these limits. */
const NO_NUMBER: Json = { minimum: 1, maximum: 0 };
const NOTHING_ELSE: Json = { ...NO_NUMBER, minItems: 1, maxItems: 0, minProperties: 1, maxProperties: 0 };

/** What zod's own checks are in OpenAPI and CEL, for schemas whose check is code. Found again in whatever is made of them. */
const FORMS = z.registry<{ readonly form: Json }>();
FORMS.add(Label, { form: LABEL_SCHEMA });
FORMS.add(NodeNameText, { form: NODE_NAME_SCHEMA });
FORMS.add(AbsolutePath, { form: { type: 'string', maxLength: 1024, pattern: `^(/${PLAIN_PART})+$` } });
FORMS.add(IpAddress, {
  form: {
    ...{ type: 'string', maxLength: 45 },
    'x-kubernetes-validations': [{ rule: 'isIP(self)', message: 'must be an IPv4 or IPv6 address' }],
  },
});
FORMS.add(Size, {
  form: {
    ...{ type: 'string', maxLength: 32, pattern: QUANTITY_PATTERN },
    'x-kubernetes-validations': [
      {
        rule: "quantity(self).isLessThan(quantity('8Pi'))",
        message: 'is too large: a size is from 0 to less than 8Pi',
      },
    ],
  },
});
FORMS.add(Share.shape.server, {
  form: {
    type: 'string',
    maxLength: 253,
    pattern: `^(${HOST_PART}(\\.${HOST_PART})*|[0-9A-Fa-f:]{2,39}(%[A-Za-z0-9._-]{1,15})?)$`,
  },
});
FORMS.add(Share.shape.path, { form: { type: 'string', maxLength: 1024, pattern: `^(/|(/${PLAIN_PART})+)$` } });
FORMS.add(Share.shape.subDir, {
  form: {
    ...{ type: 'string', maxLength: 1607, pattern: `^${FOLDER_PART}(/${FOLDER_PART})*$` },
    'x-kubernetes-validations': [
      { rule: "self.split('/').size() <= 8", message: 'has more than 8 parts' },
      { rule: "self.split('/').all(part, size(part) <= 200)", message: 'has a part of more than 200 characters' },
    ],
  },
});
FORMS.add(Share.shape.permissions, { form: { type: 'string', pattern: '^0?[0-3]?[0-7]{3}$' } });
FORMS.add(VolumeSpec.shape.shard, {
  // A truth or a text: no type of OpenAPI says so, and a rule of CEL cannot see what has none. Texts are fewer than the
  // embedded API takes, so that each of them is in whole MiB from 4Mi to 4Ti.
  form: {
    'x-kubernetes-preserve-unknown-fields': true,
    anyOf: [
      { enum: [true, false] },
      { pattern: '^(([4-9]|[1-9][0-9]{1,5})Mi|[1-9][0-9]{0,2}Gi|[1-4]Ti)$', minLength: 1, ...NOTHING_ELSE },
    ],
  },
});
FORMS.add(NfsExport.shape.clients.element, {
  form: {
    ...{ type: 'string', maxLength: 18, pattern: '^[0-9]{1,3}(\\.[0-9]{1,3}){3}(/(3[0-2]|[12]?[0-9]))?$' },
    'x-kubernetes-validations': [
      {
        rule: "self.contains('/') ? isCIDR(self) && cidr(self).masked() == cidr(self) : isIP(self)",
        message: 'must be an IPv4 address or network, such as 10.10.1.2 or 10.10.0.0/16',
      },
    ],
  },
});
FORMS.add(Condition, { form: { type: 'object' } });

/** Schema of a part of an object. @param rules - by the path of the field they stand at; "" is the part itself */
export function structuralSchema(schema: z.ZodType): Json {
  const made = z.toJSONSchema(schema, {
    ...{ target: 'openapi-3.0', io: 'input', unrepresentable: 'any', reused: 'inline' },
    override: ({ zodSchema, jsonSchema }) => {
      const form = FORMS.get(zodSchema as unknown as z.ZodType)?.form;
      if (form !== undefined && form['type'] !== 'object') replaceBy(jsonSchema, form);
    },
  });
  return structural(made);
}

function replaceBy(node: Record<string, unknown>, form: Json): void {
  const { description, default: fallback } = node;
  for (const key of Object.keys(node)) delete node[key];
  Object.assign(node, form, fallback === undefined ? {} : { default: fallback });
  if (description !== undefined) node['description'] = description;
}

/** Without what Kubernetes does not take, and with a type at each field. */
function structural(node: Json): Json {
  const { properties, items, additionalProperties, anyOf, ...rest } = node as Record<string, unknown>;
  delete rest['propertyNames'];
  if (rest['maximum'] === Number.MAX_SAFE_INTEGER) delete rest['maximum'];
  if (rest['minimum'] === Number.MIN_SAFE_INTEGER) delete rest['minimum'];
  // As its pattern says more exactly.
  if (rest['pattern'] !== undefined) delete rest['format'];
  if (rest['type'] === 'integer') rest['format'] = 'int64';
  return {
    ...rest,
    ...(properties === undefined ? {} : { properties: mapValues(properties as Json) }),
    ...(items === undefined ? {} : listOf(structural(items as Json))),
    ...mapOf(additionalProperties),
    ...(anyOf === undefined ? {} : choiceOf(anyOf as readonly Json[], rest)),
    ...(Object.keys(rest).length === 0 && anyOf === undefined && properties === undefined
      ? { 'x-kubernetes-preserve-unknown-fields': true }
      : {}),
  };
}

function mapValues(properties: Json): Json {
  return Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, structural(field as Json)]));
}

/** Conditions are told apart by their type (KEP-1623). */
function listOf(items: Json): Json {
  const fields = Object.keys(items['properties'] ?? {});
  const isCondition = ['type', 'status', 'reason', 'lastTransitionTime'].every((name) => fields.includes(name));
  return isCondition ? { items, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] } : { items };
}

function mapOf(additional: unknown): Json {
  if (typeof additional !== 'object' || additional === null) return {};
  return { additionalProperties: structural(additional as Json) };
}

/** A choice of texts of several kinds is one enum; of anything else zod's form has to be given above. */
function choiceOf(options: readonly Json[], rest: Json): Json {
  if ('x-kubernetes-preserve-unknown-fields' in rest) return { anyOf: options };
  const values = options.flatMap((option) => (option['enum'] as readonly string[] | undefined) ?? []);
  if (options.every((option) => option['type'] === 'string' && option['enum'] !== undefined)) {
    return { type: 'string', enum: values };
  }
  throw new Error(`no structural schema says ${JSON.stringify(options)}: give it a form`);
}
