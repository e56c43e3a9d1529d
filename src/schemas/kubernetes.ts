/** The kinds of Kubernetes itself that Holdfast writes, as far as Holdfast reads them; other fields pass through. */
import { z } from 'zod';
import { ObjectMeta } from './common.ts';

/** coordination.k8s.io/v1: heartbeats of nodes and leader election. */
export const Lease = z.looseObject({
  apiVersion: z.literal('coordination.k8s.io/v1'),
  kind: z.literal('Lease'),
  metadata: ObjectMeta,
  spec: z.looseObject({
    holderIdentity: z.string().nullable().optional(),
    leaseDurationSeconds: z.number().int().positive().nullable().optional(),
    /** MicroTime: 2026-01-02T03:04:05.000006Z. */
    acquireTime: z.string().nullable().optional(),
    renewTime: z.string().nullable().optional(),
    leaseTransitions: z.number().int().nullable().optional(),
  }),
});
export type Lease = z.infer<typeof Lease>;

const ObjectReference = z.looseObject({
  apiVersion: z.string().optional(),
  kind: z.string().optional(),
  name: z.string().optional(),
  namespace: z.string().optional(),
  uid: z.string().optional(),
});

/** v1 Event. */
export const Event = z.looseObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('Event'),
  metadata: ObjectMeta,
  involvedObject: ObjectReference,
  reason: z.string().optional(),
  message: z.string().optional(),
  type: z.enum(['Normal', 'Warning']).optional(),
  count: z.number().int().optional(),
  firstTimestamp: z.string().nullable().optional(),
  lastTimestamp: z.string().nullable().optional(),
  source: z.looseObject({ component: z.string().optional(), host: z.string().optional() }).optional(),
});
export type Event = z.infer<typeof Event>;

/** v1 Node: only its labels are read. */
export const Node = z.looseObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('Node'),
  metadata: ObjectMeta,
});
export type Node = z.infer<typeof Node>;

export const Namespace = z.looseObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('Namespace'),
  metadata: ObjectMeta,
});
export type Namespace = z.infer<typeof Namespace>;

export const PersistentVolume = z.looseObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('PersistentVolume'),
  metadata: ObjectMeta,
  spec: z.looseObject({
    capacity: z.record(z.string(), z.string()).optional(),
    accessModes: z.array(z.enum(['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod'])).optional(),
    persistentVolumeReclaimPolicy: z.enum(['Retain', 'Recycle', 'Delete']).optional(),
    storageClassName: z.string().optional(),
    volumeMode: z.string().optional(),
    csi: z.looseObject({ driver: z.string(), volumeHandle: z.string() }).optional(),
    claimRef: ObjectReference.optional(),
  }),
  status: z.looseObject({ phase: z.string().optional() }).optional(),
});
export type PersistentVolume = z.infer<typeof PersistentVolume>;

export const PersistentVolumeClaim = z.looseObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('PersistentVolumeClaim'),
  metadata: ObjectMeta,
  spec: z.looseObject({
    accessModes: z.array(z.string()).optional(),
    resources: z
      .looseObject({
        requests: z.record(z.string(), z.string()).optional(),
        limits: z.record(z.string(), z.string()).optional(),
      })
      .optional(),
    storageClassName: z.string().optional(),
    volumeMode: z.string().optional(),
    volumeName: z.string().optional(),
    selector: z.looseObject({}).optional(),
    dataSource: z.looseObject({ kind: z.string(), name: z.string() }).nullable().optional(),
  }),
  status: z.looseObject({ phase: z.string().optional() }).optional(),
});
export type PersistentVolumeClaim = z.infer<typeof PersistentVolumeClaim>;

/** The volumes of a pod, as far as they are claims; null as the scheduler and the API server send it. */
export const PodVolumes = z
  .array(
    z.looseObject({
      name: z.string(),
      persistentVolumeClaim: z.looseObject({ claimName: z.string() }).nullish(),
      ephemeral: z
        .looseObject({
          volumeClaimTemplate: z
            .looseObject({ spec: z.looseObject({ storageClassName: z.string().optional() }).optional() })
            .optional(),
        })
        .nullish(),
    }),
  )
  .nullish();

