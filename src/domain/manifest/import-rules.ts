/** What makes classes and claims of another storage system those of Holdfast. */
import { CSI_DRIVER } from '../volume/persistent-volume.ts';
import { claimPathsOf } from './find-objects.ts';
import {
  type Edit,
  type ManifestObject,
  type ManifestPath,
  type RuleFinding,
  textAt,
  textsAt,
  valueAt,
} from './finding.ts';
import { FOLLOWED, importClass } from './foreign-classes.ts';

/** The rule: classes get Holdfast's driver, and lose what has no meaning for it. */
export function importClasses(objects: readonly ManifestObject[]): readonly RuleFinding[] {
  return objects.flatMap((object) => {
    const edits = importClass(object);
    const provisioner = textAt(object.value, ['provisioner']);
    if (edits === undefined || provisioner === undefined) return [];
    const dropped = edits.flatMap(({ path: [, key] }) => key ?? []);
    const without = dropped.length === 0 ? '' : `, without ${dropped.join(', ')}`;
    return [
      {
        ...({ rule: 'provisioner', severity: 'warning', object, path: ['provisioner'], edits } as const),
        message: `is a class of ${FOLLOWED[provisioner]?.name ?? provisioner}`,
        fix: `provisioner: ${CSI_DRIVER}${without}`,
      },
    ];
  });
}

/** What an API server has written into an object that was read from it. */
const OF_SERVER: readonly ManifestPath[] = [
  ...['uid', 'resourceVersion', 'creationTimestamp', 'generation', 'selfLink', 'managedFields', 'finalizers'].map(
    (field) => ['metadata', field],
  ),
  ['metadata', 'annotations', 'kubectl.kubernetes.io/last-applied-configuration'],
  ['status'],
];
const OF_BINDING: readonly ManifestPath[] = [
  ...[
    ...['pv.kubernetes.io/bind-completed', 'pv.kubernetes.io/bound-by-controller', 'storageos.com/storageclass'],
    ...['volume.beta.kubernetes.io/storage-provisioner', 'volume.kubernetes.io/storage-provisioner'],
    'volume.kubernetes.io/selected-node',
  ].map((name) => ['metadata', 'annotations', name]),
  ['spec', 'volumeName'],
];

/** The rule: a claim that was read from a cluster is a new one, and says so of its data. */
export function importClaims(objects: readonly ManifestObject[]): readonly RuleFinding[] {
  return objects.flatMap((object) => {
    if (object.kind !== 'PersistentVolumeClaim' && object.kind !== 'StorageClass') return [];
    const isClaim = object.kind === 'PersistentVolumeClaim';
    const found = [...OF_SERVER, ...(isClaim ? OF_BINDING : [])].filter(
      (path) => valueAt(object.value, path) !== undefined,
    );
    const volume = isClaim ? textAt(object.value, ['spec', 'volumeName']) : undefined;
    const edits = found.map((path): Edit => ({ path, remove: true }));
    const place = { rule: 'read-from-cluster', object } as const;
    return [
      ...(found.length === 0
        ? []
        : [
            {
              ...({ ...place, severity: 'warning', path: found[0] ?? [], edits } as const),
              message: 'was read from a cluster, and holds what its API server wrote',
              fix: 'left out',
            },
          ]),
      ...(volume === undefined
        ? []
        : [
            {
              ...({ ...place, severity: 'warning', path: ['spec', 'volumeName'] } as const),
              message: `was bound to ${volume}, whose data is not copied: as a new claim it begins empty`,
              fix: 'copy the data with a pod that mounts both',
            },
          ]),
    ];
  });
}

/** The rule: StorageOS let a label of the claim speak before its class, and no driver of CSI sees labels. */
export function importLabels(objects: readonly ManifestObject[]): readonly RuleFinding[] {
  return objects.flatMap((object) =>
    claimPathsOf(object).flatMap((at) => {
      const path = [...at, 'metadata', 'labels'];
      const said = Object.keys(textsAt(object.value, path)).filter((name) => name.startsWith('storageos.com/'));
      return said.map((name) => ({
        ...({ rule: 'claim-label', severity: 'error', object, path: [...path, name] } as const),
        message: `the label ${name} changed the class for this claim in StorageOS, and has no effect here`,
        fix: 'write it as a parameter of a class of its own, name that class in the claim, and remove the label',
      }));
    }),
  );
}
