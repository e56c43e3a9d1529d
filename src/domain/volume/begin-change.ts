/** The first stage of a change of members: what is asked for and not so yet, and whether it may begin. Pure. */
import type { PlacedCopy } from '../../schemas/volume.ts';
import type { CopyRole } from '../placement/model.ts';
import { isServing } from './is-serving.ts';
import {
  areAllCurrent,
  canBeFilled,
  changed,
  hasWitness,
  isDoubtful,
  isFresh,
  isLost,
  isMarked,
  KEPT,
  type MembershipDecision,
  nodesOf,
  othersOfSet,
  replaced,
  replacementOf,
  type SeenMembership,
  setOf,
  unmarked,
  witnessesOf,
} from './membership.ts';
import { fragmentsOf, replicasOf, setCount } from './replica-sets.ts';

/** A change that is asked for. */
export type Wanted =
  | { readonly change: 'replace'; readonly placed: PlacedCopy; readonly isSaidGone: boolean }
  | { readonly change: 'join'; readonly role: CopyRole; readonly set: number }
  | { readonly change: 'leave'; readonly placed: PlacedCopy };

/** What is asked and not so yet, the most urgent first; undefined when everything is as asked. */
export function wantedChange(seen: SeenMembership): Wanted | undefined {
  const { spec, placement } = seen;
  // What is lost comes before all else: nothing joins or leaves without it, and its place can be taken all the same.
  const lost = placement.find((each) => isLost(seen, each));
  if (lost !== undefined) return { change: 'replace', placed: lost, isSaidGone: true };
  const count = setCount(spec) === 1 && fragmentsOf(spec) === undefined ? wantedCount(seen) : undefined;
  // Then what makes room: a copy too many that is to go anyway needs no successor.
  if (count?.change === 'leave') return count;
  const moving = placement.filter((placed) => mustMove(seen, placed));
  const gone = moving.find((placed) => replacementOf(seen, placed) !== undefined);
  const placed = gone ?? moving[0];
  if (placed === undefined) return count;
  const replace: Wanted = { change: 'replace', placed, isSaidGone: gone !== undefined };
  if (!isServing(placed, seen.engine?.bricks ?? [], seen.usableNodes) || !isOneOfTwo(seen, placed)) return replace;
  return firstOneMore(seen, replace);
}

/**
 * The other copy would be the only one: should it go away between the anchor's look and the change, what was written
 * meanwhile would be in the copy that is taken out, and nowhere else. So one more comes before one goes.
 */
function firstOneMore(seen: SeenMembership, replace: Wanted): Wanted {
  const { spec, placement } = seen;
  const arbiter = placement.find((each) => each.role === 'arbiter');
  // Beside the arbiter too: it makes way for the third copy and has to find a place again.
  const beside = placement.map((each) => each.node);
  if (setCount(spec) > 1 || !seen.placeOne({ role: 'data', set: 0, beside }).ok) return replace;
  return arbiter === undefined ? { change: 'join', role: 'data', set: 0 } : { change: 'leave', placed: arbiter };
}

