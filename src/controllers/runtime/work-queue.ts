/** A queue of keys to look at: each at most once in it, never two workers on one key, retries with backoff. */
import type { Clock, Millis } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import { type BackoffLimits, backoffMs } from './backoff.ts';
import { createDelayedKeys } from './delayed-keys.ts';

export interface WorkQueueStats {
  /** Keys ready and waiting for a worker. */
  readonly depth: number;
  /** Keys that become ready later. */
  readonly delayed: number;
  /** Keys being worked on. */
  readonly active: number;
  /** How often addRateLimited was called, since the queue was made. */
  readonly retries: number;
}

export interface WorkQueue {
  /** Makes a key ready. One that waits already stays once; one being worked on runs again afterwards. */
  add(key: string): void;
  /** Makes a key ready in `ms`; of several such plans the EARLIEST holds. */
  addAfter(key: string, ms: Millis): void;
  /** Makes a key ready after a delay that doubles each time until {@link WorkQueue.forget}. */
  addRateLimited(key: string): void;
  /** Ends the backoff of a key: its next failure starts from the shortest delay. */
  forget(key: string): void;
  /**
   * Works with N workers until the signal aborts, then waits for those that are in the middle of a key and returns.
   * Keys still waiting are dropped: a controller lists everything when it starts again.
   *
   * @param process - must not throw; what to do about a failure is its business (addRateLimited)
   */
  run(workers: number, process: (key: string) => Promise<void>, signal: AbortSignal): Promise<void>;
  stats(): WorkQueueStats;
}

const DEFAULT_BACKOFF: BackoffLimits = { baseMs: 5, maxMs: 5 * 60_000 };

/** Creates a work queue for one controller. */
export function createWorkQueue(
  deps: { readonly clock: Clock; readonly random: Random },
  backoff: BackoffLimits = DEFAULT_BACKOFF,
): WorkQueue {
  /** Ready keys in the order they came; a Set keeps insertion order and drops duplicates. */
  const ready = new Set<string>();
  const active = new Set<string>();
  /** Added while being worked on. */
  const again = new Set<string>();
  const failures = new Map<string, number>();
  /** Workers with nothing to do. */
  const idle: (() => void)[] = [];
  let retries = 0;
  let isStopped = false;

  const add = (key: string): void => {
    if (isStopped) return;
    if (active.has(key)) {
      again.add(key);
      return;
    }
    ready.add(key);
    idle.shift()?.();
  };
  const delayed = createDelayedKeys(deps.clock, add);
  const addAfter = (key: string, ms: Millis): void => {
    if (isStopped) return;
    if (ms > 0) delayed.add(key, ms);
    else add(key);
  };

  const work = async (process: (key: string) => Promise<void>): Promise<void> => {
    while (!isStopped) {
      const [key] = ready;
      if (key === undefined) {
        await new Promise<void>((wake) => idle.push(wake));
        continue;
      }
      ready.delete(key);
      active.add(key);
      try {
        await process(key);
      } finally {
        active.delete(key);
        if (again.delete(key)) add(key);
      }
    }
  };

  const stop = (): void => {
    isStopped = true;
    delayed.clear();
    ready.clear();
    for (const wake of idle.splice(0)) wake();
  };

  return {
    add,
    addAfter,
    addRateLimited: (key) => {
      const failed = failures.get(key) ?? 0;
      failures.set(key, failed + 1);
      retries += 1;
      addAfter(key, backoffMs(deps.random, backoff, failed));
    },
    forget: (key) => failures.delete(key),
    run: async (workers, process, signal) => {
      if (signal.aborted) return stop();
      signal.addEventListener('abort', stop, { once: true });
      try {
        await Promise.all(Array.from({ length: workers }, () => work(process)));
      } finally {
        signal.removeEventListener('abort', stop);
      }
    },
    stats: () => ({ depth: ready.size, delayed: delayed.size(), active: active.size, retries }),
  };
}
