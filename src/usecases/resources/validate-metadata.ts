/** The rules of Kubernetes for names, labels, annotations and finalizers. */
import type { Fault } from '../../domain/errors.ts';
import { labelFault, nodeNameFault } from '../../domain/names.ts';
import type { KindDefinition } from '../../schemas/kinds.ts';
import { isRecord, type JsonRecord } from './kube-object.ts';
import { isLabelKey, isLabelValue } from './selectors.ts';

/** RFC 1123 subdomain. */
const SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const MAX_NAME = 253;
/** Keys and values of all annotations together, as in Kubernetes. */
const MAX_ANNOTATION_BYTES = 256 * 1024;

/** Names become volume, host and folder names, so those of Holdfast's central kinds are stricter. */
function nameFault(definition: KindDefinition, name: string): string | undefined {
  if (definition.nameRule === 'label') return labelFault(name);
  if (definition.nameRule === 'node') return nodeNameFault(name);
  if (name.length > MAX_NAME) return `is ${name.length} characters long; at most ${MAX_NAME} are allowed`;
  if (SUBDOMAIN.test(name)) return undefined;
  return 'may hold only a-z, 0-9, "-" and ".", and each part must begin and end with a letter or digit';
}

/** Every fault of the metadata of an object, the schema's own checks aside. */
export function metadataFaults(definition: KindDefinition, metadata: JsonRecord): Fault[] {
  return [
    ...givenNameFaults(definition, metadata),
    ...labelFaults(metadata['labels']),
    ...annotationFaults(metadata['annotations']),
    ...finalizerFaults(metadata['finalizers']),
  ];
}

function givenNameFaults(definition: KindDefinition, metadata: JsonRecord): Fault[] {
  const { name, generateName: prefix } = metadata;
  const isNamed = typeof name === 'string' && name !== '';
  if (!isNamed && (typeof prefix !== 'string' || prefix === '')) return [];
  const message = nameFault(definition, isNamed ? name : `${String(prefix)}xxxxx`);
  return message === undefined ? [] : [{ field: isNamed ? 'metadata.name' : 'metadata.generateName', message }];
}

function labelFaults(labels: unknown): Fault[] {
  const faults: Fault[] = [];
  for (const [key, value] of entries(labels)) {
    if (!isLabelKey(key)) faults.push({ field: 'metadata.labels', message: `${JSON.stringify(key)} is no label key` });
    if (typeof value === 'string' && !isLabelValue(value)) {
      faults.push({ field: `metadata.labels.${key}`, message: `${JSON.stringify(value)} cannot be a label's value` });
    }
  }
  return faults;
}

function annotationFaults(annotations: unknown): Fault[] {
  const field = 'metadata.annotations';
  const faults: Fault[] = [];
  let size = 0;
  for (const [key, value] of entries(annotations)) {
    if (!isLabelKey(key.toLowerCase())) faults.push({ field, message: `${JSON.stringify(key)} is no annotation key` });
    size += Buffer.byteLength(key) + Buffer.byteLength(String(value));
  }
  if (size > MAX_ANNOTATION_BYTES) faults.push({ field, message: `take ${size} bytes; at most 256 KiB are allowed` });
  return faults;
}

function finalizerFaults(finalizers: unknown): Fault[] {
  if (!Array.isArray(finalizers)) return [];
  return finalizers.flatMap((finalizer, index) =>
    typeof finalizer === 'string' && isLabelKey(finalizer)
      ? []
      : [{ field: `metadata.finalizers[${index}]`, message: `${JSON.stringify(finalizer)} is no qualified name` }],
  );
}

function entries(value: unknown): [string, unknown][] {
  return isRecord(value) ? Object.entries(value) : [];
}