/** A volume of several sets gets no further copy of one of them, so nothing ever makes such a copy movable. */
export function staysForGood(seen: SeenMembership, placed: PlacedCopy): boolean {
  return setCount(seen.spec) > 1 && isOneOfTwo(seen, placed);
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

/** Begins a change, or says what keeps it from beginning. */
export function begin(seen: SeenMembership, wanted: Wanted): MembershipDecision {
  const blocked = (message: string): MembershipDecision => ({ ...KEPT, state: 'Blocked', message });
  if (wanted.change === 'replace') {
    const why = whyNotReplace(seen, wanted.placed, wanted.isSaidGone);
    if (why === undefined) return replaceCopy(seen, wanted.placed, 'begins');
    // What the layout asks for is not held up by a copy that cannot move: an arbiter that made room for it comes back.
    const count = wantedCount(seen);
    return count === undefined || setCount(seen.spec) > 1 ? blocked(why) : begin(seen, count);
  }
  const doubtful = seen.placement.find((placed) => isDoubtful(seen, placed));
  if (!areAllCurrent(seen) || doubtful !== undefined) {
    const where = doubtful === undefined ? '' : `; the copy on ${doubtful.node} is said to be lost`;
    return blocked(`waits until every copy serves and is current${where}`);
  }
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
  return whyNotReplaceLost(seen, placed, others);
}

/**
 * Replaces a copy that was lost while others are being filled. What is filled can be relied on as long as one node that has
 * noted what it lacks was up all the time, so the node of the lost copy vouches for nothing any more: its notes are gone.
 *
 * @returns undefined when no copy is lost
 */
export function replaceBeside(seen: SeenMembership, filling: readonly PlacedCopy[]): MembershipDecision | undefined {
  const lost = seen.placement.find((placed) => !isMarked(placed) && isLost(seen, placed));
  if (lost === undefined) return undefined;
  const blocked = (message: string): MembershipDecision => ({ ...KEPT, state: 'Blocked', message });
  const why = whyNotReplaceLost(seen, lost, othersOfSet(seen, lost));
  if (why !== undefined) return blocked(why);
  const left = filling.map((placed) => (setOf(placed) === setOf(lost) ? withoutWitness(placed, lost.node) : placed));
  if (!canBeFilled(seen, lost) || !left.every((placed) => hasWitness(seen, placed))) {
    return blocked(
      `the copy on ${lost.node} is lost, and the new ones on ${nodesOf(filling)} do not hold everything yet: not enough is left to fill another one from; bring ${lost.node} back`,
    );
  }
  const placement = seen.placement.map((each) => left.find((placed) => placed.copy === each.copy) ?? each);
  return replaceCopy({ ...seen, placement }, lost, 'begins');
}

function withoutWitness(placed: PlacedCopy, node: string): PlacedCopy {
  const { [node]: _, ...witnesses } = placed.witnesses ?? {};
  return { ...placed, witnesses };
}

/** Of a copy that is said to be gone: all that is left is in the others. */
function whyNotReplaceLost(
  seen: SeenMembership,
  placed: PlacedCopy,
  others: readonly PlacedCopy[],
): string | undefined {
  const bricks = seen.engine?.bricks ?? [];
  const away = others.filter((other) => !isServing(other, bricks, seen.usableNodes));
  if (!isFresh(seen) || away.length > 0) {
    const next =
      away.length > 0
        ? `: ${describeLeft(
            away.map(({ node }) => node),
            placed.node,
          )}`
        : '';
    return `replacing the lost copy on ${placed.node} waits for all other copies to serve${next}`;
  }
  const isSplit = others.some(
    (other) => (bricks.find((brick) => brick.copy === other.copy)?.splitBrainEntries ?? 0) > 0,
  );
  return isSplit ? 'entries differ between copies (split brain) and need a decision first' : undefined;
}

/** What is left may lack what only these have. */
function describeLeft(away: readonly string[], lost: string): string {
  return `${away.join(', ')}; what is left may lack what only these have, so bring them back, or ${lost}`;
}

function whyNotOneOfTwo(seen: SeenMembership, placed: PlacedCopy): string {
  const why = `${placed.node} holds one of two copies of the data, and a third has to come before it goes`;
  if (staysForGood(seen, placed)) return `${why}, which a volume of several sets cannot have`;
  const beside = seen.placement.map((each) => each.node);
  const place = seen.placeOne({ role: 'data', set: 0, beside });
  return place.ok ? why : `${why}: ${place.message}`;
}

/** @param mayStay - the successor may be on the same node */
export function replaceCopy(
  seen: SeenMembership,
  placed: PlacedCopy,
  about: string,
  mayStay = false,
): MembershipDecision {
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
    // One that is being filled has noted nothing about another.
    witnesses: witnessesOf(
      seen,
      others.filter((other) => !isMarked(other)),
    ),
  };
  return changed(
    replaced(seen.placement, placed, [next]),
    `${about}: moves ${placed.copy} from ${placed.node} to ${on}`,
  );
}
