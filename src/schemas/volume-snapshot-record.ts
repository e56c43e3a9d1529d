/** VolumeSnapshotRecord: what a volume held at one moment, kept beside its copies in the same pools. */
import { z } from 'zod';
import { Label } from './common.ts';
import { ObservedGeneration, ownKind } from './own-kind.ts';
import { VolumeSpec } from './volume.ts';

export const VolumeSnapshotRecordSpec = z.strictObject({
  volume: Label.describe('Volume to take the snapshot of.'),
  volumeUid: z.string().max(64).describe('UID of that volume; a later volume of the same name is another.'),
  group: z
    .strictObject({
      name: Label.describe('Name of the VolumeGroupSnapshotRecord.'),
      uid: z.string().max(64).describe('UID of that record.'),
    })
    .optional()
    .describe('The group that it is one of: taken with the others of it at one moment, and deleted with them.'),
});
export type VolumeSnapshotRecordSpec = z.infer<typeof VolumeSnapshotRecordSpec>;

export const SnapshotCopy = z.object({
  node: z.string().describe('Node that holds the image.'),
  pool: z.string().describe('Pool on that node.'),
  uid: z.string().describe('UID of the VolumeCopy whose image was taken; part of the path.'),
  role: z.enum(['data', 'arbiter']).describe('data, or arbiter (decides, holds no data).'),
  index: z.int().min(0).describe("Place in the engine's order of bricks, from 0."),
  sizeBytes: z.int().min(1).describe('Usable bytes of the copy.'),
  state: z
    .enum(['Waiting', 'Taking', 'Taken', 'Failed', 'Erased'])
    .describe(
      'How far the image is, as the agent of the node says. An image is tried once: who died over it has failed.',
    ),
  bytes: z
    .int()
    .min(0)
    .optional()
    .describe('Bytes of the pool that the image refers to, most of them shared with the copy.'),
  message: z.string().optional().describe('What went wrong with this image.'),
});
export type SnapshotCopy = z.infer<typeof SnapshotCopy>;

export const SnapshotBarrier = z.object({
  state: z
    .enum(['Raising', 'Up', 'Held', 'Failed'])
    .describe(
      'Raising: being asked for. Up: no write is acknowledged as safe. Held: taken away again, and it stood on every copy all the time. Failed: taken away, or fallen before.',
    ),
  processes: z.array(z.string()).optional().describe('The processes of the copies when it went up.'),
  since: z.string().optional().describe('When it was up on every copy.'),
  until: z.string().optional().describe('When it falls by itself, so that a dead node cannot stall writers.'),
  message: z.string().optional().describe('Why it failed.'),
});
export type SnapshotBarrier = z.infer<typeof SnapshotBarrier>;

export const VolumeSnapshotRecordStatus = z.object({
  phase: z
    .enum(['Pending', 'Freezing', 'Ready', 'Failed', 'Deleting'])
    .optional()
    .describe('Ready: usable. Failed: of no use, its images are erased; delete it and take another.'),
  message: z.string().optional().describe('What it waits for, or why it failed.'),
  volumeSpec: VolumeSpec.optional().describe('The volume as it was; a clone is made like it.'),
  sizeBytes: z.int().min(0).optional().describe('Usable bytes of the volume.'),
  takenAt: z.string().optional().describe('Everything acknowledged before this moment is in it.'),
  leader: z.string().optional().describe('Node whose agent raises and lowers the barrier: the anchor of the volume.'),
  deadline: z.string().optional().describe('When it has failed if it is not Ready by then.'),
  barrier: SnapshotBarrier.optional().describe('Written by the agent of the leader.'),
  copies: z
    .record(z.string(), SnapshotCopy)
    .optional()
    .describe(
      'By the name of the VolumeCopy: where its image is. state, bytes and message are written by the agent there.',
    ),
  observedGeneration: ObservedGeneration,
});
export type VolumeSnapshotRecordStatus = z.infer<typeof VolumeSnapshotRecordStatus>;

export const VolumeSnapshotRecord = ownKind('VolumeSnapshotRecord', {
  spec: VolumeSnapshotRecordSpec,
  status: VolumeSnapshotRecordStatus,
}).describe('What a volume held at one moment.');
export type VolumeSnapshotRecord = z.infer<typeof VolumeSnapshotRecord>;
