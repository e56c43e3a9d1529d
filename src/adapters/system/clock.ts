/** The machine's clock. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock, Millis } from '../../ports/clock.ts';

/** Node's timers hold 31 bits of milliseconds and fire at once above that. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Creates the real clock. */
export function createSystemClock(): Clock {
  const monotonic = (): Millis => performance.now();
  return {
    now: () => Date.now(),
    monotonic,
    sleep: async (ms, signal) => {
      const end = monotonic() + ms;
      for (let left = ms; ; left = end - monotonic()) {
        await delay(Math.min(Math.max(0, left), LONGEST_TIMER_MS), undefined, signal ? { signal } : {}).catch(
          (error: unknown) => {
            // Node wraps the reason in an AbortError of its own; callers are promised the reason itself.
            throw signal?.aborted ? signal.reason : error;
          },
        );
        if (left <= LONGEST_TIMER_MS) return;
      }
    },
  };
}
