/**
 * What is proven of a fence. Pure.
 *
 * Invariant: it is held only when each copy of each volume that the node could write has shown, after the fence was asked
 * for, that the node is cut off from it (property: `judge-fence.prop.test.ts`). Left out are copies on the node itself where
 * they are too few to acknowledge a write: they may be away with the node.
 */
import type { FencedVolume, FenceRecord } from '../../schemas/fence-record.ts';
import type { PlacedCopy, Volume, VolumeFenceStatus } from '../../schemas/volume.ts';
import type { VolumeAttachmentRecord } from '../../schemas/volume-attachment-record.ts';
import { clientsBeyond } from '../nfs-export/clients.ts';
import { replicaSets } from '../volume/replica-sets.ts';

export interface SeenFence {
  readonly uid: string;
  readonly spec: FenceRecord['spec'];
  readonly volumes: readonly Volume[];
  /** Of all nodes. */
  readonly attachments: readonly VolumeAttachmentRecord[];
}

export interface FenceJudgement {
  readonly isHeld: boolean;
  readonly volumes: Readonly<Record<string, FencedVolume>>;
  /** One sentence. */
  readonly message: string;
}

/** Judges a fence from what the agents have reported. */
export function judgeFence(seen: SeenFence): FenceJudgement {
  const judged = seen.volumes.map((volume) => [volume.metadata.name ?? '', judgeVolume(seen, volume)] as const);
  const open = judged.filter(([, { state }]) => state === 'Waiting' || state === 'CannotBeFenced');
  const held = judged.filter(([, { state }]) => state === 'Held').length;
  const [first] = open.toSorted(([a], [b]) => (a < b ? -1 : 1));
  const others = open.length > 1 ? `, and of ${open.length - 1} more` : '';
  return {
    isHeld: first === undefined,
    volumes: Object.fromEntries(judged),
    message:
      first === undefined
        ? `${seen.spec.node} is cut off from ${held === 1 ? '1 volume' : `${held} volumes`}`
        : `not proven of volume ${first[0]}: ${first[1].message}${others}`,
  };
}

function judgeVolume(seen: SeenFence, volume: Volume): FencedVolume {
  switch (volume.spec.engine) {
    case 'local':
      return { state: 'NotNeeded', message: 'a local volume is used on the node of its copy only, and stays there' };
    case 'nfs':
      return judgeShare(seen, volume);
    case 'gluster':
      return judgeExports(seen, volume) ?? judgeCopies(seen, volume);
  }
}

/** By way of another node it would go on: the server there writes what its clients ask for. */
function judgeExports({ spec: { node, addresses }, attachments }: SeenFence, volume: Volume): FencedVolume | undefined {
  const way = attachments.find(({ spec }) => {
    if (spec.volume !== volume.metadata.name || spec.node === node || spec.isReadOnly) return false;
    const clients = spec.export?.clients;
    return clients !== undefined && addresses.some((address) => clientsBeyond([address], clients).length === 0);
  });
  if (way === undefined) return undefined;
  const message = `${way.spec.node} exports it by NFS to addresses that ${node} is among: export it anew without them`;
  return { state: 'CannotBeFenced', message };
}

/** Who serves the share does not obey Holdfast: only the node itself can say that it has let go of it. */
function judgeShare({ uid, spec, attachments }: SeenFence, volume: Volume): FencedVolume {
  const here = attachments.filter((record) => record.spec.node === spec.node && isOf(record, volume));
  if (here.length === 0) return { state: 'NotNeeded', message: `${spec.node} has not been given it` };
  if (here.every(({ status }) => status?.state === 'HeldBack' && status.fence === uid)) {
    return { state: 'Held', message: `the agent of ${spec.node} has unmounted it and mounts it no more` };
  }
  const message = `its file server ${volume.spec.share?.server ?? ''} is not Holdfast's: have it refuse ${spec.addresses.join(', ')}, or switch ${spec.node} off`;
  return { state: 'CannotBeFenced', message };
}

function isOf({ spec }: VolumeAttachmentRecord, { metadata }: Volume): boolean {
  return spec.volume === metadata.name;
}

function judgeCopies(seen: SeenFence, volume: Volume): FencedVolume {
  const engine = volume.status?.engine;
  const found = engine?.fences?.find((fence) => fence.fence === seen.uid);
  if (isUnmade(volume, found)) return { state: 'NotNeeded', message: 'nobody can use it yet' };
  if (engine?.state === 'Removed') return { state: 'NotNeeded', message: 'nobody can use it any more' };
  if (found?.isRefused === true) return judgeProof(seen, volume, found);
  return { state: 'Waiting', message: engine?.message ?? 'its anchor has not carried it out yet' };
}

/** The engine never held it. An anchor that knows of the fence starts no volume that does not refuse the node. */
function isUnmade({ status }: Volume, found: VolumeFenceStatus | undefined): boolean {
  if (status?.engine?.engineId !== undefined) return false;
  return found !== undefined || (status?.placement ?? []).length === 0;
}

/** Of a volume that is told to refuse the node. */
function judgeProof({ spec }: SeenFence, volume: Volume, found: VolumeFenceStatus): FencedVolume {
  const { engine, placement = [] } = volume.status ?? {};
  const leaving = (engine?.bricks ?? []).filter(({ copy }) => !isAmong(placement, copy));
  const members = [...placement, ...leaving];
  const needed = members.filter(({ node }) => node !== spec.node || canAcknowledgeAlone(volume, placement, spec.node));
  const proven = Object.fromEntries(Object.entries(found.copies).filter(([copy]) => isAmong(members, copy)));
  const missing = needed.filter(({ copy }) => proven[copy] === undefined).map(({ node }) => node);
  if (missing.length === 0) return { state: 'Held', message: 'each copy has cut it off', copies: proven };
  const why = found.message === undefined ? '' : ` (${found.message})`;
  const message = `the copy on ${missing.toSorted().join(', ')} has not shown that ${spec.node} is cut off${why}`;
  return { state: 'Waiting', message, copies: proven };
}

function isAmong(members: readonly { readonly copy: string }[], copy: string): boolean {
  return members.some((member) => member.copy === copy);
}

/**
 * Whether the copies on the node itself are enough to acknowledge a write, so that cut off from all others it could go on.
 * Of two copies the first is enough for GlusterFS, and of what others made nobody knows the quorum.
 */
function canAcknowledgeAlone({ spec }: Volume, placement: readonly PlacedCopy[], node: string): boolean {
  if (spec.adopted !== undefined && !spec.adopted.takesOptions) return true;
  return replicaSets(spec, placement).some(({ copies, quorum }) => {
    const own = copies.filter((copy) => copy.node === node).length;
    return own > 0 && (own >= quorum || copies.length < 3);
  });
}
