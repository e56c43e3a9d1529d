/** VolumeGroupSnapshotRecord: what several volumes held at one and the same moment. Each of its snapshots is a record too. */
import { z } from 'zod';
import { Label } from './common.ts';
import { ObservedGeneration, ownKind } from './own-kind.ts';

/** As many file systems as are frozen within the time that writers may be held up. */
export const MAX_GROUP_MEMBERS = 32;

export const SnapshotGroupMember = z.strictObject({
  volume: Label.describe('Volume to take a snapshot of.'),
  volumeUid: z.string().max(64).describe('UID of that volume.'),
  snapshot: Label.describe('Name of the VolumeSnapshotRecord that the controller makes for it.'),
});
export type SnapshotGroupMember = z.infer<typeof SnapshotGroupMember>;

export const VolumeGroupSnapshotRecordSpec = z.strictObject({
  members: z
    .array(SnapshotGroupMember)
    .min(1)
    .max(MAX_GROUP_MEMBERS)
    .describe('The volumes, all local to one node, each with the name of its snapshot.'),
});
export type VolumeGroupSnapshotRecordSpec = z.infer<typeof VolumeGroupSnapshotRecordSpec>;

export const SnapshotGroupImages = z.object({
  state: z
    .enum(['Taking', 'Taken', 'Failed'])
    .describe('How far the images are, all of them together. They are tried once: who died over them has failed.'),
  since: z.string().optional().describe('When the freeze began: what was acknowledged before is in every image.'),
  bytes: z
    .record(z.string(), z.int().min(0))
    .optional()
    .describe('By the name of the snapshot: bytes of the pool that its image refers to.'),
  message: z.string().optional().describe('Why they failed.'),
});
export type SnapshotGroupImages = z.infer<typeof SnapshotGroupImages>;

export const VolumeGroupSnapshotRecordStatus = z.object({
  phase: z
    .enum(['Pending', 'Freezing', 'Ready', 'Failed', 'Deleting'])
    .optional()
    .describe('Ready: every image is there and of the same moment. Failed: of no use; delete it and take another.'),
  message: z.string().optional().describe('What it waits for, or why it failed.'),
  node: z.string().optional().describe('Node of all the volumes, whose agent takes the images.'),
  deadline: z.string().optional().describe('When it has failed if the images are not taken by then.'),
  takenAt: z.string().optional().describe('Everything acknowledged before this moment is in every snapshot.'),
  images: SnapshotGroupImages.optional().describe('Written by the agent of the node.'),
  observedGeneration: ObservedGeneration,
});
export type VolumeGroupSnapshotRecordStatus = z.infer<typeof VolumeGroupSnapshotRecordStatus>;

export const VolumeGroupSnapshotRecord = ownKind('VolumeGroupSnapshotRecord', {
  spec: VolumeGroupSnapshotRecordSpec,
  status: VolumeGroupSnapshotRecordStatus,
}).describe('What several volumes held at one moment.');
export type VolumeGroupSnapshotRecord = z.infer<typeof VolumeGroupSnapshotRecord>;
