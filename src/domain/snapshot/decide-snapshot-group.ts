/**
 * What the controller does about one VolumeGroupSnapshotRecord. Pure: the same input always gives the same decision.
 *
 * Pending (the controller makes a VolumeSnapshotRecord for each volume, and each of these is looked at as any other is),
 * Freezing (all of them can begin: the agent of the node freezes all file systems, takes all images, and thaws), Ready or
 * Failed. The phase has one writer, and every snapshot of the group follows it: so all of them are Ready, or none.
 */
import type {
  VolumeGroupSnapshotRecord,
  VolumeGroupSnapshotRecordStatus,
} from '../../schemas/volume-group-snapshot-record.ts';
import type { VolumeSnapshotRecord } from '../../schemas/volume-snapshot-record.ts';
import { kubernetesTime } from '../kubernetes-time.ts';

/** The agent takes seconds, and waits for no other node. */
const FREEZE_DEADLINE_MS = 60_000;
/** As long as a snapshot of one volume waits for what passes, and some time for the controller to see that. */
const BEGIN_DEADLINE_MS = 90_000;

export interface SeenSnapshotGroup {
  readonly isDeleting: boolean;
  readonly spec: VolumeGroupSnapshotRecord['spec'];
  readonly status: VolumeGroupSnapshotRecordStatus;
  /** The snapshots that are there of it. */
  readonly snapshots: readonly VolumeSnapshotRecord[];
  /** Names that it wants for its snapshots, and that something else has. */
  readonly taken: readonly string[];
  /** When it was asked for, in milliseconds since the epoch. */
  readonly askedAt: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface SnapshotGroupDecision {
  /** Fields to set; those left out stay. */
  readonly status: VolumeGroupSnapshotRecordStatus;
  /** Names of the snapshots to make. */
  readonly create: readonly string[];
  /** The snapshots to delete. */
  readonly remove: readonly VolumeSnapshotRecord['metadata'][];
  /** Nothing is left of it: its finalizer can go. */
  readonly isGone: boolean;
  readonly requeueAfterMs?: number;
}

/** Decides the next step for one group; apply it on the very record it was decided for, and call again. */
export function decideSnapshotGroup(seen: SeenSnapshotGroup): SnapshotGroupDecision {
  if (seen.isDeleting) return decideDeletion(seen);
  switch (seen.status.phase) {
    case undefined:
    case 'Pending':
      return begin(seen);
    case 'Freezing':
      return judge(seen);
    case 'Ready':
    case 'Failed':
    case 'Deleting':
      return change({});
  }
}

function begin({ spec, snapshots, taken, askedAt, now }: SeenSnapshotGroup): SnapshotGroupDecision {
  if (taken.length > 0) return fail(`there is a snapshot ${taken.join(', ')} already, which is not of this group`);
  const known = new Set(snapshots.map(({ metadata }) => metadata.name));
  const missing = spec.members.map(({ snapshot }) => snapshot).filter((name) => !known.has(name));
  if (missing.length > 0) return { ...change({ phase: 'Pending', message: 'begins' }), create: missing };
  const failed = snapshots.find(({ status }) => status?.phase === 'Failed');
  if (failed !== undefined) return fail(failed.status?.message ?? `snapshot ${failed.metadata.name} failed`);
  const waiting = snapshots.filter(({ status }) => status?.phase !== 'Freezing');
  const leftMs = askedAt + BEGIN_DEADLINE_MS - now;
  if (waiting.length > 0) {
    const words = waiting.map((each) => `${each.spec.volume} ${each.status?.message ?? 'was not looked at yet'}`);
    const message = words.join('; ').slice(0, 1_000);
    if (leftMs <= 0) return fail(`not every volume could begin in time: ${message}`);
    return { ...change({ phase: 'Pending', message }), requeueAfterMs: leftMs };
  }
  const nodes = new Set(snapshots.flatMap(nodesOf));
  const [node] = nodes;
  if (node === undefined || nodes.size > 1) {
    return fail(`its volumes are not on one node, but on ${[...nodes].toSorted().join(', ')}`);
  }
  const deadline = kubernetesTime(now + FREEZE_DEADLINE_MS);
  const message = `${node} takes the images`;
  return { ...change({ phase: 'Freezing', message, node, deadline }), requeueAfterMs: FREEZE_DEADLINE_MS };
}

function nodesOf({ status }: VolumeSnapshotRecord): readonly string[] {
  return Object.values(status?.copies ?? {}).map(({ node }) => node);
}

function judge({ status, spec, snapshots, now }: SeenSnapshotGroup): SnapshotGroupDecision {
  const { images, deadline } = status;
  if (images?.state === 'Failed') return fail(images.message ?? 'no reason was given');
  if (images?.state === 'Taken') {
    const lost = spec.members.find(({ snapshot }) => !snapshots.some((each) => isBegun(each, snapshot)));
    if (lost !== undefined) return fail(`snapshot ${lost.snapshot} is there no more`);
    const { since } = images;
    const message = `${spec.members.length} images taken at one moment`;
    return change({ phase: 'Ready', message, ...(since === undefined ? {} : { takenAt: since }) });
  }
  const leftMs = deadline === undefined ? 0 : Date.parse(deadline) - now;
  if (leftMs > 0) return { ...change({}), requeueAfterMs: leftMs };
  return fail(`no images from ${status.node ?? 'its node'} in time`);
}

function isBegun({ metadata, status }: VolumeSnapshotRecord, name: string): boolean {
  return metadata.name === name && status?.phase === 'Freezing';
}

function decideDeletion({ status, snapshots }: SeenSnapshotGroup): SnapshotGroupDecision {
  if (status.phase !== 'Deleting') return change({ phase: 'Deleting', message: 'its snapshots are being deleted' });
  if (snapshots.length === 0) return { ...change({}), isGone: true };
  const remove = snapshots
    .map(({ metadata }) => metadata)
    .filter(({ deletionTimestamp }) => deletionTimestamp === undefined);
  const words = snapshots.map((each) => `${each.metadata.name} (${each.status?.message ?? 'not looked at yet'})`);
  return { ...change({ message: `waits for ${words.join(', ')}`.slice(0, 1_000) }), remove };
}

function fail(message: string): SnapshotGroupDecision {
  return change({ phase: 'Failed', message });
}

function change(status: VolumeGroupSnapshotRecordStatus): SnapshotGroupDecision {
  return { status, create: [], remove: [], isGone: false };
}
