/**
 * How a placed volume stands: usable, redundant, or why not. Pure. Judged set by set: a file lies in one set only, so the
 * volume is as good as the worst of its sets.
 */
import type { PlacedCopy, VolumeStatus } from '../../schemas/volume.ts';
import { type Claim, claim } from '../claim.ts';
import type { ControllerStatus, SeenAttachment, SeenCopy } from './decide-volume.ts';
import { isServing, isUnchecked, type UsableNodes } from './is-serving.ts';
import { type LayoutSpec, mayDiverge, type ReplicaSet, replicaSets } from './replica-sets.ts';

export interface SeenHealth {
  readonly spec: LayoutSpec;
  readonly status: VolumeStatus;
  readonly copies: readonly SeenCopy[];
  readonly attachments: readonly SeenAttachment[];
  readonly usableNodes: UsableNodes;
}

export interface Health {
  readonly status: ControllerStatus;
  readonly claims: readonly Claim[];
}

/** One set as it is now. */
export interface SetHealth extends ReplicaSet<PlacedCopy> {
  /** How many of its copies serve. */
  readonly serving: number;
  readonly down: readonly PlacedCopy[];
  /** Copies whose node is there, but that the engine was not asked about since. */
  readonly unchecked: readonly PlacedCopy[];
}

/** The sets of a volume, with what serves of each. */
export function judgeSets(
  { spec, status, usableNodes }: Pick<SeenHealth, 'spec' | 'status' | 'usableNodes'>,
  placement: readonly PlacedCopy[],
): readonly SetHealth[] {
  const bricks = status.engine?.bricks ?? [];
  return replicaSets(spec, placement).map((set) => {
    const down = set.copies.filter((placed) => !isServing(placed, bricks, usableNodes));
    const unchecked = set.copies.filter((placed) => isUnchecked(placed, bricks, usableNodes));
    return { ...set, serving: set.copies.length - down.length, down, unchecked };
  });
}

/** The phase, and the conditions Ready and Redundant. */
export function judgeHealth(seen: SeenHealth, placement: readonly PlacedCopy[], anchored: ControllerStatus): Health {
  if (seen.status.engine?.state !== 'Started') return judgeUnstarted(seen, anchored);
  const sets = judgeSets(seen, placement);
  const ready = judgeService(sets);
  const redundant = judgeRedundancy(seen, placement, sets);
  const isAsDesigned = redundant.status === 'True' || ['SingleCopy', 'NoSpareCopy'].includes(redundant.reason);
  const phase =
    ready.status === 'False' ? 'Unavailable' : ready.status === 'True' && isAsDesigned ? 'Ready' : 'Degraded';
  return { status: { ...anchored, phase }, claims: [ready, redundant] };
}

/** The claims of a volume that cannot be used, and of which nothing more is known. */
export function notReady(reason: string, message: string): readonly Claim[] {
  return [
    claim('Ready', 'False', reason, message),
    claim('Redundant', 'Unknown', reason, 'not known until the volume is ready'),
  ];
}

function judgeUnstarted(seen: SeenHealth, anchored: ControllerStatus): Health {
  const { engine } = seen.status;
  if (engine?.state === 'Absent' && engine.engineId !== undefined) {
    const message = engine.message ?? 'the engine held it, and does no more';
    return { status: { ...anchored, phase: 'Unavailable' }, claims: notReady('EngineVolumeLost', message) };
  }
  const waiting = seen.copies.filter((copy) => !copy.isReady);
  const claims =
    waiting.length > 0
      ? notReady('PreparingCopies', describeWaiting(waiting, seen))
      : notReady('CreatingEngineVolume', engine?.message ?? `waits for ${anchored.anchor ?? 'a member node'}`);
  return { status: { ...anchored, phase: 'Creating' }, claims };
}

/** Every set must have its quorum: what lies in a set without cannot be read or written. */
function judgeService(sets: readonly SetHealth[]): Claim {
  const short = sets.filter((set) => set.serving < set.quorum);
  if (short.length === 0) {
    const inEach = sets.length === 1 ? '' : `, enough in each of ${sets.length} sets`;
    return claim('Ready', 'True', 'Served', `${describeServing(sets)} serve${inEach}`);
  }
  if (short.every((set) => set.serving + set.unchecked.length >= set.quorum)) {
    const unchecked = short.flatMap((set) => set.unchecked);
    return claim('Ready', 'Unknown', 'CheckingCopies', `back, but not checked yet: ${nodesOf(unchecked)}`);
  }
  const down = nodesOf(short.flatMap((set) => set.down));
  if (sets.length === 1) {
    return claim('Ready', 'False', 'NoQuorum', `only ${describeServing(short)} serve; down: ${down}`);
  }
  const which = short.map((set) => `set ${set.set} (${set.serving} of ${set.copies.length}, needs ${set.quorum})`);
  const message = `too few copies serve in ${which.join(', ')}: its files cannot be used; down: ${down}`;
  return claim('Ready', 'False', 'NoQuorum', message);
}

