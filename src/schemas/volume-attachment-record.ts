/** VolumeAttachmentRecord: a volume in use on a node. */
import { z } from 'zod';
import { ACCESS_MODES } from '../domain/csi/access.ts';
import { clientFault } from '../domain/nfs-export/clients.ts';
import { MAX_EXPORT_ID } from '../domain/nfs-export/export-id.ts';
import { SQUASHES } from '../domain/nfs-export/names.ts';
import { AbsolutePath, Label, NodeNameText } from './common.ts';
import { ObservedGeneration, ownKind } from './own-kind.ts';
import { VolumeProfile } from './volume.ts';

/** A volume that its node serves to machines that are no nodes, by NFSv4. */
export const NfsExport = z.strictObject({
  id: z
    .int()
    .min(1)
    .max(MAX_EXPORT_ID)
    .describe(
      'Number of the export, in every file handle of its clients: the same on each node that exports the volume.',
    ),
  clients: z
    .array(
      z.string().superRefine((text, context) => {
        const message = clientFault(text);
        if (message !== undefined) context.addIssue({ code: 'custom', message });
      }),
    )
    .min(1)
    .max(256)
    .describe('Who may mount it: IPv4 addresses and networks, such as 10.10.0.0/16.'),
  squash: z
    .enum(SQUASHES)
    .default('none')
    .describe("root: what a client's root does is done as the anonymous user; none: as root."),
  mayGoBeyond: z
    .boolean()
    .default(false)
    .describe('Serves it also to clients that may not mount the volume itself (allowFrom); else those are left out.'),
});
export type NfsExport = z.infer<typeof NfsExport>;

export const VolumeAttachmentRecordSpec = z.strictObject({
  volume: Label.describe('Volume to mount.'),
  node: NodeNameText.describe('Node to mount it on.'),
  mountPath: AbsolutePath.describe(
    'Folder on that node where it is mounted; with export, the path that NFS clients mount.',
  ),
  export: NfsExport.optional().describe(
    'Serves the volume by NFSv4 in place of mounting it on the node; gluster only.',
  ),
  mountOptions: z
    .array(z.string().max(64))
    .max(16)
    .optional()
    .describe('Engine local: flags for the mount, of nodev, nosuid, noexec, noatime, nodiratime and relatime.'),
  isReadOnly: z.boolean().default(false).describe('Mounts it without the right to write.'),
  accessMode: z
    .enum(ACCESS_MODES)
    .optional()
    .describe('How a CSI call published it, and how others may have it beside; left out for a mount that a plan made.'),
});
export type VolumeAttachmentRecordSpec = z.infer<typeof VolumeAttachmentRecordSpec>;

export const VolumeAttachmentRecordStatus = z.object({
  state: z
    .enum(['Waiting', 'Mounted', 'Failed', 'Unmounting', 'HeldBack'])
    .describe(
      'How far the mount is, as its node sees it. Mounted: of an export, served. HeldBack: it is away, and no attempt to mount is under way.',
    ),
  message: z.string().optional().describe('What is wrong or under way.'),
  address: z.string().optional().describe('Of an export: what its clients mount, such as 10.91.1.1:/gv0.'),
  engineName: z
    .string()
    .optional()
    .describe('What the engine calls the volume that was mounted, where that is not the name of the Volume.'),
  fence: z.string().optional().describe('With HeldBack: UID of the FenceRecord of the node for which it is away.'),
  profile: VolumeProfile.or(z.literal('none'))
    .optional()
    .describe("Profile of the volume whose options the mount was seen to have; none for the engine's defaults."),
  connectedCopies: z.int().min(0).optional().describe('Copies that this mount has a connection to at the moment.'),
  copies: z.int().min(0).optional().describe('Copies of the volume, as this mount knows it.'),
  nodesReadySince: z
    .record(z.string(), z.string())
    .optional()
    .describe(
      'For each node with a copy, lastTransitionTime of its condition Ready before the connections were counted. When a node has another one now, it has been away since, and the count says nothing about its copy any more.',
    ),
  bootId: z
    .string()
    .optional()
    .describe('Boot ID of the node when the mount was seen; another one means it must be made again.'),
  observedGeneration: ObservedGeneration,
});
export type VolumeAttachmentRecordStatus = z.infer<typeof VolumeAttachmentRecordStatus>;

export const VolumeAttachmentRecord = ownKind('VolumeAttachmentRecord', {
  spec: VolumeAttachmentRecordSpec,
  status: VolumeAttachmentRecordStatus,
}).describe('A volume in use on a node.');
export type VolumeAttachmentRecord = z.infer<typeof VolumeAttachmentRecord>;
