/** API versions and annotations that Kubernetes has replaced. */

import { claimPathsOf } from './find-objects.ts';
import { type ManifestObject, type ManifestPath, type RuleFinding, textAt } from './finding.ts';

interface Removed {
  readonly version: string;
  readonly kinds: readonly string[];
  readonly now: string;
  /** Release that no longer serves it. */
  readonly since: string;
}

const WORKLOADS = ['Deployment', 'DaemonSet', 'ReplicaSet', 'StatefulSet'];
/** From "Deprecated API Migration Guide" of Kubernetes, and the release notes of external-snapshotter. */
const REMOVED: readonly Removed[] = [
  { version: 'extensions/v1beta1', kinds: WORKLOADS, now: 'apps/v1', since: '1.16' },
  { version: 'apps/v1beta1', kinds: WORKLOADS, now: 'apps/v1', since: '1.16' },
  { version: 'apps/v1beta2', kinds: WORKLOADS, now: 'apps/v1', since: '1.16' },
  { version: 'apps/v1alpha1', kinds: ['PetSet'], now: 'apps/v1', since: '1.5, as a StatefulSet' },
  { version: 'batch/v1beta1', kinds: ['CronJob'], now: 'batch/v1', since: '1.25' },
  { version: 'batch/v2alpha1', kinds: ['CronJob'], now: 'batch/v1', since: '1.21' },
  { version: 'policy/v1beta1', kinds: ['PodDisruptionBudget'], now: 'policy/v1', since: '1.25' },
  {
    version: 'storage.k8s.io/v1beta1',
    kinds: ['StorageClass', 'VolumeAttachment', 'CSIDriver', 'CSINode'],
    now: 'storage.k8s.io/v1',
    since: '1.22',
  },
  {
    version: 'storage.k8s.io/v1alpha1',
    kinds: ['StorageClass', 'VolumeAttachment'],
    now: 'storage.k8s.io/v1',
    since: '1.22',
  },
  { version: 'extensions/v1beta1', kinds: ['StorageClass'], now: 'storage.k8s.io/v1', since: '1.6' },
  {
    version: 'snapshot.storage.k8s.io/v1beta1',
    kinds: ['VolumeSnapshot', 'VolumeSnapshotClass', 'VolumeSnapshotContent'],
    now: 'snapshot.storage.k8s.io/v1',
    since: 'external-snapshotter 7',
  },
  {
    version: 'snapshot.storage.k8s.io/v1alpha1',
    kinds: ['VolumeSnapshot', 'VolumeSnapshotClass', 'VolumeSnapshotContent'],
    now: 'snapshot.storage.k8s.io/v1',
    since: 'external-snapshotter 3',
  },
];
/** What is served now, for the kinds that are looked at. */
const SERVED: Readonly<Record<string, string>> = {
  ...Object.fromEntries(WORKLOADS.map((kind) => [kind, 'apps/v1'])),
  ...Object.fromEntries(['Pod', 'Service', 'PersistentVolume', 'PersistentVolumeClaim'].map((kind) => [kind, 'v1'])),
  ...{ Job: 'batch/v1', CronJob: 'batch/v1', StorageClass: 'storage.k8s.io/v1' },
};

/** The rule: versions that the API server no longer serves. */
export function checkVersions(objects: readonly ManifestObject[]): readonly RuleFinding[] {
  return objects.flatMap((object) => {
    const { apiVersion, kind } = object;
    const served = SERVED[kind];
    const removed = REMOVED.find((each) => each.version === apiVersion && each.kinds.includes(kind));
    const now = removed?.now ?? served;
    if (now === undefined || now === apiVersion) return [];
    const why = removed === undefined ? `is no version of ${kind}` : `was removed from Kubernetes ${removed.since}`;
    const kindNow = kind === 'PetSet' ? 'StatefulSet' : kind;
    return [
      {
        ...{ rule: 'api-version', severity: 'error', object, path: ['apiVersion'] },
        message: apiVersion === '' ? `${kind} has no apiVersion` : `apiVersion ${apiVersion} ${why}`,
        fix: `write apiVersion: ${now}${kindNow === kind ? '' : ` and kind: ${kindNow}`}`,
        edits: [{ path: ['apiVersion'], set: now }, ...(kindNow === kind ? [] : [{ path: ['kind'], set: kindNow }])],
      } as const,
    ];
  });
}

const CLASS_ANNOTATIONS = ['volume.beta.kubernetes.io/storage-class', 'volume.alpha.kubernetes.io/storage-class'];
const MOUNT_OPTIONS = 'volume.beta.kubernetes.io/mount-options';
const DEFAULT_CLASS = {
  old: 'storageclass.beta.kubernetes.io/is-default-class',
  now: 'storageclass.kubernetes.io/is-default-class',
};

/** The rule: annotations that have become fields. */
export function checkAnnotations(objects: readonly ManifestObject[]): readonly RuleFinding[] {
  return objects.flatMap((object) => [
    ...[...claimPathsOf(object), ...(object.kind === 'PersistentVolume' ? [[]] : [])].flatMap((path) =>
      classAnnotation(object, path),
    ),
    ...mountOptions(object),
    ...defaultClass(object),
  ]);
}

function classAnnotation(object: ManifestObject, at: ManifestPath): readonly RuleFinding[] {
  return CLASS_ANNOTATIONS.flatMap((name) => {
    const path = [...at, 'metadata', 'annotations', name];
    const said = textAt(object.value, path);
    if (said === undefined) return [];
    const field = [...at, 'spec', 'storageClassName'];
    const has = textAt(object.value, field);
    const isOther = has !== undefined && has !== said;
    return [
      {
        ...{ rule: 'class-annotation', severity: isOther ? 'error' : 'warning', object, path },
        message: isOther
          ? `the annotation ${name} says class ${said} and storageClassName says ${has}`
          : `the annotation ${name} was replaced by the field storageClassName in Kubernetes 1.6`,
        fix: isOther ? 'keep one of the two' : `write storageClassName: ${said} in spec, and remove the annotation`,
        ...(isOther
          ? {}
          : {
              edits: [
                { path: field, set: said },
                { path, remove: true },
              ],
            }),
      } as const,
    ];
  });
}

function mountOptions(object: ManifestObject): readonly RuleFinding[] {
  const path = ['metadata', 'annotations', MOUNT_OPTIONS];
  const said = object.kind === 'PersistentVolume' ? textAt(object.value, path) : undefined;
  if (said === undefined) return [];
  const options = said
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
  return [
    {
      ...{ rule: 'mount-options-annotation', severity: 'warning', object, path },
      message: `the annotation ${MOUNT_OPTIONS} was replaced by the field mountOptions`,
      fix: `write mountOptions: [${options.join(', ')}] in spec, and remove the annotation`,
      edits: [
        { path: ['spec', 'mountOptions'], set: options },
        { path, remove: true },
      ],
    } as const,
  ];
}

function defaultClass(object: ManifestObject): readonly RuleFinding[] {
  const path = ['metadata', 'annotations', DEFAULT_CLASS.old];
  const said = object.kind === 'StorageClass' ? textAt(object.value, path) : undefined;
  if (said === undefined) return [];
  return [
    {
      ...{ rule: 'default-class-annotation', severity: 'warning', object, path },
      message: `the annotation ${DEFAULT_CLASS.old} is called ${DEFAULT_CLASS.now} since Kubernetes 1.6`,
      fix: 'write it with its present name',
      edits: [
        { path: ['metadata', 'annotations', DEFAULT_CLASS.now], set: said },
        { path, remove: true },
      ],
    } as const,
  ];
}
