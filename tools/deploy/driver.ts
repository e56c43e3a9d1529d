/** How a cluster knows the driver: what it can do, and classes to ask it by. */
import { SYSTEM_NAMESPACE } from '../../src/schemas/kinds.ts';
import { DRIVER_NAME } from '../../src/shells/csi/identity.ts';
import type { Json } from './crd-schema.ts';
import { manifestValues, type Values } from './values.ts';

const labels = { 'app.kubernetes.io/part-of': 'holdfast' };
const STORAGE = 'storage.k8s.io/v1';
export const GLUSTER_CLASS = 'holdfast';
export const LOCAL_CLASS = 'holdfast-local';
/** Profiles that a claim can change to while it is in use. */
const ATTRIBUTES = ['database', 'shared'] as const;
/** The node's pods mount, and see the machine's devices; those of the controller keep to `restricted` by themselves. */
const PRIVILEGED = { 'pod-security.kubernetes.io/enforce': 'privileged' };

/** The namespace, the driver and its classes; none of them is the default class unless asked for. */
export function driverObjects({ isDefault }: Pick<Values, 'isDefault'> = manifestValues()): readonly Json[] {
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: SYSTEM_NAMESPACE, labels: { ...labels, ...PRIVILEGED } } },
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
    storageClass(GLUSTER_CLASS, { engine: 'gluster' }, 'Immediate', isDefault(GLUSTER_CLASS)),
    // The node of the pod is the node of its volume.
    storageClass(LOCAL_CLASS, { engine: 'local' }, 'WaitForFirstConsumer', isDefault(LOCAL_CLASS)),
    ...ATTRIBUTES.map((profile) => ({
      ...{ apiVersion: STORAGE, kind: 'VolumeAttributesClass', metadata: { name: `holdfast-${profile}`, labels } },
      ...{ driverName: DRIVER_NAME, parameters: { profile } },
    })),
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

function storageClass(name: string, parameters: Json, volumeBindingMode: string, isDefault: string): Json {
  const annotations = { 'storageclass.kubernetes.io/is-default-class': isDefault };
  return {
    ...{ apiVersion: STORAGE, kind: 'StorageClass', metadata: { name, labels, annotations } },
    ...{ provisioner: DRIVER_NAME, parameters },
    ...{ volumeBindingMode, reclaimPolicy: 'Delete', allowVolumeExpansion: true },
  };
}
