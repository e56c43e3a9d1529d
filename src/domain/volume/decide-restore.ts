/**
 * How a volume comes to hold again what it held when a snapshot was taken. Pure.
 *
 * Its name, its identity and its claim stay; its copies are exchanged for new ones that begin with the images, and the
 * engine makes the volume anew. Each phase is stored before the next begins: Waiting (nothing is done), Closing (no mount is
 * made any more), Saving (new copies are made beside the old ones, then the present state is kept as a snapshot), Removing
 * (the engine lets go of the old copies), Starting (it makes the volume of the new ones), Done.
 *
 * Invariants (`decide-restore.prop.test.ts`):
 * - The engine is told to let go only when nobody can have the volume mounted, the safety snapshot is Ready, and every new
 *   copy is. Until then it can be given up at any moment, and the volume is as it was.
 * - The volume becomes the new copies only when the anchor of this epoch has seen that the engine holds the old ones no more,
 *   in one write with a new epoch: no agent that believes in the old ones reports or acts any more.
 * - No copy is released here: the old ones go as every copy does that the placement and the running engine do without, once
 *   all copies are current (decide-membership.ts).
 */
import type { PlacedCopy, RestoreStatus, RestoreWish, VolumeStatus } from '../../schemas/volume.ts';

/** What a restoration rests on, beside the volume's own status. */
export interface SeenRestore {
  readonly wish: RestoreWish | undefined;
  /** Why it cannot begin now; asked before it does. */
  readonly faults: () => readonly string[];
  /** Places for the new copies, beside the images; asked once there are no faults. */
  readonly place: () => RestorePlacement;
  /** Why the snapshot cannot be used any more; undefined while it can. */
  readonly snapshotFault: string | undefined;
  readonly safety: SafetySnapshot | undefined;
  /** Nodes of all records of mounts, asked of the API after the phase was stored. */
  readonly attachedOn: readonly string[];
  /** A snapshot of the volume is being taken. */
  readonly isFrozen: boolean;
}

/** The snapshot of the present state. */
export interface SafetySnapshot {
  /** It is of this volume, and nobody has asked that it goes. */
  readonly isUsable: boolean;
  readonly phase: 'Pending' | 'Freezing' | 'Ready' | 'Failed' | 'Deleting';
  readonly message: string;
}

export type RestorePlacement =
  | { readonly ok: true; readonly placement: readonly PlacedCopy[] }
  | { readonly ok: false; readonly message: string };

/** Of the volume itself. */
export interface RestoredVolume {
  readonly status: VolumeStatus;
  readonly copies: readonly {
    readonly name: string;
    readonly node: string;
    readonly isReady: boolean;
    readonly isReleased: boolean;
    readonly message?: string;
  }[];
  readonly usableNodes: ReadonlyMap<string, string>;
}

export interface RestoreDecision {
  /** Undefined when nothing is to be said anew. */
  readonly restore?: RestoreStatus;
  /** Before that is stored: the snapshot is written to, so that nobody who saw it unneeded goes on to erase it. */
  readonly holdsSnapshot?: boolean;
  readonly createCopies?: readonly (PlacedCopy & { readonly index: number })[];
  /** A snapshot of that name is to be taken. */
  readonly takeSnapshot?: string;
  /** What the volume is made of from now on; what the engine was seen to have is forgotten. */
  readonly placement?: readonly PlacedCopy[];
}

const HOLDING: ReadonlySet<RestoreStatus['phase']> = new Set(['Closing', 'Saving', 'Removing']);

/** True while nobody may mount the volume, and while its copies and their sizes stay as they are. */
export function isHolding(status: VolumeStatus | undefined): boolean {
  return status?.restore !== undefined && HOLDING.has(status.restore.phase);
}

/** True from the wish's beginning to its end: what it needs is not to be deleted. */
export function isRestoring(status: VolumeStatus | undefined): boolean {
  return isHolding(status) || status?.restore?.phase === 'Starting';
}

/** True where there is something to decide: a restoration is under way, or one is asked for that is not settled. */
export function asksForRestore(wish: RestoreWish | undefined, status: VolumeStatus | undefined): boolean {
  const now = status?.restore;
  if (isRestoring(status) || now?.phase === 'Waiting') return true;
  return wish !== undefined && wish.safetySnapshot !== now?.safetySnapshot;
}

/** Decides the next step; store what it says, and call again when anything it saw has changed. */
export function decideRestore(volume: RestoredVolume, seen: SeenRestore): RestoreDecision {
  const now = volume.status.restore;
  switch (now?.phase) {
    case 'Closing':
      return goOnClosing(now, seen);
    case 'Saving':
      return goOnSaving(now, volume, seen);
    case 'Removing':
      return goOnRemoving(now, volume);
    case 'Starting':
      return goOnStarting(now, volume);
    case 'Waiting':
    case 'Done':
    case 'Failed':
    case undefined:
      return hear(seen.wish, now, seen);
  }
}

function hear(wish: RestoreWish | undefined, now: RestoreStatus | undefined, seen: SeenRestore): RestoreDecision {
  const isWaiting = now?.phase === 'Waiting';
  if (wish === undefined) return isWaiting ? move(now, 'Failed', 'it was taken back before it began') : {};
  // A wish that is settled stays so, whatever becomes of its snapshot.
  if (!isWaiting && wish.safetySnapshot === now?.safetySnapshot) return {};
  return begin(wish, now, seen);
}

