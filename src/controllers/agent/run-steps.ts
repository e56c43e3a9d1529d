/** Observe, plan, apply, observe again: how every agent loop brings one subject to its desired state. */
import type { Desired, Engine, Observed, Step, Subject } from '../../ports/engine.ts';
import type { Logger } from '../../ports/logger.ts';

export interface RunStepsOptions<S extends Subject> {
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Asked before each step; false stops without error, because what was planned is no longer ours to do. */
  readonly mayGoOn?: () => Promise<boolean>;
  /** Told what was seen when there is something to do about it, before it is done. */
  readonly onFirstLook?: (observed: Observed<S>) => Promise<void>;
}

export interface RunStepsResult<S extends Subject> {
  readonly observed: Observed<S>;
  readonly applied: readonly Step[];
}

/** @throws {AppError} of the first step that fails; the steps before it have taken effect and are safe to repeat */
export async function runSteps<S extends Subject>(
  engine: Engine,
  desired: Desired<S> & { readonly subject: S },
  { log, signal, mayGoOn, onFirstLook }: RunStepsOptions<S>,
): Promise<RunStepsResult<S>> {
  const observed = await engine.observe<S>(desired, signal);
  const steps = engine.plan<S>(desired, observed);
  if (steps.length > 0) await onFirstLook?.(observed);
  const applied: Step[] = [];
  for (const step of steps) {
    if (mayGoOn !== undefined && !(await mayGoOn())) break;
    log.info('applying step', { step: step.step, about: step.about });
    await engine.apply(step, signal);
    applied.push(step);
  }
  return { observed: applied.length === 0 ? observed : await engine.observe<S>(desired, signal), applied };
}
