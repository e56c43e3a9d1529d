/** A Clock that stands still until a test or the simulator moves it; the same steps always give the same run. */
import type { Clock, Millis } from './clock.ts';

interface Timer {
  readonly dueAt: Millis;
  readonly order: number;
  readonly fire: () => void;
}

export interface FakeClock extends Clock {
  /** Moves time on by `ms`, firing timers in the order of their due times; code woken by one may set the next. */
  advance(ms: Millis): Promise<void>;
  /** Moves time on to the next timer and fires it. False when no timer is set. */
  advanceToNextTimer(): Promise<boolean>;
  /** Lets everything that can run without time passing run: resolved promises and their followers. */
  settle(): Promise<void>;
  /** Sets the wall clock, as an operator or NTP would; spans and timers are not touched. */
  setWallClock(now: Millis): void;
  /** How many sleeps are under way: 0 means that nothing will ever happen by itself. */
  timerCount(): number;
}

/**
 * Creates a fake clock for tests and the simulator.
 *
 * @param startMs - wall clock at the start, milliseconds since the epoch
 */
export function createFakeClock(startMs: Millis = Date.UTC(2026, 0, 1)): FakeClock {
  let elapsed = 0;
  let wallOffset = startMs;
  let order = 0;
  const timers = new Set<Timer>();

  const nextTimer = (): Timer | undefined => {
    let next: Timer | undefined;
    for (const timer of timers) {
      const isEarlier = next === undefined || timer.dueAt < next.dueAt;
      const isSameButOlder = next !== undefined && timer.dueAt === next.dueAt && timer.order < next.order;
      if (isEarlier || isSameButOlder) next = timer;
    }
    return next;
  };

  const fire = async (timer: Timer): Promise<void> => {
    elapsed = Math.max(elapsed, timer.dueAt);
    timer.fire();
    await settle();
  };

  return {
    now: () => wallOffset + elapsed,
    monotonic: () => elapsed,
    sleep: (ms, signal) =>
      new Promise<void>((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const stop = () => {
          timers.delete(timer);
          reject(signal?.reason);
        };
        const timer: Timer = {
          dueAt: elapsed + Math.max(0, ms),
          order: order++,
          fire: () => {
            timers.delete(timer);
            signal?.removeEventListener('abort', stop);
            resolve();
          },
        };
        timers.add(timer);
        signal?.addEventListener('abort', stop, { once: true });
      }),
    advance: async (ms) => {
      const end = elapsed + ms;
      await settle();
      for (let timer = nextTimer(); timer !== undefined && timer.dueAt <= end; timer = nextTimer()) await fire(timer);
      elapsed = end;
      await settle();
    },
    advanceToNextTimer: async () => {
      await settle();
      const timer = nextTimer();
      if (timer === undefined) return false;
      await fire(timer);
      return true;
    },
    settle,
    setWallClock: (now) => {
      wallOffset = now - elapsed;
    },
    timerCount: () => timers.size,
  };
}

/** One turn of the event loop: Node runs every microtask, and those they queue, before the next immediate. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
