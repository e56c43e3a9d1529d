/**
 * What the controller does about a volume that is a share of a file server. Pure. It has no copies: any node that can mount NFS
 * looks after it, and is its anchor for that.
 *
 * Invariant: a volume that an agent was ever told of goes only when an agent that knew of the deletion has said that nothing of
 * it is left to take away (property: decide-share.prop.test.ts).
 */

import type { VolumeSpec, VolumeStatus } from '../../schemas/volume.ts';
import { formatQuantity } from '../bytes.ts';
import { type Claim, claim } from '../claim.ts';
import { mountSource } from '../nfs/share.ts';
import type { SeenVolume, VolumeDecision } from './decide-volume.ts';
import { notReady } from './judge-health.ts';

export interface SeenShare {
  /** For people: "files:/export/db". */
  readonly source: string;
  /** As it was asked for; no file server keeps to it. */
  readonly size: string;
  /** The whole of the export: its size is that of the file system behind it. */
  readonly isWhole: boolean;
  /** Nodes that may look after it; all when left out. */
  readonly nodes?: readonly string[] | undefined;
}

/** What of a Volume says that it is a share; undefined where it is none. */
export function seeShare({ share, size, nodes }: Pick<VolumeSpec, 'share' | 'size' | 'nodes'>): SeenShare | undefined {
  if (share === undefined) return undefined;
  return { source: mountSource(share), size, isWhole: share.subDir === undefined, nodes };
}

type Decision = Pick<VolumeDecision, 'status' | 'claims' | 'isGone'>;

/** Decides the next step for one share. */
export function decideShare(seen: SeenVolume, share: SeenShare): Decision {
  const anchored = moveAnchor(seen, share);
  if (seen.isDeleting) return decideDeletion(seen, anchored);
  if (anchored.anchor === undefined) {
    return { status: { phase: 'Pending' }, claims: notReady('NoNfsClient', noNfsClient(share.nodes)), isGone: false };
  }
  return { ...judge(seen, share, anchored), isGone: false };
}

/** The sentence about a share that no node can mount; `nodes` are those that may look after it, all when left out. */
export function noNfsClient(nodes?: readonly string[]): string {
  const which = nodes === undefined ? '' : `of ${nodes.join(', ')} `;
  return `no node ${which}can mount NFS now: it needs a kernel with the module nfs, and mount.nfs (package nfs-common)`;
}

type Anchored = VolumeDecision['status'];

/** Keeps the anchor while its node is usable; else names another and raises the epoch. */
function moveAnchor({ status, usableNodes }: SeenVolume, { nodes }: SeenShare): Anchored {
  const { anchor, epoch = 0 } = status;
  const may = (node: string) => usableNodes.has(node) && (nodes === undefined || nodes.includes(node));
  if (anchor !== undefined && may(anchor)) return { anchor, epoch, placement: [] };
  const next = [...usableNodes.keys()].toSorted().find(may);
  if (next !== undefined) return { anchor: next, epoch: epoch + 1, placement: [] };
  return anchor === undefined ? {} : { anchor, epoch, placement: [] };
}

function judge(seen: SeenVolume, share: SeenShare, anchored: Anchored): Pick<Decision, 'status' | 'claims'> {
  const { engine } = seen.status;
  const anchor = anchored.anchor ?? '';
  if (engine?.state !== 'Started') return judgeUnserved(engine, share, anchored);
  if (!seen.usableNodes.has(anchor))
    return { status: { ...anchored, phase: 'Degraded' }, claims: [unwatched(anchor), kept(share)] };
  if (engine.message !== undefined) {
    const claims = notReady('ShareSilent', `${anchor}: ${engine.message}`);
    return { status: { ...anchored, phase: 'Unavailable' }, claims };
  }
  const size = share.isWhole && engine.capacityBytes !== undefined ? formatQuantity(engine.capacityBytes) : share.size;
  const ready = claim('Ready', 'True', 'ShareAnswers', `${share.source} answers ${anchor}`);
  return { status: { ...anchored, phase: 'Ready', grantedSize: share.size, size }, claims: [ready, kept(share)] };
}

function judgeUnserved(
  engine: VolumeStatus['engine'],
  { source }: SeenShare,
  anchored: Anchored,
): Pick<Decision, 'status' | 'claims'> {
  const isLost = engine?.engineId !== undefined;
  const message = engine?.message ?? `waits for ${anchored.anchor} to look at ${source}`;
  const claims = notReady(isLost ? 'FolderLost' : 'LookingAtShare', message);
  return { status: { ...anchored, phase: isLost ? 'Unavailable' : 'Creating' }, claims };
}

/** Mounts go on without anybody who looks after the volume. */
function unwatched(anchor: string): Claim {
  return claim(
    'Ready',
    'Unknown',
    'NodeAway',
    `${anchor}, which looked at the share, is away, and no other node can mount NFS`,
  );
}

function kept({ source, size, isWhole }: SeenShare): Claim {
  const limit = isWhole ? 'it has what the server gives' : `its size of ${size} is enforced by nobody`;
  return claim('Redundant', 'Unknown', 'KeptByServer', `${source} is kept by its file server alone; ${limit}`);
}

function decideDeletion(seen: SeenVolume, anchored: Anchored): Decision {
  if (seen.attachments.length > 0) {
    const where = seen.attachments.map((attachment) => attachment.node).toSorted();
    const message = `to be deleted, but mounted on ${where.join(', ')}; it goes when the last mount does`;
    return { status: anchored, claims: [claim('Ready', 'False', 'InUse', message)], isGone: false };
  }
  const status = { ...anchored, phase: 'Deleting' } as const;
  const { anchor: told, engine } = seen.status;
  // Never given to any agent: nothing can have been made.
  if (told === undefined || (seen.status.phase === 'Deleting' && engine?.state === 'Removed')) {
    return { status, claims: [], isGone: true };
  }
  const message = engine?.message ?? `waits for ${anchored.anchor ?? 'a node'} to take its folder away, or to leave it`;
  return { status, claims: notReady('RemovingFolder', message), isGone: false };
}
