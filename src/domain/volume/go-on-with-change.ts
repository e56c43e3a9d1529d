/** The later stages of a change of members: the engine takes it up, and the new copy is filled. Pure. */
import type { PlacedCopy } from '../../schemas/volume.ts';
import { replaceCopy } from './begin-change.ts';
import { isServing } from './is-serving.ts';
import {
  areAllCurrent,
  changed,
  isFresh,
  isInEngine,
  isLost,
  KEPT,
  type MembershipDecision,
  othersOfSet,
  replaced,
  replacementOf,
  type SeenMembership,
  unmarked,
} from './membership.ts';

/** Decides the next step of the change that is under way at this place of the placement. */
export function goOn(seen: SeenMembership, index: number): MembershipDecision {
  const placed = seen.placement[index];
  if (placed === undefined) throw new Error(`the placement has no copy ${index}`);
  if (placed.isLeaving === true) return goOnLeaving(seen, placed);
  const copy = seen.members.find((member) => member.name === placed.copy);
  const what = describeMark(seen, placed);
  if (!isInEngine(placed.copy, seen.members, seen.engine)) return awaitEngine(seen, placed, what);
  const isOldOut = placed.replaces === undefined || !isInEngine(placed.replaces, seen.members, seen.engine);
  if (!hasWitness(seen, placed) || copy?.replacement !== undefined) return chain(seen, placed, what);
  if (isOldOut && areAllCurrent(seen)) return changed(replaced(seen.placement, placed, [unmarked(placed)]), what);
  return { ...KEPT, state: 'Changing', message: `${what}: the new copy is being filled` };
}

/**
 * The new copy is prepared, and then the engine asked to take it in. One whose node goes away meanwhile is given up, and so
 * is one that joins while another copy is lost, since the engine adds nothing without that: at once
 * while nobody knew where it is, else when the present anchor has looked with the word in view that it is not to be asked
 * for, and the engine was without it.
 */
function awaitEngine(seen: SeenMembership, placed: PlacedCopy, what: string): MembershipDecision {
  const copy = seen.members.find((member) => member.name === placed.copy);
  if (copy?.isReleased === true) return changed(takeBack(seen, placed), `${what}: begins anew`);
  const why = copy?.isReady === true ? 'waits for the engine to take it in' : `is being prepared on ${placed.node}`;
  const waits: MembershipDecision = { ...KEPT, state: 'Changing', message: `${what}: the new copy ${why}` };
  if (placed.isWithdrawn === true) {
    const message = `${what}: ${whyGivenUp(seen, placed)}, and the new copy there is given up`;
    if (!isFresh(seen)) return { ...waits, message };
    // Another look before the copy is released: what an agent had asked before it died may be carried out just now.
    return { ...changed(takeBack(seen, placed), message), raisesEpoch: true };
  }
  const isStuck = placed.isJoining === true && lostOf(seen) !== undefined;
  if (copy === undefined || (seen.usableNodes.has(placed.node) && !isStuck)) return waits;
  const message = `${what}: ${whyGivenUp(seen, placed)}`;
  if (copy.path === undefined) return { ...waits, abandon: [placed.copy], message };
  const withdrawn = { ...placed, isWithdrawn: true };
  return { ...changed(replaced(seen.placement, placed, [withdrawn]), message), raisesEpoch: true };
}

function whyGivenUp(seen: SeenMembership, placed: PlacedCopy): string {
  const lost = lostOf(seen);
  if (lost === undefined || !seen.usableNodes.has(placed.node)) return `${placed.node} went away`;
  return `the copy on ${lost.node} is lost`;
}

/** The first copy of the volume that is lost for good. */
function lostOf(seen: SeenMembership): PlacedCopy | undefined {
  return seen.placement.find((placed) => isLost(seen, placed));
}

/**
 * The engine takes nothing out while a copy does not serve, and one that is lost is replaced only when no change is under
 * way: so the copy stays. What a dead agent had asked may be carried out between a look and the next, so two looks have to
 * show the copy, each of an epoch in which nobody asks any more; gone by then, it has left.
 */
function goOnLeaving(seen: SeenMembership, placed: PlacedCopy): MembershipDecision {
  const what = `takes out ${placed.copy} on ${placed.node}`;
  if (isFresh(seen) && !isInEngine(placed.copy, seen.members, seen.engine)) {
    return { ...changed(replaced(seen.placement, placed, []), what), raisesEpoch: placed.isWithdrawn === true };
  }
  const become = (next: PlacedCopy, message: string) => changed(replaced(seen.placement, placed, [next]), message);
  if (placed.isWithdrawn === true) {
    const message = `${what}: another copy was lost, and it stays`;
    if (!isFresh(seen)) return { ...KEPT, state: 'Changing', message };
    const next = placed.isStaying === true ? unmarked(placed) : { ...placed, isStaying: true };
    return { ...become(next, message), raisesEpoch: true };
  }
  const lost = lostOf(seen);
  if (lost === undefined) return { ...KEPT, state: 'Changing', message: what };
  const message = `${what}: the copy on ${lost.node} is lost`;
  return { ...become({ ...placed, isWithdrawn: true }, message), raisesEpoch: true };
}

/**
 * The engine has a copy that was given up: asked for it by an agent that died before the answer came. It is a member now, as
 * if it had never been given up, but nobody can vouch for what it lacks, so another one takes its place.
 */
export function takeUpLate(seen: SeenMembership): readonly PlacedCopy[] | undefined {
  const { placement, members } = seen;
  const held = seen.engine?.members ?? [];
  if (!isFresh(seen)) return undefined;
  const copy = members.find(
    ({ name, isReleased }) =>
      !isReleased && isInEngine(name, members, seen.engine) && !placement.some((placed) => placed.copy === name),
  );
  if (copy === undefined) return undefined;
  const { name, node, pool, role } = copy;
  const place = { copy: name, node, pool, witnesses: {} };
  if (held.length > placement.length) return [...placement, { ...place, role, isJoining: true }];
  const missed = placement[held.indexOf(`${node}:${copy.path}`)];
  if (missed === undefined || isInEngine(missed.copy, members, seen.engine)) return undefined;
  return replaced(placement, missed, [{ ...missed, ...place, replaces: missed.copy }]);
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

function describeMark(seen: SeenMembership, placed: PlacedCopy): string {
  if (placed.replaces === undefined) return `adds a copy on ${placed.node}`;
  const old = seen.members.find((member) => member.name === placed.replaces);
  return `moves a copy${old === undefined ? '' : ` from ${old.node}`} to ${placed.node}`;
}
