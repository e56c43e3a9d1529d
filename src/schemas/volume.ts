/** Volume: what a claim is bound to. */
import { z } from 'zod';
import { LOCALITIES } from '../domain/locality/locality.ts';
import { ENGINE_VOLUME_NAME } from '../domain/names.ts';
import { nfsOptionFaults } from '../domain/nfs/mount-options.ts';
import { exportFault, ON_DELETE, permissionsFault, serverFault } from '../domain/nfs/share.ts';
import { subDirFault } from '../domain/nfs/sub-dir.ts';
import { BRICK_KINDS, ENGINES, engineFaults, FILE_SYSTEM_TYPES } from '../domain/volume/engines.ts';
import { LAYOUTS, layoutFaults, MAX_DISPERSE_DATA, MAX_REPLICAS, MAX_SETS } from '../domain/volume/layout-faults.ts';
import { wantedCopies } from '../domain/volume/replica-sets.ts';
import { AbsolutePath, Condition, Label, NodeNameText, Size } from './common.ts';
import { ObservedGeneration, ownKind } from './own-kind.ts';

export const Layout = z.enum(LAYOUTS);
export type Layout = z.infer<typeof Layout>;

/** What a volume is used for; decides options of the engine and of mounts. */
export const VolumeProfile = z.enum(['database', 'shared', 'large-files']);
export type VolumeProfile = z.infer<typeof VolumeProfile>;

/** Any name or address that an engine may know a machine by. */
const EngineHost = z
  .string()
  .regex(/^[A-Za-z0-9_](?:[A-Za-z0-9._:-]{0,251}[A-Za-z0-9_])?$/, 'must be a host name or an address');

/** A volume that somebody else made in the engine, and that Holdfast looks after: nothing of it is ever made or erased. */
export const Adopted = z.strictObject({
  engineId: z.uuid().describe('Identity that the engine gave the volume; one with any other is not touched.'),
  engineName: z
    .string()
    .regex(ENGINE_VOLUME_NAME, 'must be a name that GlusterFS takes for volumes')
    .optional()
    .describe('What the engine calls the volume, where that is not the name of the Volume.'),
  bricks: z
    .array(
      z.strictObject({
        node: NodeNameText.describe('Node that it is on.'),
        path: AbsolutePath.describe('The directory there.'),
        host: EngineHost.optional().describe(
          'What the engine calls the machine in this brick, where that is not the name of the node.',
        ),
      }),
    )
    .min(1)
    .max(MAX_SETS * MAX_REPLICAS)
    .describe("The directories that it is made of, in the engine's order. A volume made of others is not touched."),
  limit: Size.optional().describe(
    'The limit that the engine enforced when it was taken over; without one it cannot grow through Holdfast.',
  ),
  takesOptions: z
    .boolean()
    .optional()
    .describe("True gives it the safety options of Holdfast's own volumes; left out it keeps its own."),
  isRemovedFromEngine: z
    .boolean()
    .optional()
    .describe(
      'True: deleting the Volume also deletes it in the engine. Left out it is only forgotten. Its directories stay either way.',
    ),
});
export type Adopted = z.infer<typeof Adopted>;

/** A text that a rule of the domain finds nothing wrong with. */
const checked = (fault: (text: string) => string | undefined) =>
  z.string().superRefine((text, context) => {
    const message = fault(text);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });

/** What of a file server is the volume. */
export const Share = z.strictObject({
  server: checked(serverFault).describe('Name or address of the file server.'),
  path: checked(exportFault).describe('What it exports, such as /export.'),
  subDir: checked(subDirFault)
    .optional()
    .describe(
      'Folder of the export that is the volume, such as team-a/db; the whole of it, of which nothing is ever deleted, when left out.',
    ),
  onDelete: z
    .enum(ON_DELETE)
    .optional()
    .describe(
      'What becomes of the folder with the volume: delete (the default), retain (left as it is) or archive (renamed to archived-NAME).',
    ),
  permissions: checked(permissionsFault)
    .optional()
    .describe('Octal mode that the folder is made with, such as 0777. Default 0755.'),
  mountOptions: z
    .array(z.string().max(64))
    .max(32)
    .superRefine((options, context) => {
      for (const message of nfsOptionFaults(options)) context.addIssue({ code: 'custom', message });
    })
    .optional()
    .describe('Options of mount.nfs, such as nfsvers=4.1. Left out, client and server agree on a version.'),
});
export type Share = z.infer<typeof Share>;

