/** Volumes that pods and PersistentVolumes name by a plugin which Kubernetes does not have any more. */

import { templatePathOf } from './find-objects.ts';
import { listAt, type ManifestObject, type ManifestPath, type RuleFinding, valueAt } from './finding.ts';

/** Release of Kubernetes that no longer has the plugin. */
const REMOVED: Readonly<Record<string, string>> = {
  glusterfs: '1.26',
  storageos: '1.25',
  flocker: '1.25',
  quobyte: '1.25',
  scaleIO: '1.22',
  cephfs: '1.31',
  rbd: '1.31',
  photonPersistentDisk: '1.11',
};
const CLAIM = 'write a claim in its place: persistentVolumeClaim: { claimName: NAME }';
/** What else can be done about the PersistentVolume of one. */
const FIXES: Readonly<Record<string, string>> = {
  glusterfs: 'take the volume over with its data: docs/how-to/adopt-a-pool.md; then name it by a claim',
};

/** The rule: such volumes, and the policy Recycle, which scrubs nothing but NFS and hostPath. */
export function checkSources(objects: readonly ManifestObject[]): readonly RuleFinding[] {
  return objects.flatMap((object) => [
    ...sourcesOf(object).flatMap((path) => checkSource(object, path)),
    ...checkPolicy(object),
  ]);
}

function sourcesOf(object: ManifestObject): readonly ManifestPath[] {
  if (object.kind === 'PersistentVolume') return [['spec']];
  const template = templatePathOf(object);
  if (template === undefined) return [];
  const volumes = [...template, 'spec', 'volumes'];
  return listAt(object.value, volumes).map((_, at) => [...volumes, at]);
}

function checkSource(object: ManifestObject, at: ManifestPath): readonly RuleFinding[] {
  return Object.entries(REMOVED).flatMap(([plugin, since]) => {
    const path = [...at, plugin];
    if (valueAt(object.value, path) === undefined) return [];
    return [
      {
        ...({ rule: 'volume-plugin', severity: 'error', object, path } as const),
        message: `the volume plugin ${plugin} was removed from Kubernetes ${since}: no kubelet can mount it`,
        fix: FIXES[plugin] ?? CLAIM,
      },
    ];
  });
}

function checkPolicy(object: ManifestObject): readonly RuleFinding[] {
  const path = ['spec', 'persistentVolumeReclaimPolicy'];
  if (object.kind !== 'PersistentVolume' || valueAt(object.value, path) !== 'Recycle') return [];
  const canScrub = ['nfs', 'hostPath'].some((source) => valueAt(object.value, ['spec', source]) !== undefined);
  return [
    {
      ...({ rule: 'recycle', severity: canScrub ? 'warning' : 'error', object, path } as const),
      message: canScrub
        ? 'the reclaim policy Recycle is deprecated: it runs rm -rf in the volume when the claim goes'
        : 'the reclaim policy Recycle is known for nfs and hostPath only: the volume ends as Failed when the claim goes',
      fix: 'choose Retain (the data stays), or a class of a provisioner with Delete',
    },
  ];
}
