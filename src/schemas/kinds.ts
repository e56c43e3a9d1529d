/** Every kind that Holdfast stores or writes: the single table behind the embedded API server, the client and the CRDs. */
import type { z } from 'zod';
import { CLUSTER_KINDS } from './cluster-kinds.ts';
import { FenceRecord } from './fence-record.ts';
import { AGE, type KindDefinition } from './kind-definition.ts';
import {
  EndpointSlice,
  Event,
  Lease,
  Namespace,
  PersistentVolume,
  Secret,
  Service,
  StorageClass,
} from './kubernetes.ts';
import { GROUP } from './own-kind.ts';
import { StorageCluster } from './storage-cluster.ts';
import { StorageNode } from './storage-node.ts';
import { Task } from './task.ts';
import { Volume } from './volume.ts';
import { VolumeAttachmentRecord } from './volume-attachment-record.ts';
import { VolumeCopy } from './volume-copy.ts';
import { VolumeGroupSnapshotRecord } from './volume-group-snapshot-record.ts';
import { VolumeSnapshotRecord } from './volume-snapshot-record.ts';

export type { KindDefinition, PrinterColumn } from './kind-definition.ts';

/** Namespace of the leases and events that Holdfast writes. */
export const SYSTEM_NAMESPACE = 'holdfast-system';

const own = { group: GROUP, version: 'v1alpha1', scope: 'Cluster', hasStatus: true } as const;

