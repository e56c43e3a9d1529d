/** How an engine does its steps: a table from the name of a step to what it does, and the step that all engines share. */
import { AppError, type ErrorKind } from '../../domain/errors.ts';
import type { Step } from '../../ports/engine.ts';

/** For each step of an engine what is done. */
export type StepTable<S extends Step> = {
  readonly [K in S['step']]: (step: Extract<S, { readonly step: K }>, signal: AbortSignal) => Promise<void>;
};

/** Planned where nothing may be done: it ends in an error with its words. */
export type RefuseStep = Step & {
  readonly step: 'refuse';
  readonly kind: ErrorKind;
  readonly resource: string;
  readonly reason: string;
  readonly hint: string;
};

/** @throws {AppError} always, as the step says */
export async function refuse({ about, kind, resource, reason, hint }: RefuseStep): Promise<void> {
  throw new AppError(kind, about, { resource, reason, hint });
}

/**
 * Does a step.
 *
 * @param engine - its name, for the error
 * @throws {AppError} internal, for a step of another engine; what the step throws
 */
export async function applyStep<S extends Step>(
  engine: string,
  table: StepTable<S>,
  step: Step,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  if (!Object.hasOwn(table, step.step)) {
    throw new AppError('internal', `the ${engine} engine knows no step "${step.step}"`, {
      reason: 'UnknownStep',
      hint: 'apply a step with the engine that planned it',
    });
  }
  // Steps come from this engine's own planner; the name decides which of the union it is.
  const act = table[step.step as S['step']] as (step: Step, signal: AbortSignal) => Promise<void>;
  await act(step, signal);
}
