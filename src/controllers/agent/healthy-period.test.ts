import { expect, test } from 'vitest';
import { healthyPeriod } from './healthy-period.ts';

test.each([
  [1, 30_000],
  [30, 30_000],
  [31, 31_000],
  [1_000, 1_000_000],
])('of %d healthy volumes each is looked at after %d ms: all together no more often than one a second', (count, ms) => {
  expect(healthyPeriod(count)).toBe(ms);
});
