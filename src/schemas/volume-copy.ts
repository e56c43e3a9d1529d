/** VolumeCopy: the part of a volume's data that lives in one pool on one node (GlusterFS: a brick). */
import { z } from 'zod';
import { Condition, Label, ObjectMeta } from './common.ts';

export const VolumeCopySpec = z.strictObject({
  volume: Label,
  volumeUid: z.string(),
  node: Label,
  pool: Label,
  role: z.enum(['data', 'arbiter']),
  /** Place in the engine's order of bricks, from 0. */
  index: z.int().min(0),
  engine: z.enum(['gluster']),
  brick: z.enum(['image', 'directory']),
  sizeBytes: z.int().min(1),
  /** Set by the controller once the engine no longer uses the copy. Without it the agent deletes no data, whoever asks. */
  isReleased: z.boolean().optional(),
});
export type VolumeCopySpec = z.infer<typeof VolumeCopySpec>;

export const VolumeCopyStatus = z.object({
  state: z.enum(['Preparing', 'Ready', 'Syncing', 'Suspect', 'Lost', 'Deleting']),
  /** The directory that the engine serves. */
  path: z.string().optional(),
  message: z.string().optional(),
  /** Boot ID of the node when the state was observed. */
  bootId: z.string().optional(),
  conditions: z.array(Condition).optional(),
  observedGeneration: z.number().int().optional(),
});
export type VolumeCopyStatus = z.infer<typeof VolumeCopyStatus>;

export const VolumeCopy = z.object({
  apiVersion: z.literal('holdfast.dev/v1alpha1'),
  kind: z.literal('VolumeCopy'),
  metadata: ObjectMeta,
  spec: VolumeCopySpec,
  status: VolumeCopyStatus.optional(),
});
export type VolumeCopy = z.infer<typeof VolumeCopy>;