/** As far as it uses claims. */
export const Pod = z.looseObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('Pod'),
  metadata: ObjectMeta,
  spec: z.looseObject({
    nodeName: z.string().optional(),
    volumes: PodVolumes,
  }),
  status: z
    .looseObject({
      phase: z.string().optional(),
      conditions: z
        .array(
          z.looseObject({
            type: z.string(),
            status: z.string(),
            reason: z.string().optional(),
            message: z.string().optional(),
          }),
        )
        .optional(),
    })
    .optional(),
});
export type Pod = z.infer<typeof Pod>;

export const Service = z.looseObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('Service'),
  metadata: ObjectMeta,
  spec: z.looseObject({
    selector: z.record(z.string(), z.string()).nullable().optional(),
    ports: z.array(z.looseObject({ name: z.string().optional(), port: z.number().int() })).optional(),
  }),
});
export type Service = z.infer<typeof Service>;

export const StorageClass = z.looseObject({
  apiVersion: z.literal('storage.k8s.io/v1'),
  kind: z.literal('StorageClass'),
  metadata: ObjectMeta,
  provisioner: z.string(),
  parameters: z.record(z.string(), z.string()).optional(),
  /** Immediate when left out. */
  volumeBindingMode: z.string().optional(),
});
export type StorageClass = z.infer<typeof StorageClass>;

export const EndpointSlice = z.looseObject({
  apiVersion: z.literal('discovery.k8s.io/v1'),
  kind: z.literal('EndpointSlice'),
  metadata: ObjectMeta,
  addressType: z.enum(['IPv4', 'IPv6', 'FQDN']),
  endpoints: z.array(z.looseObject({ addresses: z.array(z.string()) })),
  ports: z
    .array(z.looseObject({ name: z.string().nullable().optional(), port: z.number().int().nullable().optional() }))
    .optional(),
});
export type EndpointSlice = z.infer<typeof EndpointSlice>;

/** Keys of encrypted volumes; see domain/volume/volume-key.ts. */
export const Secret = z.looseObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('Secret'),
  metadata: ObjectMeta,
  type: z.string().optional(),
  /** True: data cannot be changed any more. */
  immutable: z.boolean().optional(),
  data: z.record(z.string(), z.base64({ error: 'must be base64' })).optional(),
  stringData: z.undefined({ error: 'is not taken by the embedded API server: write data, in base64' }).optional(),
});
export type Secret = z.infer<typeof Secret>;

/** Says who may read the keys of encrypted volumes; see adapters/kube/key-access.ts. */
export const Role = z.looseObject({
  apiVersion: z.literal('rbac.authorization.k8s.io/v1'),
  kind: z.literal('Role'),
  metadata: ObjectMeta,
  rules: z.array(z.looseObject({ verbs: z.array(z.string()) })).nullable(),
});
export type Role = z.infer<typeof Role>;

export const RoleBinding = z.looseObject({
  apiVersion: z.literal('rbac.authorization.k8s.io/v1'),
  kind: z.literal('RoleBinding'),
  metadata: ObjectMeta,
  roleRef: z.looseObject({ kind: z.string(), name: z.string() }),
  subjects: z.array(z.looseObject({ kind: z.string(), name: z.string() })).optional(),
});
export type RoleBinding = z.infer<typeof RoleBinding>;

/** Has the API server ask about new pods; of it only what Holdfast writes is looked at. */
export const MutatingWebhookConfiguration = z.looseObject({
  apiVersion: z.literal('admissionregistration.k8s.io/v1'),
  kind: z.literal('MutatingWebhookConfiguration'),
  metadata: ObjectMeta,
  webhooks: z
    .array(z.looseObject({ name: z.string(), clientConfig: z.looseObject({ caBundle: z.string().optional() }) }))
    .optional(),
});
export type MutatingWebhookConfiguration = z.infer<typeof MutatingWebhookConfiguration>;