const restoreWish = {
  snapshot: Label.describe('VolumeSnapshotRecord of this volume that it is to hold again.'),
  snapshotUid: z.string().max(64).describe('UID of that snapshot; a later one of the same name is another.'),
  safetySnapshot: Label.describe(
    'Name for the snapshot that is taken of the present state before; there may be none of that name. Another name asks anew, also for the same snapshot.',
  ),
} as const;

/** A wish to have a volume hold again what it held when a snapshot was taken. */
export const RestoreWish = z.strictObject(restoreWish);
export type RestoreWish = z.infer<typeof RestoreWish>;

export const VolumeSpec = z
  .strictObject({
    size: Size.describe('Usable size of the volume, such as 10Gi. It can grow later, and never shrink.'),
    engine: z
      .enum(ENGINES)
      .default('gluster')
      .describe(
        'What stores and serves the data: gluster (copies on several nodes, usable on every node), local (one copy, usable on its node only) or nfs (a share of a file server, usable on every node).',
      ),
    layout: Layout.default('replicated').describe(
      'How copies make the volume: single (one copy, no redundancy), replicated (each copy holds everything), arbiter (two copies and a third that only decides), dispersed (each copy holds a coded fragment; some may be lost), distributed (each file on one copy, no redundancy), distributed-replicated, distributed-dispersed (files spread over several sets of copies).',
    ),
    replicas: z
      .int()
      .min(1)
      .max(MAX_REPLICAS)
      .optional()
      .describe('Copies that hold data, of each set: 1 for single, 2 for arbiter, 2 or 3 and more for replicated.'),
    distribution: z
      .int()
      .min(1)
      .max(MAX_SETS)
      .optional()
      .describe('Sets of copies that files are spread over: 2 and more for the distributed layouts, any for arbiter.'),
    disperseData: z
      .int()
      .min(2)
      .max(MAX_DISPERSE_DATA)
      .optional()
      .describe('Dispersed layouts: fragments of each set that are needed to read the data. Default 2.'),
    redundancy: z
      .int()
      .min(1)
      .max(MAX_DISPERSE_DATA - 1)
      .optional()
      .describe('Dispersed layouts: fragments of each set that may be lost; less than disperseData. Default 1.'),
    shard: z
      .union([z.boolean(), z.string().max(20)])
      .optional()
      .describe(
        'Cut large files into pieces that are spread over the sets: true, or the size of a piece such as 64Mi. It cannot be changed later.',
      ),
    profile: VolumeProfile.optional().describe(
      "What it is used for: database (one writer that does its own caching), shared (several nodes use the same files, and ask the copies at each look) or large-files (files in pieces, from its creation on); the engine's defaults when left out.",
    ),
    pool: Label.default('default').describe('Name of the pool on each node that copies are placed in.'),
    brick: z
      .enum(BRICK_KINDS)
      .default('image')
      .describe(
        'How a copy is kept: image (a file system image with a real size limit), directory (a plain folder of the pool) or, for engine local, block (an image without a file system, used as a device).',
      ),
    fsType: z
      .enum(FILE_SYSTEM_TYPES)
      .optional()
      .describe('Engine local, brick image: what the image is formatted with. Default xfs.'),
    encryption: z
      .boolean()
      .optional()
      .describe(
        'True encrypts what is in the copies, and the names of files, with a key of its own: brick image or block. It cannot be changed later.',
      ),
    keyIsGiven: z
      .boolean()
      .optional()
      .describe(
        'True where whoever makes the encrypted volume writes its Secret too: the controller makes no key, and waits for that one.',
      ),
    thinProvision: z
      .boolean()
      .optional()
      .describe(
        'Engine local, brick image or block: true reserves no room, and gives back what is deleted or discarded. Placement counts the whole size all the same. It cannot be changed later.',
      ),
    nodes: z
      .array(NodeNameText)
      .min(1)
      .max(1000)
      .optional()
      .describe('Nodes that copies may be placed on; all when left out.'),
    zones: z.array(Label).max(64).optional().describe('Zones that copies may be placed in; all when left out.'),
    locality: z
      .enum(LOCALITIES)
      .optional()
      .describe(
        'Where the scheduler asks Holdfast: preferred leads pods that use the volume to nodes with a copy, strict lets them run nowhere else. A pod can say it too. Default preferred.',
      ),
    allowFrom: z
      .array(z.string().max(64))
      .max(256)
      .optional()
      .describe('Clients that may mount: addresses, whole-octet wildcards (10.10.*.*) or CIDR. The nodes always may.'),
    allowSplitBrain: z
      .boolean()
      .optional()
      .describe(
        'Two plain replicas go on each by itself when their nodes lose each other, without any quorum, and can diverge; refused unless this says it in so many words.',
      ),
    share: Share.optional().describe('Engine nfs: the share that the volume is, or a folder of it.'),
    source: z
      .strictObject({
        snapshot: Label.describe('VolumeSnapshotRecord that the volume begins with.'),
        snapshotUid: z.string().max(64).describe('UID of that snapshot; a later one of the same name is another.'),
      })
      .optional()
      .describe('Makes the volume a clone: copies where those of the snapshot are, of the same size and layout.'),
    restoreFrom: RestoreWish.optional().describe(
      'Puts a snapshot in the place of what the volume holds, once it is mounted nowhere. What it held is kept as a snapshot. Left in place it does nothing more.',
    ),
    adopted: Adopted.optional().describe('Takes over a volume that exists in the engine, instead of making one.'),
  })
  .superRefine((spec, context) => {
    const faults: readonly { readonly field: string; readonly message: string }[] = layoutFaults(spec);
    for (const { field, message } of [...faults, ...engineFaults(spec)])
      context.addIssue({ code: 'custom', path: [field], message });
    if (spec.keyIsGiven === true && spec.encryption !== true)
      context.addIssue({ code: 'custom', path: ['keyIsGiven'], message: 'goes with encryption only' });
    if (spec.adopted === undefined || faults.length > 0) return;
    const { bricks } = spec.adopted;
    const refuse = (field: string, message: string) => context.addIssue({ code: 'custom', path: [field], message });
    if (spec.brick !== 'directory') refuse('brick', 'must be directory for an adopted volume');
    if (spec.source !== undefined) refuse('source', 'an adopted volume begins with what it has');
    const copies = wantedCopies(spec).length;
    if (bricks.length !== copies) refuse('adopted', `has ${bricks.length} bricks; its layout has ${copies} copies`);
  });
