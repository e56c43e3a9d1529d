/** A Random that is drawn from a seed, so a simulation or a failing test can be run again exactly. */
import type { Random } from './random.ts';

/**
 * Creates a seeded random source (mulberry32: 32 bits of state, good enough for faults and jitter, never for secrets).
 *
 * @param seed - any integer; its low 32 bits count
 */
export function createSeededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const hex = (digits: number): string =>
    Array.from({ length: digits }, () => Math.floor(next() * 16).toString(16)).join('');
  return {
    next,
    // RFC 9562: version 4 in the third group, variant 10xx in the fourth.
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-${'89ab'[Math.floor(next() * 4)]}${hex(3)}-${hex(12)}`,
    secret: () => hex(64),
  };
}
