/** Claims and pods as people write them. */
import { DRIVER_NAME } from '../../src/shells/csi/identity.ts';
import { IMAGE } from './image.ts';

/** Parameters of a class whose volumes have a copy on each of two nodes. */
export const PAIR = { engine: 'gluster', replicas: '2', allowSplitBrain: 'true' };

export interface ClaimWish {
  readonly name: string;
  readonly storageClass: string;
  readonly size: string;
  readonly accessMode?: 'ReadWriteOnce' | 'ReadWriteMany';
  /** What it begins with: "VolumeSnapshot/before", "PersistentVolumeClaim/other". */
  readonly source?: string;
  readonly namespace?: string;
}

export function claim(wish: ClaimWish): object {
  const { name, namespace = 'default', storageClass, size, accessMode = 'ReadWriteOnce', source } = wish;
  const [kind, of] = source?.split('/') ?? [];
  const apiGroup = kind === 'VolumeSnapshot' ? { apiGroup: 'snapshot.storage.k8s.io' } : {};
  return {
    ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name, namespace } },
    spec: {
      ...{ storageClassName: storageClass, accessModes: [accessMode], resources: { requests: { storage: size } } },
      ...(of === undefined ? {} : { dataSource: { ...apiGroup, kind, name: of } }),
    },
  };
}

export interface PodWish {
  readonly name: string;
  readonly claim: string;
  /** Run by a shell; the volume is at /data. */
  readonly script: string;
  readonly node?: string;
  /** Whom the program runs as; the image's own user, root, when left out. */
  readonly securityContext?: Readonly<Record<string, number>>;
}

export function pod({ name, claim: claimName, script, node, securityContext = {} }: PodWish): object {
  return {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name } },
    spec: {
      ...{ restartPolicy: 'Never', terminationGracePeriodSeconds: 0, automountServiceAccountToken: false },
      ...{ dnsPolicy: 'Default', securityContext },
      // Not nodeName: the scheduler has to see it, or a claim that waits for its pod never hears of it.
      ...(node === undefined ? {} : { nodeSelector: { 'kubernetes.io/hostname': node } }),
      containers: [
        {
          ...{ name: 'main', image: IMAGE, imagePullPolicy: 'Never', command: ['sh', '-ec', script] },
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
        },
      ],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }],
    },
  };
}

/** A class of volumes that are made at once. */
export function storageClass(wish: {
  readonly name: string;
  readonly parameters: Readonly<Record<string, string>>;
}): object {
  return {
    ...{ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: wish.name } },
    ...{ provisioner: DRIVER_NAME, parameters: wish.parameters, allowVolumeExpansion: true },
  };
}

export function snapshot({ name, claim: of }: { readonly name: string; readonly claim: string }): object {
  return {
    ...{ apiVersion: 'snapshot.storage.k8s.io/v1', kind: 'VolumeSnapshot', metadata: { name } },
    spec: { volumeSnapshotClassName: 'holdfast', source: { persistentVolumeClaimName: of } },
  };
}