export type VolumeSpec = z.infer<typeof VolumeSpec>;

export const PlacedCopy = z.object({
  copy: z.string().describe('Name of the VolumeCopy.'),
  node: z.string().describe('Node that holds the copy.'),
  pool: z.string().describe('Pool on that node.'),
  role: z.enum(['data', 'arbiter']).describe('data, or arbiter (decides, holds no data).'),
  set: z
    .number()
    .int()
    .optional()
    .describe('Set of copies that it belongs to, from 0; left out where the volume has one set.'),
  replaces: z
    .string()
    .optional()
    .describe('Name of the VolumeCopy whose place it takes; kept until this one holds everything.'),
  imageOf: z
    .string()
    .optional()
    .describe('UID of the copy in the snapshot whose image it begins with; left out where it begins empty.'),
  isJoining: z.boolean().optional().describe('True until the engine has added it and it holds everything.'),
  isLeaving: z.boolean().optional().describe('True until the engine has taken it out.'),
  isWithdrawn: z
    .boolean()
    .optional()
    .describe(
      'True where the engine is not asked for this change any more: the new copy cannot come, or the old one cannot go, because a node or a disk was lost meanwhile.',
    ),
  isStaying: z
    .boolean()
    .optional()
    .describe('True for a withdrawn isLeaving once the engine was seen to have the copy still; one more look ends it.'),
  witnesses: z
    .record(z.string(), z.string())
    .optional()
    .describe(
      'Boot IDs of the other nodes of the set when the change began: one of them must still be up when it ends, or what the engine noted down about the new copy may be lost.',
    ),
});
export type PlacedCopy = z.infer<typeof PlacedCopy>;

export const BrickStatus = z.object({
  copy: z.string().describe('Name of the VolumeCopy.'),
  node: z.string().describe('Node that holds the copy.'),
  isOnline: z.boolean().describe('The engine says that its process runs.'),
  isReadable: z.boolean().describe('The engine could read it just now.'),
  nodeReadySince: z
    .string()
    .optional()
    .describe(
      'lastTransitionTime of the condition Ready of the node before the brick was looked at. When the node has another one now, it has been away since, and this says nothing about the brick any more.',
    ),
  pendingHeals: z.number().int().optional().describe('Entries that are not yet the same on all copies.'),
  splitBrainEntries: z.number().int().optional().describe('Entries that differ with no way to tell which is right.'),
});

export type BrickStatus = z.infer<typeof BrickStatus>;

