/** How long to wait before trying again. */
import type { Millis } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';

export interface BackoffLimits {
  readonly baseMs: Millis;
  readonly maxMs: Millis;
}

/** Share of the delay that chance may take away, so that many who failed together do not come back together. */
const JITTER = 0.5;
/** 2^30 times any base is above every sensible maximum; more would only lose precision. */
const MAX_DOUBLINGS = 30;

/**
 * The delay before the next try: doubles with each failure from `baseMs` up to `maxMs`, less up to half by chance.
 *
 * @param failures - how many tries in a row have failed before, from 0
 */
export function backoffMs(random: Random, limits: BackoffLimits, failures: number): Millis {
  const full = Math.min(limits.maxMs, limits.baseMs * 2 ** Math.min(failures, MAX_DOUBLINGS));
  return Math.max(Math.min(limits.baseMs, limits.maxMs), full * (1 - JITTER * random.next()));
}
