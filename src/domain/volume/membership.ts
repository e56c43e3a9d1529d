/** What is seen of a volume's members, and what can be concluded from it; for the stages of `decide-membership.ts`. Pure. */
import type { PlacedCopy, VolumeEngineStatus } from '../../schemas/volume.ts';
import type { VolumeCopySpec } from '../../schemas/volume-copy.ts';
import type { CopyRole } from '../placement/model.ts';
import { isServing } from './is-serving.ts';
import { fragmentsOf, type LayoutSpec } from './replica-sets.ts';

/** A VolumeCopy of the volume, placed or not any more. */
export interface SeenMember {
  readonly name: string;
  readonly node: string;
  readonly pool: string;
  /** Where it is, once its node has reported it; the engine is never asked to take a copy before that. */
  readonly path?: string;
  readonly role: CopyRole;
  readonly isReady: boolean;
  readonly isReleased: boolean;
  /** Its deletion has been asked for; without that a release is only half done. */
  readonly isDeleting: boolean;
  readonly replacement?: VolumeCopySpec['replacement'];
}

/** A place for one new copy, or why there is none. */
export type NewPlace =
  | { readonly ok: true; readonly copy: string; readonly node: string; readonly pool: string }
  | { readonly ok: false; readonly message: string };

/** What is asked of a place for a new copy. */
export interface PlaceRequest {
  readonly role: CopyRole;
  readonly set: number;
  /** Nodes of the copies that stay in the set. */
  readonly beside: readonly string[];
  /** A node that the copy is to leave. */
  readonly avoid?: string;
  /** The only node that will do. */
  readonly node?: string;
}

/** What a decision about members rests on; made by `see-membership.ts`. */
export interface SeenMembership {
  readonly spec: LayoutSpec;
  readonly placement: readonly PlacedCopy[];
  readonly members: readonly SeenMember[];
  readonly engine: VolumeEngineStatus | undefined;
  readonly anchor: string | undefined;
  readonly epoch: number;
  readonly usableNodes: ReadonlyMap<string, string>;
  readonly bootIds: ReadonlyMap<string, string>;
  readonly drainingNodes: ReadonlySet<string>;
  readonly placeOne: (request: PlaceRequest) => NewPlace;
}

/** One step, decided from what was seen. */
export interface MembershipDecision {
  /** Undefined when the placement stays. */
  readonly placement?: readonly PlacedCopy[];
  /** Copies that nothing needs any more. */
  readonly release: readonly string[];
  /** New copies that are given up: to be released only as they were seen, without a path. */
  readonly abandon: readonly string[];
  /** The placement is to be stored with a higher epoch: only a report from then on is known to be made with it in view. */
  readonly raisesEpoch?: boolean;
  readonly state: 'Settled' | 'Changing' | 'Blocked';
  /** What is under way, or what keeps a change from beginning. */
  readonly message: string;
}

/** Nothing is given up. */
export const KEPT = { release: [], abandon: [] } as const;

/** True while a change of this place is under way. */
export function isMarked(placed: PlacedCopy): boolean {
  return placed.replaces !== undefined || placed.isJoining === true || placed.isLeaving === true;
}

/**
 * The copies that the engine has the volume made of now, as far as it was seen: before a change the old ones, after it the
 * new ones. What is judged about the volume is judged of these.
 */
export function effectivePlacement(
  placement: readonly PlacedCopy[],
  members: readonly SeenMember[],
  engine: VolumeEngineStatus | undefined,
): readonly PlacedCopy[] {
  return placement.flatMap((placed): readonly PlacedCopy[] => {
    if (!isMarked(placed) || isInEngine(placed.copy, members, engine)) return [placed];
    if (placed.isJoining === true || placed.isLeaving === true) return [];
    const old = members.find((member) => member.name === placed.replaces);
    return old === undefined ? [placed] : [{ ...placed, copy: old.name, node: old.node, pool: old.pool }];
  });
}

/** The engine says that this copy is a member. */
export function isInEngine(
  name: string,
  members: readonly SeenMember[],
  engine: VolumeEngineStatus | undefined,
): boolean {
  const copy = members.find((member) => member.name === name);
  if (copy?.path === undefined) return false;
  return engine?.members?.includes(`${copy.node}:${copy.path}`) === true;
}

/** The report is the present anchor's, about a volume that runs, and says what the engine has it made of. */
export function isFresh({ engine, anchor, epoch }: SeenMembership): boolean {
  if (engine === undefined || engine.members === undefined || engine.state !== 'Started') return false;
  return engine.epoch === epoch && engine.observedBy === anchor;
}

/** Serves, and nothing is to be healed as it says itself. One copy alone has nothing to heal. */
function isCurrent(seen: SeenMembership, placed: PlacedCopy, isAlone: boolean): boolean {
  const bricks = seen.engine?.bricks ?? [];
  if (!isServing(placed, bricks, seen.usableNodes)) return false;
  if (isAlone) return true;
  const brick = bricks.find((candidate) => candidate.copy === placed.copy);
  return brick?.pendingHeals === 0 && (brick.splitBrainEntries ?? 0) === 0;
}

