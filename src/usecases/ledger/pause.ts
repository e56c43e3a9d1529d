/** Waiting on the writer's side of the ledger. */
import { AppError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';

/** Sleeps. @throws {AppError} cancelled, when the signal aborts: an error like every other of the writer */
export async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch (cause) {
    throw new AppError('cancelled', 'the ledger writer was stopped', { cause });
  }
}
