/**
 * Which copies a volume is made of, once it has data: the next placement, from what is asked and what is seen. Pure.
 *
 * At most one change at a time in a volume. Each has three stages, and each stage is stored before the next begins: the
 * placement is marked and the new copy prepared; the engine takes it in (and the old one out); the new copy is seen to hold
 * everything, and the mark goes. Only then, and only while the engine is seen to do without the old copy, is that released.
 * A copy that is lost while others are being filled is the exception: nothing would ever be seen to hold everything without
 * it, so it is replaced beside them, as long as the set has enough whole copies to fill all from.
 *
 * Invariants (`decide-membership.prop.test.ts`):
 * - Nothing begins unless every copy is current; a copy that does not serve is replaced only when a person has said that it
 *   is gone for good, and all others of its set serve.
 * - Nothing joins or leaves because of a copy that is lost: it is replaced. A join or leave that the engine cannot make for
 *   that reason is taken back, a leave only after two looks that show the copy, in epochs in which nobody asks for it.
 * - A copy is released only without any mark in the placement, all copies current, and the engine seen to do without it.
 * - A copy that the engine may have been asked to take in is taken back only when the present anchor was told not to ask for
 *   it, and has seen the engine without it since. Should it be taken in all the same, it is a member, and another one takes
 *   its place.
 */
import type { PlacedCopy } from '../../schemas/volume.ts';
import { begin, replaceBeside, wantedChange } from './begin-change.ts';
import { goOn, takeUpLate } from './go-on-with-change.ts';
import {
  areAllCurrent,
  isFilling,
  isInEngine,
  isMarked,
  KEPT,
  type MembershipDecision,
  type SeenMembership,
} from './membership.ts';

/** Decides the next step; apply it, and call again when anything it saw has changed. */
export function decideMembership(seen: SeenMembership): MembershipDecision {
  const marked = seen.placement.filter(isMarked);
  const asked = marked.find((placed) => !isFilling(seen, placed));
  if (asked !== undefined) return goOn(seen, asked);
  // Beside copies that are being filled too: nothing is known to hold everything while the engine has one that is not placed.
  const late = takeUpLate(seen);
  if (late !== undefined) return late;
  if (marked.length > 0) return goOnFilling(seen, marked);
  const unwanted = wantedChange(seen);
  const left = releasable(seen);
  if (left.length > 0) {
    return { ...KEPT, release: left, state: 'Changing', message: `gives up ${left.join(', ')}` };
  }
  if (unwanted === undefined) return { ...KEPT, state: 'Settled', message: 'the copies are as asked for' };
  return begin(seen, unwanted);
}

/** The engine has the new copies; another one may be lost meanwhile. */
function goOnFilling(seen: SeenMembership, filling: readonly PlacedCopy[]): MembershipDecision {
  const decided = filling.map((placed) => goOn(seen, placed));
  const next = decided.find(({ placement }) => placement !== undefined) ?? replaceBeside(seen, filling) ?? decided[0];
  if (next === undefined) throw new Error('no copy is being filled');
  return next;
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
