/** Whether the work of an agent comes round, so that one that hangs does not go on saying that its node is well. */
import type { Clock, Millis } from '../../ports/clock.ts';

/**
 * Longer than any look that goes on in the end: each command of one has a deadline of its own, of a minute at most. Only the
 * formatting of a disk may take longer; a node that does nothing but that is of no use meanwhile.
 */
export const PULSE_LIMIT_MS: Millis = 180_000;

export interface Pulse {
  /** Does work that has to come to an end, with whatever result; also work that its caller has given up counts until then. */
  during<T>(what: string, work: () => Promise<T>): Promise<T>;
  /** What has hung for longer than the limit, while nothing of the kind has ended since; undefined when all is well. */
  complaint(): string | undefined;
}

/** Creates the pulse of one agent process. */
export function createPulse(clock: Pick<Clock, 'monotonic'>): Pulse {
  const underWay = new Set<{ readonly what: string; readonly since: Millis }>();
  let lastEnd = Number.NEGATIVE_INFINITY;
  return {
    during: async (what, work) => {
      const mine = { what, since: clock.monotonic() };
      underWay.add(mine);
      try {
        return await work();
      } finally {
        underWay.delete(mine);
        lastEnd = clock.monotonic();
      }
    },
    complaint: () => {
      const now = clock.monotonic();
      const [oldest] = underWay;
      if (oldest === undefined) return undefined;
      const hangsForMs = now - Math.max(oldest.since, lastEnd);
      if (hangsForMs <= PULSE_LIMIT_MS) return undefined;
      return `${oldest.what} has not ended for ${Math.round(hangsForMs / 1000)} s, so the node is not called well`;
    },
  };
}
