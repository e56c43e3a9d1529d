/** Conditions in the KEP-1623 form: read and set by type. */
import { kubernetesTime } from '../../domain/kubernetes-time.ts';
import type { Millis } from '../../ports/clock.ts';
import type { Condition } from '../../schemas/common.ts';

/** A condition as a controller decides it; the time of its last transition follows from what was there. */
export type ConditionInput = Omit<Condition, 'lastTransitionTime'>;

/**
 * The conditions with one set: replaced in place, or added at the end. `lastTransitionTime` moves only when the status
 * does; when nothing at all changes, the very same list comes back.
 *
 * @param now - wall clock, milliseconds since the epoch
 */
export function setCondition(
  conditions: readonly Condition[] | undefined,
  input: ConditionInput,
  now: Millis,
): readonly Condition[] {
  const list = conditions ?? [];
  const before = list.find((condition) => condition.type === input.type);
  const lastTransitionTime = before?.status === input.status ? before.lastTransitionTime : kubernetesTime(now);
  const after: Condition = { ...input, lastTransitionTime };
  if (before === undefined) return [...list, after];
  return isSame(before, after) ? list : list.map((condition) => (condition.type === input.type ? after : condition));
}

function isSame(a: Condition, b: Condition): boolean {
  return (
    a.status === b.status &&
    a.reason === b.reason &&
    a.message === b.message &&
    a.lastTransitionTime === b.lastTransitionTime &&
    a.observedGeneration === b.observedGeneration
  );
}
