/** How a cluster knows the driver: what it can do, and classes to ask it by. */
import { SYSTEM_NAMESPACE } from '../../src/schemas/kinds.ts';
import { DRIVER_NAME } from '../../src/shells/csi/identity.ts';
import type { Json } from './crd-schema.ts';

const labels = { 'app.kubernetes.io/part-of': 'holdfast' };
const STORAGE = 'storage.k8s.io/v1';

/** The namespace, the driver and its classes; none of them is the default class. */
export function driverObjects(): readonly Json[] {
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: SYSTEM_NAMESPACE, labels } },
    {
      ...{ apiVersion: STORAGE, kind: 'CSIDriver', metadata: { name: DRIVER_NAME, labels } },
      spec: {
        // The publication is what an exclusive volume is held by.
        attachRequired: true,
        podInfoOnMount: false,
        storageCapacity: true,
        fsGroupPolicy: 'File',
        volumeLifecycleModes: ['Persistent'],
      },
    },
    storageClass('holdfast', { engine: 'gluster' }, 'Immediate'),
    // The node of the pod is the node of its volume.
    storageClass('holdfast-local', { engine: 'local' }, 'WaitForFirstConsumer'),
  ];
}

/** The class that snapshots are asked for by; its kind is served only where the snapshot controller is installed. */
export function snapshotClass(): Json {
  return {
    ...{
      apiVersion: 'snapshot.storage.k8s.io/v1',
      kind: 'VolumeSnapshotClass',
      metadata: { name: 'holdfast', labels },
    },
    ...{ driver: DRIVER_NAME, deletionPolicy: 'Delete' },
  };
}

function storageClass(name: string, parameters: Json, volumeBindingMode: string): Json {
  return {
    ...{ apiVersion: STORAGE, kind: 'StorageClass', metadata: { name, labels }, provisioner: DRIVER_NAME, parameters },
    ...{ volumeBindingMode, reclaimPolicy: 'Delete', allowVolumeExpansion: true },
  };
}
