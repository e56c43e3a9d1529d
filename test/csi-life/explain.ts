/** Which states explain what the branches of a step were answered: some order of them has to. */
import type { Branch, Call, Step } from './calls.ts';
import { type LifeRules, type Outcome, originOf, outcomesOf, type State } from './model.ts';

/** What a branch was answered. */
export interface Answer {
  readonly branch: Branch;
  /** Name of the status; UNKNOWN where the caller has gone, or the server. */
  readonly code: string;
  readonly value?: unknown;
  /** What a write wrote. */
  readonly token: string;
}

/** All states after the step; none when no order explains it. */
export function explain(
  states: readonly State[],
  step: Step,
  answers: readonly Answer[],
  rules: LifeRules = {},
): readonly State[] {
  if (answers.length === 0) return distinct(states);
  return distinct(
    answers.flatMap((answer, at) => {
      const rest = answers.toSpliced(at, 1);
      const next = states.flatMap((state) => possible(state, step, answer, rules));
      return next.length === 0 ? [] : explain(next, step, rest, rules);
    }),
  );
}

function possible(
  state: State,
  step: Step,
  { branch, code, value, token }: Answer,
  rules: LifeRules,
): readonly State[] {
  const outcomes = outcomesOf(state, branch.call, token, rules);
  // Whoever has gone does not know; what was half done is whole or not there once the driver has let go of it.
  if (code === 'UNKNOWN') return [state, ...outcomes.flatMap((outcome) => halfway(state, branch.call, outcome))];
  const isTogether = step.branches.length > 1 || step.isRestart;
  if (isTogether && mayBeTurnedAway(step, branch.call, code)) return [state];
  return outcomes
    .filter((outcome) => outcome.code === code && (outcome.value === undefined || outcome.value === value))
    .map((outcome) => outcome.state);
}

/** A clone that is larger than what it is of has two steps. */
function halfway(state: State, call: Call, outcome: Outcome): readonly State[] {
  if (call.do !== 'create' || call.from === undefined || outcome.code !== 'OK') return [outcome.state];
  const origin = originOf(state, call.from);
  const made = outcome.state.volumes[call.volume];
  if (origin === undefined || made === undefined) return [outcome.state];
  const small = {
    ...outcome.state,
    volumes: { ...outcome.state.volumes, [call.volume]: { ...made, gib: origin.gib } },
  };
  return [outcome.state, small];
}

/** Beside others a call may be told to come again, or that what it works with is just going or coming. */
function mayBeTurnedAway({ branches }: Step, call: Call, code: string): boolean {
  if (code === 'ABORTED') return true;
  const others = branches.map((each) => each.call).filter((each) => each !== call);
  const isTouched = (id: string) => others.some((other) => touches(other, id));
  if (usedBy(call).some(isTouched)) return code === 'NOT_FOUND' || code === 'FAILED_PRECONDITION';
  const isSource = others.some(
    (other) => other.do === 'create' && other.from !== undefined && isOf(other.from.id, call),
  );
  return (call.do === 'unsnap' || call.do === 'ungroup') && isSource && code === 'FAILED_PRECONDITION';
}

/** What a call makes something of. */
function usedBy(call: Call): readonly string[] {
  if (call.do === 'create') return call.from === undefined ? [] : [call.from.id];
  if (call.do === 'snap') return [call.volume];
  return call.do === 'group' ? call.volumes : [];
}

const touches = (other: Call, id: string): boolean => ('volume' in other && other.volume === id) || isOf(id, other);

const isOf = (id: string, call: Call): boolean =>
  ('snapshot' in call && call.snapshot === id) || ('group' in call && id.startsWith(`${call.group}-`));

/** Each state once: two orders mostly come to the same. */
function distinct(states: readonly State[]): readonly State[] {
  return [...new Map(states.map((state) => [JSON.stringify(state), state])).values()];
}