/** Redundant means: any one copy may be lost now, and everybody who has the volume mounted goes on. */
function judgeRedundancy(seen: SeenHealth, placement: readonly PlacedCopy[], sets: readonly SetHealth[]): Claim {
  const isNot = (reason: string, message: string) => claim('Redundant', 'False', reason, message);
  if (sets.some((set) => set.copies.length === 1)) {
    return isNot('SingleCopy', `the layout keeps one copy ${sets.length === 1 ? 'only' : 'of each file only'}`);
  }
  const bricks = placement.map((placed) => ({ placed, brick: brickOf(seen, placed) }));
  const split = sum(bricks.map(({ brick }) => brick?.splitBrainEntries));
  if (split > 0) return isNot('SplitBrain', `${split} entries differ between copies and need a decision`);
  const unchecked = sets.flatMap((set) => set.unchecked);
  if (unchecked.length > 0) return isNot('CheckingCopies', `back, but not checked yet: ${nodesOf(unchecked)}`);
  const down = sets.flatMap((set) => set.down);
  if (down.length > 0) return isNot('CopiesDown', `down: ${nodesOf(down)}`);
  const pending = sum(bricks.map(({ brick }) => brick?.pendingHeals));
  if (pending > 0) return isNot('Healing', `${describeEntries(pending)} being brought up to date`);
  const unasked = bricks.filter(({ brick }) => brick?.pendingHeals === undefined).map(({ placed }) => placed);
  if (unasked.length > 0) {
    const message = `the engine does not say whether the copies are the same: ${nodesOf(unasked)}`;
    return claim('Redundant', 'Unknown', 'HealsUnknown', message);
  }
  const lagging = seen.attachments.filter((each) => isLagging(each, placement, seen.usableNodes));
  if (lagging.length > 0) {
    const where = lagging.map((each) => each.node).toSorted();
    return isNot('MountsReconnecting', `not every copy is known to be reached by the mount on ${where.join(', ')}`);
  }
  if (sets.some((set) => set.copies.length <= set.quorum)) {
    return isNot('NoSpareCopy', `all ${placement.length} copies are current, and all of them are needed`);
  }
  const warning = sets.some((set) => mayDiverge(seen.spec, set.copies))
    ? '; cut off from each other both go on, and they can diverge (allowSplitBrain)'
    : '';
  return claim('Redundant', 'True', 'AllCopiesCurrent', `all ${placement.length} copies are current${warning}`);
}

function brickOf({ status }: SeenHealth, { copy }: PlacedCopy) {
  return status.engine?.bricks.find((brick) => brick.copy === copy);
}

/** The mount does not reach every copy, or nobody knows it since a copy's node came back. Who is away is not waited for. */
function isLagging(
  { node, missingCopies, nodesReadySince }: SeenAttachment,
  placement: readonly PlacedCopy[],
  usable: UsableNodes,
): boolean {
  if (missingCopies === undefined || !usable.has(node)) return false;
  if (missingCopies > 0 || nodesReadySince === undefined) return missingCopies > 0;
  return placement.some((placed) => {
    return usable.has(placed.node) && nodesReadySince[placed.node] !== usable.get(placed.node);
  });
}

function describeWaiting(waiting: readonly SeenCopy[], seen: SeenHealth): string {
  const parts = waiting.map((copy) => {
    if (copy.message !== undefined) return `${copy.node}: ${copy.message}`;
    if (seen.usableNodes.has(copy.node)) return `${copy.node}: being prepared`;
    // One that the engine has held may have data, and is waited for.
    const isNew = seen.status.engine?.engineId === undefined;
    const next = isNew ? '; bring it back, or delete the volume and make it anew, since nothing is in it yet' : '';
    return `${copy.node}: node not reachable${next}`;
  });
  return `${seen.copies.length - waiting.length} of ${seen.copies.length} copies prepared; ${parts.toSorted().join('; ')}`;
}

/** "2 of 3 copies". */
function describeServing(sets: readonly SetHealth[]): string {
  return `${sum(sets.map((set) => set.serving))} of ${sum(sets.map((set) => set.copies.length))} copies`;
}

/** A node with copies of several sets is named once. */
function nodesOf(copies: readonly PlacedCopy[]): string {
  return [...new Set(copies.map((placed) => placed.node))].join(', ');
}

function sum(values: readonly (number | undefined)[]): number {
  return values.reduce<number>((total, value) => total + (value ?? 0), 0);
}

function describeEntries(count: number): string {
  return count === 1 ? '1 entry is' : `${count} entries are`;
}
