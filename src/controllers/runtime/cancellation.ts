/** Deadlines and linked abort signals, so that no wait in the runtime lasts longer than it was given. */
import { AppError } from '../../domain/errors.ts';
import type { Clock, Millis } from '../../ports/clock.ts';

export interface LinkedSignal {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
  /** Lets go of the parent; call it when the work is over, or a long-lived parent collects listeners. */
  unlink(): void;
}

/** Creates a signal that aborts with its parent, or by itself. */
export function linkSignal(parent: AbortSignal | undefined): LinkedSignal {
  const controller = new AbortController();
  const follow = () => controller.abort(parent?.reason);
  if (parent?.aborted) follow();
  else parent?.addEventListener('abort', follow, { once: true });
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    unlink: () => parent?.removeEventListener('abort', follow),
  };
}

/**
 * Waits for `work`, but not past the abort of the signal: work that ignores its signal is left to itself.
 *
 * @throws the signal's reason when it is aborted first
 */
export function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) {
      // Its outcome no longer matters to anyone; without this a later failure would end the process.
      work.catch(() => undefined);
      return stop();
    }
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

export interface Deadline {
  readonly ms: Millis;
  /** What is waited for, for the message: "list of volumes". */
  readonly what: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `work` with a signal that aborts at the deadline or with the caller's signal.
 *
 * @throws {AppError} timeout, when the deadline passes first; whatever work throws; the caller's abort reason
 */
export async function withDeadline<T>(
  clock: Clock,
  deadline: Deadline,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const link = linkSignal(deadline.signal);
  const timer = new AbortController();
  clock.sleep(deadline.ms, timer.signal).then(
    () => link.abort(new AppError('timeout', `${deadline.what}: no answer within ${deadline.ms} ms`)),
    () => undefined, // the work was faster and stopped the timer
  );
  try {
    return await unlessAborted(link.signal, work(link.signal));
  } finally {
    timer.abort();
    link.unlink();
  }
}
