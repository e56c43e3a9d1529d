/** StorageNode: a machine that offers pools or uses volumes. */
import { z } from 'zod';
import { AbsolutePath, Condition, IpAddress, Label } from './common.ts';
import { ObservedGeneration, ownKind } from './own-kind.ts';

export const PoolSpec = z.strictObject({
  name: Label.describe('Name of the pool; volumes choose pools by it.'),
  path: AbsolutePath.describe("Where the pool's file system is, or gets, mounted. Copies live below it."),
  device: AbsolutePath.optional().describe(
    'Block device for the pool. Formatted with XFS only when it is proven empty; never when it holds anything.',
  ),
});
export type PoolSpec = z.infer<typeof PoolSpec>;

export const StorageNodeSpec = z.strictObject({
  addresses: z
    .strictObject({
      ip: IpAddress.describe('For users and control.'),
      internalIp: IpAddress.optional().describe('For the traffic between storage nodes.'),
    })
    .describe(
      'Addresses of the node: ip for users and control, internalIp for the traffic between storage nodes if they have a network of their own.',
    ),
  zone: Label.optional().describe('Failure domain; nodes without one each count as a zone of their own.'),
  pools: z.array(PoolSpec).max(64).default([]).describe('Where copies of volumes may be placed on this node.'),
  isCordoned: z.boolean().optional().describe('True keeps new copies away from this node.'),
  engineId: z
    .uuid()
    .optional()
    .describe(
      'Identity that the engine on this node is to have (GlusterFS: the UUID of glusterd): the one that the others know the node by. Set by "node rejoin" once the machine was installed anew.',
    ),
  blankEngineId: z
    .uuid()
    .optional()
    .describe('Identity of the blank engine that may take engineId; one with any other is left as it is.'),
  isDraining: z
    .boolean()
    .optional()
    .describe('True keeps new copies away from this node and moves every copy on it to other nodes.'),
});
export type StorageNodeSpec = z.infer<typeof StorageNodeSpec>;

export const PoolStatus = z.object({
  name: z.string().describe('Name of the pool.'),
  path: z.string().describe('Where it is mounted.'),
  isReady: z.boolean().describe('Copies can be placed in it.'),
  capacityBytes: z.number().int().nonnegative().describe('Size of its file system.'),
  freeBytes: z.number().int().nonnegative().describe('Free space of its file system.'),
  copyBytes: z
    .number()
    .int()
    .nonnegative()
    .optional()
    .describe('What copies of volumes had taken of it when the free space was looked at.'),
  fsType: z.string().optional().describe('Type of its file system.'),
  fsUuid: z
    .string()
    .optional()
    .describe("UUID of the file system on the pool's device; no two nodes mount the same one."),
  hasReflink: z.boolean().optional().describe('Reflink gives snapshots and clones of image bricks.'),
  reason: z.string().optional().describe('Why it is not ready, in one word.'),
  message: z.string().optional().describe('Why it is not ready.'),
});
export type PoolStatus = z.infer<typeof PoolStatus>;

export const EngineStatus = z.object({
  name: z.string().describe('Name of the engine.'),
  isInstalled: z.boolean().describe('Its programs are on the node.'),
  isRunning: z.boolean().describe('Its daemon runs.'),
  version: z.string().optional().describe('Its version.'),
  id: z.string().optional().describe('What it calls itself (GlusterFS: the UUID of glusterd).'),
  isBlank: z.boolean().optional().describe('It has no peers and no volumes, as after an installation.'),
  isStranger: z
    .boolean()
    .optional()
    .describe(
      'The machine was installed anew: the other nodes know this node by another identity, or it has that one back and learns from them yet. It is not used until it has rejoined.',
    ),
  abilities: z
    .array(z.string())
    .optional()
    .describe('What it can do on this node and not on every one: btrfs, fscrypt, luks.'),
  message: z.string().optional().describe('Why it is not usable.'),
});

export type EngineStatus = z.infer<typeof EngineStatus>;

/** What a daemon was seen to speak: asked on its port, not concluded from files. */
export const TlsMode = z.enum(['encrypted', 'plain', 'unknown']);
export type TlsMode = z.infer<typeof TlsMode>;

export const NodeTlsStatus = z.object({
  mode: TlsMode.describe("What the engine's daemon on the node speaks."),
  request: z
    .string()
    .max(4096)
    .optional()
    .describe('Certificate signing request (PEM), while the node needs a certificate. Its key never leaves the node.'),
  notAfter: z.string().optional().describe('Until when the certificate on the node is valid.'),
  message: z.string().optional().describe('Why it goes no further.'),
});
export type NodeTlsStatus = z.infer<typeof NodeTlsStatus>;

export const NodeCertificate = z.object({
  pem: z.string().describe('Certificate for the key of the request.'),
  authorityPem: z.string().describe('What the nodes trust: the authority for storage traffic.'),
  requestPem: z.string().describe('The request that it answers.'),
});
export type NodeCertificate = z.infer<typeof NodeCertificate>;

export const NodeFenceStatus = z.object({
  record: z.string().describe('UID of the FenceRecord that it is about.'),
  bootId: z.string().describe('Boot ID of the node when it looked.'),
  mounts: z.array(z.string()).max(64).describe('Where volumes are still mounted on the node.'),
  isReturned: z
    .boolean()
    .optional()
    .describe("True when, after the fence was taken away, the engine's own daemons reach the other nodes again."),
});
export type NodeFenceStatus = z.infer<typeof NodeFenceStatus>;

export const StorageNodeStatus = z.object({
  bootId: z
    .string()
    .optional()
    .describe('/proc/sys/kernel/random/boot_id: another one means the node was restarted. Written by the agent.'),
  agentVersion: z.string().optional().describe('Version of the agent on the node.'),
  engines: z.array(EngineStatus).optional().describe('Engines found on the node.'),
  pools: z.array(PoolStatus).optional().describe('The pools as the agent sees them.'),
  tls: NodeTlsStatus.optional().describe('Encryption of storage traffic as the agent sees it.'),
  fence: NodeFenceStatus.optional().describe('While the node is fenced: what its agent sees of it.'),
  certificate: NodeCertificate.optional().describe('Written by the controller: its answer to tls.request.'),
  isComputeOnly: z
    .boolean()
    .optional()
    .describe(
      'Written by the controller from the labels of the Kubernetes node of that name: true keeps new copies away from this node, which may use volumes.',
    ),
  conditions: z.array(Condition).optional().describe("Written by the controller from the node's Lease."),
  observedGeneration: ObservedGeneration,
});
export type StorageNodeStatus = z.infer<typeof StorageNodeStatus>;

export const StorageNode = ownKind('StorageNode', {
  spec: StorageNodeSpec,
  status: StorageNodeStatus,
}).describe('A machine that offers pools or uses volumes.');
export type StorageNode = z.infer<typeof StorageNode>;
