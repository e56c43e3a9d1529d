/** StorageCluster: the nodes that belong together and who speaks for the engine's own cluster. One object, named "default". */
import { z } from 'zod';
import { Condition, Label, ObjectMeta } from './common.ts';

export const StorageClusterSpec = z.strictObject({
  /** Names of the StorageNodes that belong to the cluster. */
  nodes: z.array(Label).max(1000),
});
export type StorageClusterSpec = z.infer<typeof StorageClusterSpec>;

export const StorageClusterStatus = z.object({
  /** Node whose agent joins the others to the engine's pool; moved by the controller when it is lost. */
  anchor: z.string().optional(),
  /** Written by the anchor's agent: the members that the engine says are connected. */
  peers: z
    .object({
      observedBy: z.string(),
      connected: z.array(z.string()),
      disconnected: z.array(z.string()),
      missing: z.array(z.string()),
      message: z.string().optional(),
    })
    .optional(),
  conditions: z.array(Condition).optional(),
  observedGeneration: z.number().int().optional(),
});
export type StorageClusterStatus = z.infer<typeof StorageClusterStatus>;

export const StorageCluster = z.object({
  apiVersion: z.literal('holdfast.dev/v1alpha1'),
  kind: z.literal('StorageCluster'),
  metadata: ObjectMeta,
  spec: StorageClusterSpec,
  status: StorageClusterStatus.optional(),
});
export type StorageCluster = z.infer<typeof StorageCluster>;