/** Every copy of the engine's volume is placed and current, in a look of the present anchor. */
export function areAllCurrent(seen: SeenMembership): boolean {
  if (!isFresh(seen)) return false;
  const now = effectivePlacement(seen.placement, seen.members, seen.engine);
  if (now.length !== seen.engine?.members?.length) return false;
  return now.every((placed) => isCurrent(seen, placed, isAlone(seen, now, placed)));
}

function isAlone(seen: SeenMembership, now: readonly PlacedCopy[], placed: PlacedCopy): boolean {
  return fragmentsOf(seen.spec) === undefined && now.filter((other) => setOf(other) === setOf(placed)).length === 1;
}

/** What a person asked about this copy. */
export function replacementOf(seen: SeenMembership, placed: PlacedCopy): VolumeCopySpec['replacement'] {
  return seen.members.find((member) => member.name === placed.copy)?.replacement;
}

/** A person said that it is gone, and the engine says so too. */
export function isLost(seen: SeenMembership, placed: PlacedCopy): boolean {
  if (replacementOf(seen, placed) === undefined) return false;
  return !isServing(placed, seen.engine?.bricks ?? [], seen.usableNodes);
}

/** A person said that it is gone, and its own node says that something is wrong: a report that it serves may be an old one. */
export function isDoubtful(seen: SeenMembership, placed: PlacedCopy): boolean {
  const copy = seen.members.find((member) => member.name === placed.copy);
  return copy?.replacement !== undefined && !copy.isReady;
}

/** The first copy of the volume that is lost for good. */
export function lostOf(seen: SeenMembership): PlacedCopy | undefined {
  return seen.placement.find((placed) => isLost(seen, placed));
}

/** The engine has this new copy, and it does not hold everything yet. */
export function isFilling(seen: SeenMembership, placed: PlacedCopy): boolean {
  return isMarked(placed) && placed.isLeaving !== true && isInEngine(placed.copy, seen.members, seen.engine);
}

/**
 * Copies of the set that are whole and serve are enough to fill another one from; a copy that is being filled itself is none
 * of them, and neither is an arbiter.
 */
export function canBeFilled(seen: SeenMembership, placed: PlacedCopy): boolean {
  const bricks = seen.engine?.bricks ?? [];
  const whole = othersOfSet(seen, placed).filter(
    (other) => other.role === 'data' && !isMarked(other) && isServing(other, bricks, seen.usableNodes),
  );
  return whole.length >= (fragmentsOf(seen.spec)?.data ?? 1);
}

/** Boot IDs of the nodes of these copies, as they are now. */
export function witnessesOf(
  { bootIds }: SeenMembership,
  others: readonly PlacedCopy[],
): Readonly<Record<string, string>> {
  const known = others.flatMap(({ node }) => {
    const bootId = bootIds.get(node);
    return bootId === undefined ? [] : [[node, bootId] as const];
  });
  return Object.fromEntries(known);
}

/**
 * What the engine noted down about a new copy, on the others of its set, is not synced to their disks. One of them has to
 * have been up all the time, or a power cut may have taken the notes, and a copy that lacks files would pass for current.
 */
export function hasWitness({ bootIds }: SeenMembership, { witnesses }: PlacedCopy): boolean {
  return Object.entries(witnesses ?? {}).some(([node, bootId]) => bootIds.get(node) === bootId);
}

/** The copies that hold the same files. */
export function othersOfSet(seen: SeenMembership, placed: PlacedCopy): readonly PlacedCopy[] {
  return seen.placement.filter((other) => setOf(other) === setOf(placed) && other.copy !== placed.copy);
}

/** Their nodes, each once, for a sentence. */
export function nodesOf(copies: readonly PlacedCopy[]): string {
  return [...new Set(copies.map((placed) => placed.node))].join(', ');
}

/** Number of its set, from 0. */
export function setOf(placed: PlacedCopy): number {
  return placed.set ?? 0;
}

/** The place once its change is done. */
export function unmarked(placed: PlacedCopy): PlacedCopy {
  const { replaces: _, isJoining: __, isLeaving: ___, isWithdrawn: ____, isStaying: _____, ...rest } = placed;
  const { witnesses: ______, ...place } = rest;
  return place;
}

/** The placement with these in the place of that one. */
export function replaced(
  placement: readonly PlacedCopy[],
  placed: PlacedCopy,
  next: readonly PlacedCopy[],
): readonly PlacedCopy[] {
  return placement.flatMap((each) => (each.copy === placed.copy ? next : [each]));
}

/** The decision to store another placement. */
export function changed(placement: readonly PlacedCopy[], message: string): MembershipDecision {
  return { ...KEPT, placement, state: 'Changing', message };
}
