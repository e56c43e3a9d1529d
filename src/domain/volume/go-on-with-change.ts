/** The later stages of a change of members: the engine takes it up, and the new copy is filled. Pure. */
import type { PlacedCopy } from '../../schemas/volume.ts';
import { replaceCopy } from './begin-change.ts';
import { isServing, isUnchecked } from './is-serving.ts';
import {
  areAllCurrent,
  canBeFilled,
  changed,
  hasWitness,
  isFresh,
  isInEngine,
  isLost,
  isMarked,
  KEPT,
  lostOf,
  type MembershipDecision,
  nodesOf,
  othersOfSet,
  replaced,
  replacementOf,
  type SeenMembership,
  unmarked,
} from './membership.ts';

/** Decides the next step of the change that is under way at this place of the placement. */
export function goOn(seen: SeenMembership, placed: PlacedCopy): MembershipDecision {
  if (placed.isLeaving === true) return goOnLeaving(seen, placed);
  const copy = seen.members.find((member) => member.name === placed.copy);
  const what = describeMark(seen, placed);
  if (!isInEngine(placed.copy, seen.members, seen.engine)) {
    return takeUpInstead(seen, placed) ?? awaitEngine(seen, placed, what);
  }
  const isOldOut = placed.replaces === undefined || !isOldIn(seen, placed);
  if (!hasWitness(seen, placed) || copy?.replacement !== undefined) return chain(seen, placed, what);
  if (isOldOut && areAllCurrent(seen)) return changed(replaced(seen.placement, placed, [unmarked(placed)]), what);
  return waitsFor(seen, `${what}: the new copy is being filled`);
}

/**
 * The new copy is prepared, and then the engine asked to take it in. One whose node goes away meanwhile is given up, and so
 * is one that joins, or takes the place of a copy that serves, while another copy is lost: the engine makes neither change
 * without that. At once while nobody knew where it is, else when the present anchor has looked with the word in view that
 * it is not to be asked for, and the engine was without it.
 */
function awaitEngine(seen: SeenMembership, placed: PlacedCopy, what: string): MembershipDecision {
  const copy = seen.members.find((member) => member.name === placed.copy);
  if (copy?.isReleased === true) return changed(takeBack(seen, placed), `${what}: begins anew`);
  const waits = waitsForNew(seen, placed, what);
  if (placed.isWithdrawn === true) {
    const message = `${what}: ${whyGivenUp(seen, placed)}, and the new copy there is given up`;
    if (!isFresh(seen)) return { ...waits, message };
    // Another look before the copy is released: what an agent had asked before it died may be carried out just now.
    return { ...changed(takeBack(seen, placed), message), raisesEpoch: true };
  }
  const isStuck = lostOf(seen) !== undefined && (placed.isJoining === true || isOldServing(seen, placed));
  if (copy === undefined || (seen.usableNodes.has(placed.node) && !isStuck)) return waits;
  const message = `${what}: ${whyGivenUp(seen, placed)}`;
  if (copy.path === undefined) return { ...waits, abandon: [placed.copy], message };
  const withdrawn = { ...placed, isWithdrawn: true };
  return { ...changed(replaced(seen.placement, placed, [withdrawn]), message), raisesEpoch: true };
}

/** The copy that the new one is to replace is a member still. */
function isOldIn(seen: SeenMembership, placed: PlacedCopy): boolean {
  return placed.replaces !== undefined && isInEngine(placed.replaces, seen.members, seen.engine);
}

function waitsForNew(seen: SeenMembership, placed: PlacedCopy, what: string): MembershipDecision {
  const isReady = seen.members.find((member) => member.name === placed.copy)?.isReady === true;
  const why = isReady ? 'waits for the engine to take it in' : `is being prepared on ${placed.node}`;
  const mayReplace = placed.replaces === undefined || isOldServing(seen, placed);
  return waitsFor(seen, `${what}: the new copy ${why}`, mayReplace);
}

function whyGivenUp(seen: SeenMembership, placed: PlacedCopy): string {
  const lost = lostOf(seen);
  if (lost === undefined || !seen.usableNodes.has(placed.node)) return `${placed.node} went away`;
  return `the copy on ${lost.node} is lost`;
}

