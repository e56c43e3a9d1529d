/**
 * Which copies a volume is made of, once it has data: the next placement, from what is asked and what is seen. Pure.
 *
 * At most one change at a time in a volume. Each has three stages, and each stage is stored before the next begins: the
 * placement is marked and the new copy prepared; the engine takes it in (and the old one out); the new copy is seen to hold
 * everything, and the mark goes. Only then, and only while the engine is seen to do without the old copy, is that released.
 *
 * Invariants (`decide-membership.prop.test.ts`):
 * - Nothing begins unless every copy is current; a copy that does not serve is replaced only when a person has said that it
 *   is gone for good, and all others of its set serve.
 * - A copy is released only without any mark in the placement, all copies current, and the engine seen to do without it.
 * - A copy that the engine may have been asked to take in is never taken back: only one whose path nobody knew.
 */
import type { PlacedCopy, VolumeEngineStatus } from '../../schemas/volume.ts';
import type { VolumeCopySpec } from '../../schemas/volume-copy.ts';
import type { CopyRole } from '../placement/model.ts';
import { isServing } from './is-serving.ts';
import { fragmentsOf, type LayoutSpec, replicasOf, setCount } from './replica-sets.ts';

/** A VolumeCopy of the volume, placed or not any more. */
export interface SeenMember {
  readonly name: string;
  readonly node: string;
  readonly pool: string;
  /** Where it is, once its node has reported it; the engine is never asked to take a copy before that. */
  readonly path?: string;
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

export interface MembershipDecision {
  /** Undefined when the placement stays. */
  readonly placement?: readonly PlacedCopy[];
  /** Copies that nothing needs any more. */
  readonly release: readonly string[];
  /** New copies that are given up: to be released only as they were seen, without a path. */
  readonly abandon: readonly string[];
  readonly state: 'Settled' | 'Changing' | 'Blocked';
  /** What is under way, or what keeps a change from beginning. */
  readonly message: string;
}

const KEPT = { release: [], abandon: [] } as const;

/** Decides the next step; apply it, and call again when anything it saw has changed. */
export function decideMembership(seen: SeenMembership): MembershipDecision {
  const marked = seen.placement.findIndex(isMarked);
  if (marked >= 0) return goOn(seen, marked);
  const unwanted = wantedChange(seen);
  const left = releasable(seen);
  if (left.length > 0) {
    return { ...KEPT, release: left, state: 'Changing', message: `gives up ${left.join(', ')}` };
  }
  if (unwanted === undefined) return { ...KEPT, state: 'Settled', message: 'the copies are as asked for' };
  return begin(seen, unwanted);
}

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

function isInEngine(name: string, members: readonly SeenMember[], engine: VolumeEngineStatus | undefined): boolean {
  const copy = members.find((member) => member.name === name);
  if (copy?.path === undefined) return false;
  return engine?.members?.includes(`${copy.node}:${copy.path}`) === true;
}

/** The report is the present anchor's, about a volume that runs, and says what the engine has it made of. */
function isFresh({ engine, anchor, epoch }: SeenMembership): boolean {
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
function areAllCurrent(seen: SeenMembership): boolean {
  if (!isFresh(seen)) return false;
  const now = effectivePlacement(seen.placement, seen.members, seen.engine);
  if (now.length !== seen.engine?.members?.length) return false;
  return now.every((placed) => isCurrent(seen, placed, isAlone(seen, now, placed)));
}

function isAlone(seen: SeenMembership, now: readonly PlacedCopy[], placed: PlacedCopy): boolean {
  return fragmentsOf(seen.spec) === undefined && now.filter((other) => setOf(other) === setOf(placed)).length === 1;
}

function goOn(seen: SeenMembership, index: number): MembershipDecision {
  const placed = seen.placement[index];
  if (placed === undefined) throw new Error(`the placement has no copy ${index}`);
  if (placed.isLeaving === true) return goOnLeaving(seen, placed);
  const copy = seen.members.find((member) => member.name === placed.copy);
  const what = describeMark(seen, placed);
  if (!isInEngine(placed.copy, seen.members, seen.engine)) {
    if (copy?.isReleased === true) return changed(takeBack(seen, placed), `${what}: begins anew`);
    const isLost = copy !== undefined && copy.path === undefined && !seen.usableNodes.has(placed.node);
    if (isLost)
      return { ...KEPT, abandon: [placed.copy], state: 'Changing', message: `${what}: ${placed.node} went away` };
    const why = copy?.isReady === true ? 'waits for the engine to take it in' : `is being prepared on ${placed.node}`;
    return { ...KEPT, state: 'Changing', message: `${what}: the new copy ${why}` };
  }
  const isOldOut = placed.replaces === undefined || !isInEngine(placed.replaces, seen.members, seen.engine);
  if (!hasWitness(seen, placed) || copy?.replacement !== undefined) return chain(seen, placed, what);
  if (isOldOut && areAllCurrent(seen)) return changed(replaced(seen.placement, placed, [unmarked(placed)]), what);
  return { ...KEPT, state: 'Changing', message: `${what}: the new copy is being filled` };
}

function goOnLeaving(seen: SeenMembership, placed: PlacedCopy): MembershipDecision {
  const what = `takes out ${placed.copy} on ${placed.node}`;
  if (isFresh(seen) && !isInEngine(placed.copy, seen.members, seen.engine)) {
    return changed(replaced(seen.placement, placed, []), what);
  }
  return { ...KEPT, state: 'Changing', message: what };
}

/** Before the change, as far as the engine can know: the old copy is back in its place. */
function takeBack(seen: SeenMembership, placed: PlacedCopy): readonly PlacedCopy[] {
  const old = seen.members.find((member) => member.name === placed.replaces);
  if (old === undefined) return replaced(seen.placement, placed, []);
  return replaced(seen.placement, placed, [{ ...unmarked(placed), copy: old.name, node: old.node, pool: old.pool }]);
}

/**
 * What the engine noted down about a new copy, on the others of its set, is not synced to their disks. One of them has to
 * have been up all the time, or a power cut may have taken the notes, and a copy that lacks files would pass for current.
 */
function hasWitness({ bootIds }: SeenMembership, { witnesses }: PlacedCopy): boolean {
  return Object.entries(witnesses ?? {}).some(([node, bootId]) => bootIds.get(node) === bootId);
}

/** The new copy is a member, but cannot be relied on, or is lost itself: another one takes its place. */
function chain(seen: SeenMembership, placed: PlacedCopy, what: string): MembershipDecision {
  const others = othersOfSet(seen, placed);
  if (!isFresh(seen) || !others.every((other) => isServing(other, seen.engine?.bricks ?? [], seen.usableNodes))) {
    return {
      ...KEPT,
      state: 'Blocked',
      message: `${what}: has to begin anew, and waits for all other copies to serve`,
    };
  }
  // Unless it is lost itself, its successor may be beside it on the same node.
  const mayStay = replacementOf(seen, placed) === undefined;
  return replaceCopy(seen, placed, `${what}: begins anew with another copy`, mayStay);
}

/** Copies that neither the placement nor the engine has any use for. */
function releasable(seen: SeenMembership): readonly string[] {
  if (!areAllCurrent(seen)) return [];
  return seen.members
    .filter(
      ({ name, isReleased, isDeleting }) =>
        !(isReleased && isDeleting) && !seen.placement.some((placed) => placed.copy === name),
    )
    .filter(({ name }) => !isInEngine(name, seen.members, seen.engine))
    .map(({ name }) => name);
}

type Wanted =
  | { readonly change: 'replace'; readonly placed: PlacedCopy; readonly isSaidGone: boolean }
  | { readonly change: 'join'; readonly role: CopyRole; readonly set: number }
  | { readonly change: 'leave'; readonly placed: PlacedCopy };

/** What is asked and not so yet, the most urgent first; undefined when everything is as asked. */
function wantedChange(seen: SeenMembership): Wanted | undefined {
  const { spec, placement } = seen;
  const count = setCount(spec) === 1 && fragmentsOf(spec) === undefined ? wantedCount(seen) : undefined;
  // First what makes room: a copy too many that is to go anyway needs no successor.
  if (count?.change === 'leave') return count;
  const moving = placement.filter((placed) => mustMove(seen, placed));
  const gone = moving.find((placed) => replacementOf(seen, placed) !== undefined);
  const placed = gone ?? moving[0];
  if (placed === undefined) return count;
  const replace: Wanted = { change: 'replace', placed, isSaidGone: gone !== undefined };
  if (!isServing(placed, seen.engine?.bricks ?? [], seen.usableNodes) || !isOneOfTwo(seen, placed)) return replace;
  // The other copy would be the only one: should it go away between the anchor's look and the change, what was written
  // meanwhile would be in the copy that is taken out, and nowhere else. So one more comes before one goes.
  const arbiter = placement.find((each) => each.role === 'arbiter');
  // Beside the arbiter too: it makes way for the third copy and has to find a place again.
  const beside = placement.map((each) => each.node);
  if (setCount(spec) > 1 || !seen.placeOne({ role: 'data', set: 0, beside }).ok) return replace;
  return arbiter === undefined ? { change: 'join', role: 'data', set: 0 } : { change: 'leave', placed: arbiter };
}

/** It holds data, and so does at most one other copy of its set. */
function isOneOfTwo(seen: SeenMembership, placed: PlacedCopy): boolean {
  const isData = (each: PlacedCopy) => each.role === 'data' && setOf(each) === setOf(placed);
  return isData(placed) && fragmentsOf(seen.spec) === undefined && seen.placement.filter(isData).length <= 2;
}

function wantedCount(seen: SeenMembership): Wanted | undefined {
  const { spec, placement } = seen;
  const data = placement.filter((placed) => placed.role === 'data');
  const arbiter = placement.find((placed) => placed.role === 'arbiter');
  const wanted = replicasOf(spec);
  if (arbiter !== undefined && (spec.layout !== 'arbiter' || data.length !== wanted)) {
    return { change: 'leave', placed: arbiter };
  }
  if (data.length < wanted) return { change: 'join', role: 'data', set: 0 };
  if (data.length > wanted) {
    const goes = data.find((placed) => mustMove(seen, placed)) ?? data.at(-1);
    return goes === undefined ? undefined : { change: 'leave', placed: goes };
  }
  return spec.layout === 'arbiter' && arbiter === undefined ? { change: 'join', role: 'arbiter', set: 0 } : undefined;
}

function mustMove(seen: SeenMembership, placed: PlacedCopy): boolean {
  return seen.drainingNodes.has(placed.node) || replacementOf(seen, placed) !== undefined;
}

function replacementOf(seen: SeenMembership, placed: PlacedCopy): VolumeCopySpec['replacement'] {
  return seen.members.find((member) => member.name === placed.copy)?.replacement;
}

function begin(seen: SeenMembership, wanted: Wanted): MembershipDecision {
  const blocked = (message: string): MembershipDecision => ({ ...KEPT, state: 'Blocked', message });
  if (wanted.change === 'replace') {
    const why = whyNotReplace(seen, wanted.placed, wanted.isSaidGone);
    if (why === undefined) return replaceCopy(seen, wanted.placed, 'begins');
    // What the layout asks for is not held up by a copy that cannot move: an arbiter that made room for it comes back.
    const count = wantedCount(seen);
    return count === undefined || setCount(seen.spec) > 1 ? blocked(why) : begin(seen, count);
  }
  if (!areAllCurrent(seen)) return blocked('waits until every copy serves and is current');
  if (wanted.change === 'leave') {
    const next = replaced(seen.placement, wanted.placed, [{ ...wanted.placed, isLeaving: true }]);
    return changed(next, `takes out ${wanted.placed.copy} on ${wanted.placed.node}`);
  }
  const beside = seen.placement.filter((placed) => setOf(placed) === wanted.set);
  const place = seen.placeOne({ role: wanted.role, set: wanted.set, beside: beside.map(({ node }) => node) });
  if (!place.ok) return blocked(place.message);
  const { copy, node, pool } = place;
  const joining: PlacedCopy = {
    copy,
    node,
    pool,
    role: wanted.role,
    isJoining: true,
    witnesses: witnessesOf(seen, beside),
  };
  return changed([...seen.placement, joining], `adds a copy on ${node}`);
}

/** Why a copy is not replaced now; undefined when it may be. */
function whyNotReplace(seen: SeenMembership, placed: PlacedCopy, isSaidGone: boolean): string | undefined {
  const bricks = seen.engine?.bricks ?? [];
  const others = othersOfSet(seen, placed);
  if (others.length === 0) {
    return `${placed.node} holds the only copy of ${seen.placement.length > 1 ? 'a part of the files' : 'the data'}, and a copy that nothing is the same as is not moved`;
  }
  if (isServing(placed, bricks, seen.usableNodes)) {
    if (isOneOfTwo(seen, placed)) return whyNotOneOfTwo(seen, placed);
    return areAllCurrent(seen) ? undefined : 'waits until every copy serves and is current';
  }
  if (!isSaidGone) {
    return `the copy on ${placed.node} does not serve, so it is not known whether the others hold all that it does; bring ${placed.node} back, or, if it is gone for good: holdfast node replace ${placed.node}`;
  }
  const away = others.filter((other) => !isServing(other, bricks, seen.usableNodes)).map((other) => other.node);
  if (!isFresh(seen) || away.length > 0) {
    return `replacing the lost copy on ${placed.node} waits for all other copies to serve${away.length > 0 ? `: ${away.join(', ')}` : ''}`;
  }
  const isSplit = others.some(
    (other) => (bricks.find((brick) => brick.copy === other.copy)?.splitBrainEntries ?? 0) > 0,
  );
  return isSplit ? 'entries differ between copies (split brain) and need a decision first' : undefined;
}

function whyNotOneOfTwo(seen: SeenMembership, placed: PlacedCopy): string {
  const beside = seen.placement.map((each) => each.node);
  const place = seen.placeOne({ role: 'data', set: 0, beside });
  const why = `${placed.node} holds one of two copies of the data, and a third has to come before it goes`;
  return place.ok ? `${why}, which a volume of several sets cannot have` : `${why}: ${place.message}`;
}

function replaceCopy(seen: SeenMembership, placed: PlacedCopy, about: string, mayStay = false): MembershipDecision {
  const others = othersOfSet(seen, placed);
  const node = replacementOf(seen, placed)?.node;
  const beside = others.map((other) => other.node);
  const request = { role: placed.role, set: setOf(placed), beside };
  const leaving = mayStay ? {} : { avoid: placed.node };
  const place = seen.placeOne(node === undefined ? { ...request, ...leaving } : { ...request, node });
  if (!place.ok) return { ...KEPT, state: 'Blocked', message: place.message };
  const { copy, node: on, pool } = place;
  // Filled from the others, and from them alone: what an image of a snapshot holds by the same name is never healed, since
  // GlusterFS notes only of what the new copy lacks that it has to be filled.
  const { imageOf: _, ...successor } = unmarked(placed);
  const next = {
    ...successor,
    copy,
    node: on,
    pool,
    replaces: placed.copy,
    witnesses: witnessesOf(seen, others),
  };
  return changed(
    replaced(seen.placement, placed, [next]),
    `${about}: moves ${placed.copy} from ${placed.node} to ${on}`,
  );
}

function witnessesOf({ bootIds }: SeenMembership, others: readonly PlacedCopy[]): Readonly<Record<string, string>> {
  const known = others.flatMap(({ node }) => {
    const bootId = bootIds.get(node);
    return bootId === undefined ? [] : [[node, bootId] as const];
  });
  return Object.fromEntries(known);
}

function othersOfSet(seen: SeenMembership, placed: PlacedCopy): readonly PlacedCopy[] {
  return seen.placement.filter((other) => setOf(other) === setOf(placed) && other.copy !== placed.copy);
}

function setOf(placed: PlacedCopy): number {
  return placed.set ?? 0;
}

function unmarked({ replaces: _, isJoining: __, isLeaving: ___, witnesses: ____, ...placed }: PlacedCopy): PlacedCopy {
  return placed;
}

function replaced(
  placement: readonly PlacedCopy[],
  placed: PlacedCopy,
  next: readonly PlacedCopy[],
): readonly PlacedCopy[] {
  return placement.flatMap((each) => (each.copy === placed.copy ? next : [each]));
}

function changed(placement: readonly PlacedCopy[], message: string): MembershipDecision {
  return { ...KEPT, placement, state: 'Changing', message };
}

function describeMark(seen: SeenMembership, placed: PlacedCopy): string {
  if (placed.replaces === undefined) return `adds a copy on ${placed.node}`;
  const old = seen.members.find((member) => member.name === placed.replaces);
  return `moves a copy${old === undefined ? '' : ` from ${old.node}`} to ${placed.node}`;
}
