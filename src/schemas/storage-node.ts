/** StorageNode: a machine that offers pools or uses volumes. */
import { z } from 'zod';
import { AbsolutePath, Condition, IpAddress, Label, ObjectMeta } from './common.ts';

export const PoolSpec = z.strictObject({
  name: Label,
  /** Where the pool's file system is, or gets, mounted. Copies live below it. */
  path: AbsolutePath,
  /** Block device for the pool. Formatted with XFS only when it is proven empty; never when it holds anything. */
  device: AbsolutePath.optional(),
});
export type PoolSpec = z.infer<typeof PoolSpec>;

export const StorageNodeSpec = z.strictObject({
  addresses: z.strictObject({ ip: IpAddress, internalIp: IpAddress.optional() }),
  /** Failure domain; nodes without one each count as a zone of their own. */
  zone: Label.optional(),
  pools: z.array(PoolSpec).max(64).default([]),
  /** True keeps new copies away from this node. */
  isCordoned: z.boolean().optional(),
});
export type StorageNodeSpec = z.infer<typeof StorageNodeSpec>;

export const PoolStatus = z.object({
  name: z.string(),
  path: z.string(),
  isReady: z.boolean(),
  capacityBytes: z.number().int().nonnegative(),
  freeBytes: z.number().int().nonnegative(),
  fsType: z.string().optional(),
  /** Reflink gives snapshots and clones of image bricks. */
  hasReflink: z.boolean().optional(),
  reason: z.string().optional(),
  message: z.string().optional(),
});
export type PoolStatus = z.infer<typeof PoolStatus>;

export const EngineStatus = z.object({
  name: z.string(),
  isInstalled: z.boolean(),
  isRunning: z.boolean(),
  version: z.string().optional(),
  message: z.string().optional(),
});

export const StorageNodeStatus = z.object({
  /** /proc/sys/kernel/random/boot_id: another one means the node was restarted. Written by the agent. */
  bootId: z.string().optional(),
  agentVersion: z.string().optional(),
  engines: z.array(EngineStatus).optional(),
  pools: z.array(PoolStatus).optional(),
  /** Written by the controller from the node's Lease. */
  conditions: z.array(Condition).optional(),
  observedGeneration: z.number().int().optional(),
});
export type StorageNodeStatus = z.infer<typeof StorageNodeStatus>;

export const StorageNode = z.object({
  apiVersion: z.literal('holdfast.dev/v1alpha1'),
  kind: z.literal('StorageNode'),
  metadata: ObjectMeta,
  spec: StorageNodeSpec,
  status: StorageNodeStatus.optional(),
});
export type StorageNode = z.infer<typeof StorageNode>;