function begin(wish: RestoreWish, now: RestoreStatus | undefined, seen: SeenRestore): RestoreDecision {
  const wait = (message: string): RestoreDecision => {
    const isSaid = now?.phase === 'Waiting' && now.safetySnapshot === wish.safetySnapshot && now.message === message;
    return isSaid ? {} : { restore: { ...wish, phase: 'Waiting', message } };
  };
  if (seen.attachedOn.length > 0) return wait(`mounted on ${list(seen.attachedOn)}; unmount it there`);
  const fault = seen.snapshotFault ?? seen.faults()[0];
  if (fault !== undefined) return wait(fault);
  if (seen.safety !== undefined) return wait(`there is a snapshot ${wish.safetySnapshot} already; name another one`);
  const place = seen.place();
  if (!place.ok) return wait(place.message);
  const message = 'no mount is made any more';
  return { restore: { ...wish, phase: 'Closing', message, placement: [...place.placement] } };
}

/** A mount that was asked for before the phase was stored may be made still: it is in the list that was read afterwards. */
function goOnClosing(now: RestoreStatus, seen: SeenRestore): RestoreDecision {
  if (seen.wish === undefined) return fail(now, 'it was taken back');
  if (seen.attachedOn.length > 0) {
    const { placement: _, ...wish } = now;
    return move(wish, 'Waiting', `mounted on ${list(seen.attachedOn)}; unmount it there`);
  }
  const fault = seen.snapshotFault;
  if (fault !== undefined) return fail(now, fault);
  if (seen.safety !== undefined) return fail(now, `there is a snapshot ${now.safetySnapshot} already`);
  return { ...move(now, 'Saving', 'makes copies from the images'), holdsSnapshot: true };
}

function goOnSaving(now: RestoreStatus, volume: RestoredVolume, seen: SeenRestore): RestoreDecision {
  const { safety } = seen;
  const fault = seen.wish === undefined ? 'it was taken back' : safetyFault(now, safety);
  if (fault !== undefined) return fail(now, fault);
  const wanted = now.placement ?? [];
  const missing = wanted
    .map((placed, index) => ({ ...placed, index }))
    .filter((placed) => !volume.copies.some((copy) => copy.name === placed.copy));
  if (missing.length > 0) return { createCopies: missing };
  const unready = volume.copies.filter((copy) => !copy.isReady && wanted.some((placed) => placed.copy === copy.name));
  if (unready.length > 0)
    return say(now, `makes copies from the images: ${unready.map(describeCopy(volume)).join('; ')}`);
  if (safety === undefined) {
    return {
      ...say(now, `keeps the present state as snapshot ${now.safetySnapshot}`),
      takeSnapshot: now.safetySnapshot,
    };
  }
  if (safety.phase !== 'Ready') return say(now, `keeps the present state as snapshot ${now.safetySnapshot}`);
  if (seen.isFrozen) return say(now, 'waits for another snapshot of it that is being taken');
  return move(now, 'Removing', 'the engine lets go of the old copies');
}

function safetyFault({ safetySnapshot }: RestoreStatus, safety: SafetySnapshot | undefined): string | undefined {
  if (safety === undefined) return undefined;
  if (!safety.isUsable) return `snapshot ${safetySnapshot} is none of it`;
  const isLost = safety.phase === 'Failed' || safety.phase === 'Deleting';
  return isLost ? `the present state could not be kept: ${safety.message}` : undefined;
}

function goOnRemoving(now: RestoreStatus, { status }: RestoredVolume): RestoreDecision {
  const { engine, anchor, epoch = 0 } = status;
  const isGone = engine?.state === 'Removed' && engine.epoch === epoch && engine.observedBy === anchor;
  if (!isGone) return say(now, describeRemoval(status));
  const { placement = [], ...wish } = now;
  return {
    ...move(wish, 'Starting', 'the engine makes the volume of the new copies'),
    // Whose image they began with is in the copies; the volume's own source, if it is a clone, is another snapshot.
    placement: placement.map(({ imageOf: _image, ...each }) => each),
  };
}

function describeRemoval({ engine, anchor }: VolumeStatus): string {
  const why = engine?.message === undefined ? '' : `: ${engine.message}`;
  return `waits for ${anchor ?? 'a member node'} to let the engine go of the old copies${why}`;
}

function goOnStarting(now: RestoreStatus, { status, copies }: RestoredVolume): RestoreDecision {
  const { engine, epoch = 0, placement = [] } = status;
  if (engine?.state !== 'Started' || engine.epoch !== epoch) {
    return say(now, engine?.message ?? 'the engine makes the volume of the new copies');
  }
  const old = copies.filter((copy) => !copy.isReleased && !placed(placement, copy.name));
  if (old.length > 0) return say(now, 'it can be used; the old copies go when all new ones serve');
  return move(now, 'Done', `holds snapshot ${now.snapshot}; what it held before is snapshot ${now.safetySnapshot}`);
}

function placed(placement: readonly PlacedCopy[], name: string): boolean {
  return placement.some((each) => each.copy === name || each.replaces === name);
}

function describeCopy({ usableNodes }: RestoredVolume) {
  return ({ node, message }: RestoredVolume['copies'][number]): string =>
    message === undefined ? `${node}${usableNodes.has(node) ? '' : ' (not reachable)'}` : `${node}: ${message}`;
}

/** The volume was not touched yet; new copies go as every copy that nothing needs. */
function fail(now: RestoreStatus, why: string): RestoreDecision {
  const { placement: _, ...wish } = now;
  return move(wish, 'Failed', `${why}; the volume is as it was`);
}

function move(now: RestoreStatus, phase: RestoreStatus['phase'], message: string): RestoreDecision {
  return { restore: { ...now, phase, message } };
}

function say(now: RestoreStatus, message: string): RestoreDecision {
  return now.message === message ? {} : move(now, now.phase, message);
}

function list(nodes: readonly string[]): string {
  return [...new Set(nodes)].toSorted().join(', ');
}
