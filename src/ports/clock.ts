/** Time as a port: whoever waits takes a Clock, so tests and the simulator decide what time it is. */

/** Milliseconds: an instant (since the epoch) or a span, as the name says. */
export type Millis = number;

export interface Clock {
  /** Milliseconds since the epoch; may jump when the machine's clock is set. */
  now(): Millis;
  /** Milliseconds since some fixed moment; never runs backwards. For measuring spans. */
  monotonic(): Millis;
  /**
   * Resolves after `ms`. Rejects with the signal's reason when it is aborted first.
   * Only for time that itself is the point (a period, a backoff); to wait for a fact, watch the fact.
   */
  sleep(ms: Millis, signal?: AbortSignal): Promise<void>;
}
