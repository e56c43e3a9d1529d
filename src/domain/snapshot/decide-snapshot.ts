/**
 * What the controller does about one VolumeSnapshotRecord. Pure: the same input always gives the same decision.
 *
 * Pending (also while something passes that is in the way), Freezing (the anchor's agent raises the barrier, then each copy's agent takes its image, then the barrier is
 * lowered), Ready or Failed. Ready is said only of a record in which the barrier was seen Held: the one who lowered it had
 * read before that every image was taken, and each was taken by somebody who had read that it was up.
 */
import type { Volume } from '../../schemas/volume.ts';
import type { VolumeCopy } from '../../schemas/volume-copy.ts';
import type {
  SnapshotBarrier,
  SnapshotCopy,
  VolumeSnapshotRecordStatus,
} from '../../schemas/volume-snapshot-record.ts';
import { kubernetesTime } from '../kubernetes-time.ts';
import { copySizes } from '../volume/copy-size.ts';
import { grantedSize } from '../volume/granted-sizes.ts';
import { followGroup, groupFailure, isHeldByGroup, type SeenGroup } from './decide-group-member.ts';
import { canBeFrozen, lastingFaults, type SnapshotFault } from './snapshot-faults.ts';

/** The barrier falls by itself after so long; longer than reflinks take, short enough for a writer to wait. */
export const BARRIER_SECONDS = 10;
/** Asking for the barrier waits behind other commands about the volume, such as a look at what is to heal. */
const FREEZE_DEADLINE_MS = 60_000;
/** Heals of what was written last, and other things that end by themselves, take seconds. */
const PASSING_FAULTS_MS = 60_000;

