/** The objects that a document holds: one, or those of a List. */
import { listAt, type ManifestObject, type ManifestPath, textAt, valueAt } from './finding.ts';

const DEFAULT_NAMESPACE = 'default';

/** @param document - position of the document in its file */
export function findObjects(value: unknown, document: number): readonly ManifestObject[] {
  const kind = textAt(value, ['kind']);
  const isList = kind !== undefined && kind.endsWith('List') && Array.isArray(valueAt(value, ['items']));
  if (!isList) return objectAt(value, document, []);
  return listAt(value, ['items']).flatMap((item, at) => objectAt(item, document, ['items', at]));
}

function objectAt(value: unknown, document: number, at: ManifestPath): readonly ManifestObject[] {
  const kind = textAt(value, ['kind']);
  if (kind === undefined) return [];
  return [
    {
      ...{ document, at, kind, value },
      apiVersion: textAt(value, ['apiVersion']) ?? '',
      name: textAt(value, ['metadata', 'name']) ?? textAt(value, ['metadata', 'generateName']) ?? '',
      namespace: textAt(value, ['metadata', 'namespace']) ?? DEFAULT_NAMESPACE,
    },
  ];
}

/** Where the template of the pods of a workload is; undefined for what has none. */
const TEMPLATES: Readonly<Record<string, ManifestPath>> = {
  Pod: [],
  StatefulSet: ['spec', 'template'],
  Deployment: ['spec', 'template'],
  DaemonSet: ['spec', 'template'],
  ReplicaSet: ['spec', 'template'],
  Job: ['spec', 'template'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
};

/** Where what is like a Pod stands in the object, or undefined where it makes none. */
export function templatePathOf({ kind }: ManifestObject): ManifestPath | undefined {
  return Object.hasOwn(TEMPLATES, kind) ? TEMPLATES[kind] : undefined;
}

/** Claims of the object itself, and those that a StatefulSet makes, each with its path. */
export function claimPathsOf({ kind, value }: ManifestObject): readonly ManifestPath[] {
  if (kind === 'PersistentVolumeClaim') return [[]];
  if (kind !== 'StatefulSet') return [];
  return listAt(value, ['spec', 'volumeClaimTemplates']).map((_, at) => ['spec', 'volumeClaimTemplates', at]);
}