/** The copy that the new one is to replace serves still: the change can be taken back. */
function isOldServing(seen: SeenMembership, placed: PlacedCopy): boolean {
  const old = seen.members.find((member) => member.name === placed.replaces);
  if (old === undefined) return false;
  return isServing({ copy: old.name, node: old.node }, seen.engine?.bricks ?? [], seen.usableNodes);
}

/**
 * What holds a change up, and what to do about it: nothing is taken in, or known to be filled, while a copy that stays does
 * not serve. It goes on when that one is back, or is replaced itself.
 *
 * @param mayReplace - false where another copy is lost already: two that are gone leave too little
 */
function waitsFor(seen: SeenMembership, what: string, mayReplace = true): MembershipDecision {
  const bricks = seen.engine?.bricks ?? [];
  const isAway = (other: PlacedCopy) =>
    !isServing(other, bricks, seen.usableNodes) && !isUnchecked(other, bricks, seen.usableNodes);
  const away = seen.placement.filter((other) => !isMarked(other) && isAway(other));
  const [first] = away;
  if (first === undefined || !isFresh(seen)) return { ...KEPT, state: 'Changing', message: what };
  const isAtStake = !mayReplace || away.some((other) => isLost(seen, other));
  const next = isAtStake
    ? '; what is left may lack what only that has'
    : `, or, if that is gone for good: ${replaceCommand(seen, first)}`;
  const message = `${what}; what is on ${nodesOf(away)} must serve first: bring it back${next}`;
  return { ...KEPT, state: 'Blocked', message };
}

function replaceCommand({ usableNodes }: SeenMembership, { node }: PlacedCopy): string {
  return usableNodes.has(node) ? `holdfast disk replace ${node}` : `holdfast node replace ${node}`;
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
  if (lost === undefined) return waitsFor(seen, what);
  const message = `${what}: the copy on ${lost.node} is lost`;
  return { ...become({ ...placed, isWithdrawn: true }, message), raisesEpoch: true };
}

/**
 * The engine has a copy that was given up: asked for it by an agent that died before the answer came. It is a member now, as
 * if it had never been given up, but nobody can vouch for what it lacks, so another one takes its place.
 */
export function takeUpLate(seen: SeenMembership): MembershipDecision | undefined {
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
  const what = 'takes up a copy that it had given up: the engine has it';
  if (held.length > placement.length) return changed([...placement, { ...place, role, isJoining: true }], what);
  const missed = placement[held.indexOf(`${node}:${copy.path}`)];
  if (missed === undefined || isInEngine(missed.copy, members, seen.engine)) return undefined;
  return changed(replaced(placement, missed, [{ ...unmarked(missed), ...place, replaces: missed.copy }]), what);
}

/**
 * The new copy cannot take the place of one that the engine has not: one that was given up has it, and is taken up before
 * anything else. The new copy is not asked for any more, which is known of the engine from a look of the next epoch on.
 */
function takeUpInstead(seen: SeenMembership, placed: PlacedCopy): MembershipDecision | undefined {
  const late = placed.replaces === undefined || isOldIn(seen, placed) ? undefined : takeUpLate(seen);
  return late === undefined ? undefined : { ...late, raisesEpoch: true };
}

/** Before the change, as far as the engine can know: the old copy is back in its place. */
function takeBack(seen: SeenMembership, placed: PlacedCopy): readonly PlacedCopy[] {
  const old = seen.members.find((member) => member.name === placed.replaces);
  if (old === undefined) return replaced(seen.placement, placed, []);
  return replaced(seen.placement, placed, [{ ...unmarked(placed), copy: old.name, node: old.node, pool: old.pool }]);
}

/** The new copy is a member, but cannot be relied on, or is lost itself: another one takes its place. */
function chain(seen: SeenMembership, placed: PlacedCopy, what: string): MembershipDecision {
  const others = othersOfSet(seen, placed);
  const doServe = others.every((other) => isServing(other, seen.engine?.bricks ?? [], seen.usableNodes));
  if (!isFresh(seen) || !doServe || !canBeFilled(seen, placed)) {
    const away = others.filter((other) => !isServing(other, seen.engine?.bricks ?? [], seen.usableNodes));
    const next = away.length === 0 ? '' : `: bring ${nodesOf(away)} back`;
    const message = `${what}: has to begin anew, and waits for all other copies to serve${next}`;
    return { ...KEPT, state: 'Blocked', message };
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