export interface SeenSnapshot {
  readonly isDeleting: boolean;
  readonly status: VolumeSnapshotRecordStatus;
  /** The volume that it is of; undefined when that is gone. */
  readonly volume: Volume | undefined;
  /** Copies of all volumes. */
  readonly copies: readonly VolumeCopy[];
  /** Asked only before anything is done. */
  readonly faults: () => readonly SnapshotFault[];
  /** When it was asked for, in milliseconds since the epoch. */
  readonly askedAt: number;
  /** Names of the nodes that there are; what is on another is gone with it. */
  readonly nodes: ReadonlySet<string>;
  readonly usableNodes: ReadonlySet<string>;
  /** Volumes that are being made from it. */
  readonly clonesInMaking: readonly string[];
  /** Of one that is of a group: that, as it is now. */
  readonly member?: { readonly group: SeenGroup };
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface SnapshotDecision {
  /** Fields to set; those left out stay. */
  readonly status: VolumeSnapshotRecordStatus;
  /** Nothing is left of it: its finalizer can go. */
  readonly isGone: boolean;
  readonly requeueAfterMs?: number;
}

/** Decides the next step for one snapshot; apply it on the very record it was decided for, and call again. */
export function decideSnapshot(seen: SeenSnapshot): SnapshotDecision {
  return (seen.isDeleting ? decideGoing(seen) : undefined) ?? decidePhase(seen);
}

/** Of one that is to be deleted; undefined for one of a group that is being taken just now, which is ended first. */
function decideGoing(seen: SeenSnapshot): SnapshotDecision | undefined {
  const group = seen.member?.group;
  if (!isHeldByGroup(group)) return decideDeletion(seen);
  if (seen.status.phase === 'Freezing') return undefined;
  return change({ message: `to be deleted with group ${group?.metadata.name}: delete that` });
}

function decidePhase(seen: SeenSnapshot): SnapshotDecision {
  switch (seen.status.phase) {
    case undefined:
    case 'Pending':
      return begin(seen);
    case 'Freezing':
      return judge(seen);
    case 'Failed':
      return change({ ...moveLeader(seen) });
    case 'Ready':
    case 'Deleting':
      return change({});
  }
}

function begin(seen: SeenSnapshot): SnapshotDecision {
  const { volume, member } = seen;
  const failure = member === undefined ? undefined : groupFailure(member.group);
  if (failure !== undefined) return fail(failure);
  if (volume === undefined) return fail('the volume is not there');
  const faults = seen.faults();
  if (faults.length > 0) return refuseOrWait(seen, volume, faults);
  const leader = volume.status?.anchor;
  if (leader === undefined) return fail('the volume has no anchor');
  if (member !== undefined && !canBeFrozen(volume))
    return fail(`${volume.metadata.name} is no local volume with a file system of its own`);
  const { source: _source, restoreFrom: _wish, ...spec } = volume.spec;
  const size = grantedSize(volume);
  const deadline = seen.now + FREEZE_DEADLINE_MS;
  return {
    ...change({
      phase: 'Freezing',
      ...(member === undefined
        ? { message: `${leader} raises the barrier`, leader, deadline: kubernetesTime(deadline) }
        : { message: 'waits for the others of its group' }),
      volumeSpec: { ...spec, size },
      sizeBytes: copySizes({ ...spec, size }).data,
      copies: intendedCopies(volume, seen.copies),
    }),
    requeueAfterMs: FREEZE_DEADLINE_MS,
  };
}

/** What ends by itself is waited for, but not for long: who asked wants the volume as it is about now. */
function refuseOrWait(seen: SeenSnapshot, volume: Volume, faults: readonly SnapshotFault[]): SnapshotDecision {
  const left = lastingFaults(faults);
  const waitMs = seen.askedAt + PASSING_FAULTS_MS - seen.now;
  if (left.length === 0 && waitMs > 0) {
    return { ...change({ phase: 'Pending', message: `waits: ${describe(faults)}` }), requeueAfterMs: waitMs };
  }
  const what = `no snapshot of volume ${volume.metadata.name} can be taken`;
  const since = left.length > 0 ? '' : ` within ${PASSING_FAULTS_MS / 1000} s`;
  return fail(`${what}${since}: ${describe(left.length > 0 ? left : faults)}`);
}

function describe([first, ...more]: readonly SnapshotFault[]): string {
  return `${first?.message}${more.length === 0 ? '' : `; and ${more.length} more`}`;
}

function intendedCopies(volume: Volume, copies: readonly VolumeCopy[]): Record<string, SnapshotCopy> {
  const placed = (volume.status?.placement ?? []).map(({ copy, node, pool, role }, index) => {
    const found = copies.find((each) => each.metadata.name === copy);
    const { uid = '' } = found?.metadata ?? {};
    const sizeBytes = found?.spec.sizeBytes ?? 1;
    return [copy, { node, pool, uid, role, index, sizeBytes, state: 'Waiting' as const }] as const;
  });
  return Object.fromEntries(placed);
}

function judge({ status, now, member }: SeenSnapshot): SnapshotDecision {
  if (member !== undefined) return change(followGroup(member.group, status));
  const { barrier, copies = {}, deadline } = status;
  const images = Object.values(copies);
  if (barrier?.state === 'Failed') return fail(describeFailure(barrier, images));
  const missing = images.filter((image) => image.state !== 'Taken').map((image) => image.node);
  if (barrier?.state === 'Held' && missing.length === 0) {
    const { since } = barrier;
    const message = `${images.length} images taken`;
    return change({ phase: 'Ready', message, ...(since === undefined ? {} : { takenAt: since }) });
  }
  const leftMs = deadline === undefined ? 0 : Date.parse(deadline) - now;
  return leftMs > 0 ? { ...change({}), requeueAfterMs: leftMs } : fail(describeOverdue(missing));
}

function describeFailure({ message }: SnapshotBarrier, images: readonly SnapshotCopy[]): string {
  const failed = images.find((image) => image.state === 'Failed');
  return failed?.message ?? message ?? 'the barrier fell';
}

function describeOverdue(missing: readonly string[]): string {
  const which = missing.length === 0 ? '' : `; no image from ${missing.toSorted().join(', ')}`;
  return `it was not finished in time${which}`;
}

/** A barrier that a lost leader has left up falls by itself, but GlusterFS would raise it again on a brick started anew. */
function moveLeader({ status, volume, usableNodes }: SeenSnapshot): VolumeSnapshotRecordStatus {
  const { leader, barrier } = status;
  const anchor = volume?.status?.anchor;
  const isUnsettled = barrier?.state === 'Raising' || barrier?.state === 'Up';
  if (!isUnsettled || anchor === undefined || leader === anchor) return {};
  return leader !== undefined && usableNodes.has(leader) ? {} : { leader: anchor };
}

function decideDeletion(seen: SeenSnapshot): SnapshotDecision {
  const { status, clonesInMaking } = seen;
  if (status.phase === 'Deleting') return awaitErasure(seen);
  if (clonesInMaking.length > 0) {
    return change({ message: `to be deleted when it is no longer needed for ${clonesInMaking.join(', ')}` });
  }
  return change({ phase: 'Deleting', message: 'its images are being erased' });
}

function awaitErasure(seen: SeenSnapshot): SnapshotDecision {
  const { status, nodes, usableNodes, volume } = seen;
  const left = Object.values(status.copies ?? {}).filter((copy) => copy.state !== 'Erased' && nodes.has(copy.node));
  if (left.length > 0) {
    const where = left.map(({ node }) => `${node}${usableNodes.has(node) ? '' : ' (not reachable)'}`);
    const message = `waits for the images on ${where.toSorted().join(', ')} to be erased`;
    return change({ ...moveLeader(seen), message });
  }
  const isUp = status.barrier?.state === 'Raising' || status.barrier?.state === 'Up';
  if (!isUp || volume === undefined) return { status: {}, isGone: true };
  return change({ ...moveLeader(seen), message: `waits for ${status.leader ?? 'the anchor'} to lower the barrier` });
}

function fail(message: string): SnapshotDecision {
  return change({ phase: 'Failed', message });
}

function change(status: VolumeSnapshotRecordStatus): SnapshotDecision {
  return { status, isGone: false };
}
