/** The rules of Kubernetes for names, labels, annotations and finalizers. */
import type { Fault } from '../../domain/errors.ts';
import { labelFault } from '../../domain/names.ts';
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
  if (name.length > MAX_NAME) return `is ${name.length} characters long; at most ${MAX_NAME} are allowed`;
  if (SUBDOMAIN.test(name)) return undefined;
  return 'may hold only a-z, 0-9, "-" and ".", and each part must begin and end with a letter or digit';
}

/** Every fault of the metadata of an object, the schema's own checks aside. */
export function metadataFaults(definition: KindDefinition, metadata: JsonRecord): Fault[] {
  const name = metadata['name'];
  const faults: Fault[] = [];
  const prefix = metadata['generateName'];
  if (typeof name === 'string' && name !== '') {
    const fault = nameFault(definition, name);
    if (fault !== undefined) faults.push({ field: 'metadata.name', message: fault });
  } else if (typeof prefix === 'string' && prefix !== '') {
    const fault = nameFault(definition, `${prefix}xxxxx`);
    if (fault !== undefined) faults.push({ field: 'metadata.generateName', message: fault });
  }
  for (const [key, value] of entries(metadata['labels'])) {
    if (!isLabelKey(key)) faults.push({ field: 'metadata.labels', message: `${JSON.stringify(key)} is no label key` });
    if (typeof value === 'string' && !isLabelValue(value)) {
      faults.push({ field: `metadata.labels.${key}`, message: `${JSON.stringify(value)} cannot be a label's value` });
    }
  }
  let annotationBytes = 0;
  for (const [key, value] of entries(metadata['annotations'])) {
    if (!isLabelKey(key.toLowerCase())) {
      faults.push({ field: 'metadata.annotations', message: `${JSON.stringify(key)} is no annotation key` });
    }
    annotationBytes += Buffer.byteLength(key) + Buffer.byteLength(String(value));
  }
  if (annotationBytes > MAX_ANNOTATION_BYTES) {
    faults.push({
      field: 'metadata.annotations',
      message: `take ${annotationBytes} bytes; at most 256 KiB are allowed`,
    });
  }
  return [...faults, ...finalizerFaults(metadata['finalizers'])];
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