export const KINDS = {
  ...CLUSTER_KINDS,
  StorageCluster: {
    ...own,
    kind: 'StorageCluster',
    plural: 'storageclusters',
    singular: 'storagecluster',
    shortNames: ['scl'],
    schema: StorageCluster,
    nameRule: 'label',
    columns: [
      { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
      { name: 'Anchor', type: 'string', jsonPath: '.status.anchor' },
      AGE,
    ],
  },
  StorageNode: {
    ...own,
    kind: 'StorageNode',
    plural: 'storagenodes',
    singular: 'storagenode',
    shortNames: ['sn'],
    schema: StorageNode,
    nameRule: 'node',
    columns: [
      { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
      { name: 'Zone', type: 'string', jsonPath: '.spec.zone' },
      { name: 'IP', type: 'string', jsonPath: '.spec.addresses.ip' },
      { name: 'Engine', type: 'string', jsonPath: '.status.engines[0].version', priority: 1 },
      { name: 'Boot', type: 'string', jsonPath: '.status.bootId', priority: 1 },
      AGE,
    ],
  },
  Volume: {
    ...own,
    kind: 'Volume',
    plural: 'volumes',
    singular: 'volume',
    shortNames: ['vol'],
    schema: Volume,
    nameRule: 'label',
    columns: [
      { name: 'Phase', type: 'string', jsonPath: '.status.phase' },
      { name: 'Size', type: 'string', jsonPath: '.spec.size' },
      { name: 'Layout', type: 'string', jsonPath: '.spec.layout' },
      { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
      { name: 'Redundant', type: 'string', jsonPath: '.status.conditions[?(@.type=="Redundant")].status' },
      { name: 'Nodes', type: 'string', jsonPath: '.status.placement[*].node', priority: 1 },
      { name: 'Anchor', type: 'string', jsonPath: '.status.anchor', priority: 1 },
      AGE,
    ],
  },
  VolumeCopy: {
    ...own,
    kind: 'VolumeCopy',
    plural: 'volumecopies',
    singular: 'volumecopy',
    shortNames: ['vc'],
    schema: VolumeCopy,
    columns: [
      { name: 'Volume', type: 'string', jsonPath: '.spec.volume' },
      { name: 'Node', type: 'string', jsonPath: '.spec.node' },
      { name: 'Pool', type: 'string', jsonPath: '.spec.pool' },
      { name: 'Role', type: 'string', jsonPath: '.spec.role' },
      { name: 'State', type: 'string', jsonPath: '.status.state' },
      { name: 'Path', type: 'string', jsonPath: '.status.path', priority: 1 },
      AGE,
    ],
  },
  VolumeAttachmentRecord: {
    ...own,
    kind: 'VolumeAttachmentRecord',
    plural: 'volumeattachmentrecords',
    singular: 'volumeattachmentrecord',
    shortNames: ['var'],
    schema: VolumeAttachmentRecord,
    columns: [
      { name: 'Volume', type: 'string', jsonPath: '.spec.volume' },
      { name: 'Node', type: 'string', jsonPath: '.spec.node' },
      { name: 'Path', type: 'string', jsonPath: '.spec.mountPath' },
      { name: 'State', type: 'string', jsonPath: '.status.state' },
      AGE,
    ],
  },
  VolumeSnapshotRecord: {
    ...own,
    kind: 'VolumeSnapshotRecord',
    plural: 'volumesnapshotrecords',
    singular: 'volumesnapshotrecord',
    shortNames: ['vsr'],
    schema: VolumeSnapshotRecord,
    nameRule: 'label',
    columns: [
      { name: 'Volume', type: 'string', jsonPath: '.spec.volume' },
      { name: 'Phase', type: 'string', jsonPath: '.status.phase' },
      { name: 'Taken', type: 'date', jsonPath: '.status.takenAt' },
      { name: 'Message', type: 'string', jsonPath: '.status.message', priority: 1 },
      AGE,
    ],
  },
  VolumeGroupSnapshotRecord: {
    ...own,
    kind: 'VolumeGroupSnapshotRecord',
    plural: 'volumegroupsnapshotrecords',
    singular: 'volumegroupsnapshotrecord',
    shortNames: ['vgsr'],
    schema: VolumeGroupSnapshotRecord,
    nameRule: 'label',
    columns: [
      { name: 'Volumes', type: 'string', jsonPath: '.spec.members[*].volume' },
      { name: 'Phase', type: 'string', jsonPath: '.status.phase' },
      { name: 'Taken', type: 'date', jsonPath: '.status.takenAt' },
      { name: 'Message', type: 'string', jsonPath: '.status.message', priority: 1 },
      AGE,
    ],
  },
  FenceRecord: {
    ...own,
    kind: 'FenceRecord',
    plural: 'fencerecords',
    singular: 'fencerecord',
    shortNames: ['fr'],
    schema: FenceRecord,
    nameRule: 'node',
    columns: [
      { name: 'Node', type: 'string', jsonPath: '.spec.node' },
      { name: 'Phase', type: 'string', jsonPath: '.status.phase' },
      { name: 'Held', type: 'date', jsonPath: '.status.heldSince' },
      { name: 'Message', type: 'string', jsonPath: '.status.message', priority: 1 },
      AGE,
    ],
  },
  Task: {
    ...own,
    kind: 'Task',
    plural: 'tasks',
    singular: 'task',
    shortNames: [],
    schema: Task,
    nameRule: 'label',
    columns: [
      { name: 'Action', type: 'string', jsonPath: '.spec.action' },
      { name: 'Volume', type: 'string', jsonPath: '.spec.volume' },
      { name: 'Node', type: 'string', jsonPath: '.spec.node' },
      { name: 'State', type: 'string', jsonPath: '.status.state' },
      { name: 'Progress', type: 'integer', jsonPath: '.status.progress' },
      { name: 'Message', type: 'string', jsonPath: '.status.message', priority: 1 },
      AGE,
    ],
  },
  Lease: {
    group: 'coordination.k8s.io',
    version: 'v1',
    kind: 'Lease',
    plural: 'leases',
    singular: 'lease',
    shortNames: [],
    scope: 'Namespaced',
    schema: Lease,
    hasStatus: false,
    columns: [{ name: 'Holder', type: 'string', jsonPath: '.spec.holderIdentity' }, AGE],
  },
  Event: {
    group: '',
    version: 'v1',
    kind: 'Event',
    plural: 'events',
    singular: 'event',
    shortNames: ['ev'],
    scope: 'Namespaced',
    schema: Event,
    hasStatus: false,
    columns: [
      { name: 'Last Seen', type: 'date', jsonPath: '.lastTimestamp' },
      { name: 'Type', type: 'string', jsonPath: '.type' },
      { name: 'Reason', type: 'string', jsonPath: '.reason' },
      { name: 'Object', type: 'string', jsonPath: '.involvedObject.name' },
      { name: 'Message', type: 'string', jsonPath: '.message' },
    ],
  },
  Namespace: {
    group: '',
    version: 'v1',
    kind: 'Namespace',
    plural: 'namespaces',
    singular: 'namespace',
    shortNames: ['ns'],
    scope: 'Cluster',
    schema: Namespace,
    hasStatus: true,
    columns: [AGE],
  },
  PersistentVolume: {
    group: '',
    version: 'v1',
    kind: 'PersistentVolume',
    plural: 'persistentvolumes',
    singular: 'persistentvolume',
    shortNames: ['pv'],
    scope: 'Cluster',
    schema: PersistentVolume,
    hasStatus: true,
    columns: [
      { name: 'Capacity', type: 'string', jsonPath: '.spec.capacity.storage' },
      { name: 'Access Modes', type: 'string', jsonPath: '.spec.accessModes' },
      { name: 'Reclaim Policy', type: 'string', jsonPath: '.spec.persistentVolumeReclaimPolicy' },
      { name: 'Storage Class', type: 'string', jsonPath: '.spec.storageClassName' },
      AGE,
    ],
  },
  Service: {
    group: '',
    version: 'v1',
    kind: 'Service',
    plural: 'services',
    singular: 'service',
    shortNames: ['svc'],
    scope: 'Namespaced',
    schema: Service,
    hasStatus: true,
    columns: [AGE],
  },
  Secret: {
    group: '',
    version: 'v1',
    kind: 'Secret',
    plural: 'secrets',
    singular: 'secret',
    shortNames: [],
    scope: 'Namespaced',
    schema: Secret,
    hasStatus: false,
    columns: [{ name: 'Type', type: 'string', jsonPath: '.type' }, AGE],
  },
  StorageClass: {
    group: 'storage.k8s.io',
    version: 'v1',
    kind: 'StorageClass',
    plural: 'storageclasses',
    singular: 'storageclass',
    shortNames: ['sc'],
    scope: 'Cluster',
    schema: StorageClass,
    hasStatus: false,
    columns: [{ name: 'Provisioner', type: 'string', jsonPath: '.provisioner' }, AGE],
  },
  EndpointSlice: {
    group: 'discovery.k8s.io',
    version: 'v1',
    kind: 'EndpointSlice',
    plural: 'endpointslices',
    singular: 'endpointslice',
    shortNames: [],
    scope: 'Namespaced',
    schema: EndpointSlice,
    hasStatus: false,
    columns: [{ name: 'AddressType', type: 'string', jsonPath: '.addressType' }, AGE],
  },
} as const satisfies Record<string, KindDefinition>;

export type KindName = keyof typeof KINDS;

/** Those that the embedded API server has. */
export const EMBEDDED_KINDS: readonly (readonly [KindName, KindDefinition])[] = (
  Object.entries(KINDS) as [KindName, KindDefinition][]
).filter(([, { isOfCluster }]) => isOfCluster === undefined);

/** The object type of a kind, by its name: `ObjectOf<'Volume'>`. */
export type ObjectOf<K extends KindName> = z.infer<(typeof KINDS)[K]['schema']>;
/** An object as the server returned it: its identity is filled in. */
export type Stored<T> = T & {
  metadata: {
    name: string;
    uid: string;
    resourceVersion: string;
    generation: number;
    creationTimestamp: string;
  };
};
