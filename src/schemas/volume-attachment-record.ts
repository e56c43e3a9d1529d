/** VolumeAttachmentRecord: a volume in use on a node. */
import { z } from 'zod';
import { AbsolutePath, Label, ObjectMeta } from './common.ts';

export const VolumeAttachmentRecordSpec = z.strictObject({
  volume: Label,
  node: Label,
  mountPath: AbsolutePath,
  isReadOnly: z.boolean().default(false),
});
export type VolumeAttachmentRecordSpec = z.infer<typeof VolumeAttachmentRecordSpec>;

export const VolumeAttachmentRecordStatus = z.object({
  state: z.enum(['Waiting', 'Mounted', 'Failed', 'Unmounting']),
  message: z.string().optional(),
  /** Boot ID of the node when the mount was seen; another one means it must be made again. */
  bootId: z.string().optional(),
  observedGeneration: z.number().int().optional(),
});
export type VolumeAttachmentRecordStatus = z.infer<typeof VolumeAttachmentRecordStatus>;

export const VolumeAttachmentRecord = z.object({
  apiVersion: z.literal('holdfast.dev/v1alpha1'),
  kind: z.literal('VolumeAttachmentRecord'),
  metadata: ObjectMeta,
  spec: VolumeAttachmentRecordSpec,
  status: VolumeAttachmentRecordStatus.optional(),
});
export type VolumeAttachmentRecord = z.infer<typeof VolumeAttachmentRecord>;
