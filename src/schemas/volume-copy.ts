/** VolumeCopy: the part of a volume's data that lives in one pool on one node (GlusterFS: a brick). */
import { z } from 'zod';
import { BRICK_KINDS, COPY_ENGINES, FILE_SYSTEM_TYPES, IMAGE_ENCRYPTIONS } from '../domain/volume/engines.ts';
import { AbsolutePath, Condition, Label, NodeNameText } from './common.ts';
import { ObservedGeneration, ownKind } from './own-kind.ts';

export const VolumeCopySpec = z.strictObject({
  volume: Label.describe('Volume that the copy is part of.'),
  volumeUid: z.string().describe('UID of that volume; a later volume of the same name is another.'),
  node: NodeNameText.describe('Node that holds the copy.'),
  pool: Label.describe('Pool on that node.'),
  role: z.enum(['data', 'arbiter']).describe('data, or arbiter (decides, holds no data).'),
  index: z.int().min(0).describe("Place in the engine's order of bricks, from 0."),
  engine: z.enum(COPY_ENGINES).describe('Engine that uses the copy.'),
  fsType: z.enum(FILE_SYSTEM_TYPES).optional().describe('What its image is formatted with; xfs when left out.'),
  brick: z.enum(BRICK_KINDS).describe('How the copy is kept: image, directory or block.'),
  sizeBytes: z.int().min(1).describe('Usable bytes of the copy; raised by the controller when the volume grows.'),
  keySecret: z
    .string()
    .max(253)
    .optional()
    .describe('Secret with the key that the image is encrypted with; it is not encrypted when left out.'),
  thinProvision: z
    .boolean()
    .optional()
    .describe('True: its image is sparse, and discards take room out of it. Its room is reserved when left out.'),
  replacement: z
    .strictObject({
      reason: z
        .enum(['NodeLost', 'DiskLost', 'NodeRejoined', 'Requested'])
        .describe('Why: the node or the disk is gone for good, the node was installed anew, or a person wants it.'),
      node: NodeNameText.optional().describe('Node for the new copy; chosen like any other when left out.'),
    })
    .optional()
    .describe('A person asks that a new copy takes the place of this one; also when this one is gone for good.'),
  source: z
    .strictObject({
      snapshotUid: z.string().max(64).describe('UID of the VolumeSnapshotRecord.'),
      copyUid: z.string().max(64).describe('UID of the VolumeCopy whose image was taken.'),
    })
    .optional()
    .describe('Image in the same pool that the copy begins with; it begins empty when left out.'),
  adopted: z
    .strictObject({
      path: AbsolutePath.describe('The directory, as the engine knows it.'),
      engineId: z.uuid().describe('Identity of the volume that the directory must be marked with.'),
    })
    .optional()
    .describe('A directory that somebody else made: only looked at, never made, mounted or erased.'),
  isReleased: z
    .boolean()
    .optional()
    .describe(
      'Set by the controller once the engine no longer uses the copy. Without it the agent deletes no data, whoever asks.',
    ),
});
export type VolumeCopySpec = z.infer<typeof VolumeCopySpec>;

export const VolumeCopyStatus = z.object({
  state: z
    .enum(['Preparing', 'Ready', 'Syncing', 'Suspect', 'Lost', 'Deleting'])
    .describe('How far the copy is, as its node sees it.'),
  path: z.string().optional().describe('The directory that the engine serves.'),
  sizeBytes: z.int().optional().describe('Usable bytes that it was seen to have, of those asked for.'),
  capacityBytes: z.int().optional().describe('Size of the file system that an adopted directory lies in.'),
  encryption: z
    .enum(IMAGE_ENCRYPTIONS)
    .optional()
    .describe('What its image was seen to be encrypted with: luks2 (all of it) or fscrypt (the folder with the data).'),
  message: z.string().optional().describe('What is wrong or under way.'),
  bootId: z.string().optional().describe('Boot ID of the node when the state was observed.'),
  conditions: z.array(Condition).optional().describe('Details of the state.'),
  observedGeneration: ObservedGeneration,
});
export type VolumeCopyStatus = z.infer<typeof VolumeCopyStatus>;

export const VolumeCopy = ownKind('VolumeCopy', {
  spec: VolumeCopySpec,
  status: VolumeCopyStatus,
}).describe('The part of the data of a volume that lives in one pool on one node.');
export type VolumeCopy = z.infer<typeof VolumeCopy>;