/** What the agent of the anchor saw of a fenced node at the copies of a volume. */
export const VolumeFenceStatus = z.object({
  fence: z.string().describe('UID of the FenceRecord: what is said here was looked at after that was written.'),
  node: z.string().describe('Node that is fenced.'),
  isRefused: z.boolean().describe('The engine is told to refuse each of its addresses.'),
  copies: z
    .record(z.string(), z.string())
    .describe(
      'By the name of the VolumeCopy: since when it was seen to have no connection of the node, and nothing left of what the node had asked before.',
    ),
  message: z.string().optional().describe('What is missing for the proof.'),
});
export type VolumeFenceStatus = z.infer<typeof VolumeFenceStatus>;

/** Written by the agent of the anchor node. */
export const VolumeEngineStatus = z.object({
  observedBy: z.string().describe('Node whose agent wrote this.'),
  epoch: z.number().int().describe('Epoch of the anchor when this was observed.'),
  state: z
    .enum(['Absent', 'Created', 'Started', 'Stopped', 'Removed'])
    .describe('Removed: an agent that knew of the deletion has seen that the engine holds the volume no more.'),
  engineId: z.string().optional().describe('Identity that the engine gave the volume.'),
  limitBytes: z.number().int().optional().describe('The limit that the engine itself enforces; none for image copies.'),
  capacityBytes: z.number().int().optional().describe('Engine nfs: size of the file system behind the share.'),
  freeBytes: z.number().int().optional().describe('Engine nfs: what was free there, for all who use the share.'),
  profile: VolumeProfile.or(z.literal('none'))
    .optional()
    .describe('Profile whose options hold in the engine; none for its defaults.'),
  bricks: z.array(BrickStatus).default([]).describe('Each copy as the engine sees it.'),
  members: z
    .array(z.string())
    .optional()
    .describe('What the engine itself says the volume is made of, in its order, as NODE:PATH.'),
  lacks: z
    .array(z.string())
    .optional()
    .describe("Safety options of Holdfast's own volumes that an adopted one does not have, as OPTION VALUE."),
  refused: z.array(z.string()).optional().describe('Addresses that the engine was seen to refuse.'),
  fences: z
    .array(VolumeFenceStatus)
    .optional()
    .describe('Of each fenced node: the proof that it cannot write this volume.'),
  message: z.string().optional().describe('What is wrong or under way.'),
});
export type VolumeEngineStatus = z.infer<typeof VolumeEngineStatus>;

export const RestoreStatus = z.object({
  ...restoreWish,
  phase: z
    .enum(['Waiting', 'Closing', 'Saving', 'Removing', 'Starting', 'Done', 'Failed'])
    .describe(
      'Waiting: not begun. Closing: nobody may mount it any more. Saving: its new copies and the safety snapshot are made. Removing: the engine lets go of the old copies. Starting: it is made of the new ones. Failed: it is as it was.',
    ),
  message: z.string().describe('What it waits for, or why it failed.'),
  placement: z.array(PlacedCopy).optional().describe('The new copies, until the volume is made of them.'),
});
export type RestoreStatus = z.infer<typeof RestoreStatus>;

export const VolumeStatus = z.object({
  phase: z
    .enum(['Pending', 'Creating', 'Ready', 'Degraded', 'Unavailable', 'Deleting'])
    .optional()
    .describe('The state in one word, for lists; the conditions say more.'),
  placement: z.array(PlacedCopy).optional().describe('Where the copies are.'),
  grantedSize: z
    .string()
    .optional()
    .describe(
      'Size that there is room for; the copies are made, or grown, to it. Less than spec.size while that finds no room.',
    ),
  size: z.string().optional().describe('Usable size that holds now: every copy has it.'),
  anchor: z.string().optional().describe('Member node whose agent runs the volume-wide engine steps.'),
  epoch: z
    .number()
    .int()
    .optional()
    .describe('Raised by one whenever the anchor moves; an agent with an older epoch stops.'),
  engine: VolumeEngineStatus.optional().describe('What the agent of the anchor sees in the engine.'),
  restore: RestoreStatus.optional().describe('How far the latest restoration is.'),
  keyNodes: z
    .array(z.string())
    .optional()
    .describe('Of an encrypted volume: nodes whose agents may read its key, since they keep or make a copy.'),
  reasons: z
    .array(z.string())
    .optional()
    .describe('Why placement chose or rejected each pool when it last looked at the whole volume, one line each.'),
  conditions: z
    .array(Condition)
    .optional()
    .describe('Ready (usable) and Redundant (a copy can be lost), with reasons.'),
  observedGeneration: ObservedGeneration,
});
export type VolumeStatus = z.infer<typeof VolumeStatus>;

export const Volume = ownKind('Volume', {
  spec: VolumeSpec,
  status: VolumeStatus,
}).describe('Storage that pods or hosts mount, kept in copies on several nodes.');
export type Volume = z.infer<typeof Volume>;
