import { expect, test } from 'vitest';
import { type Arrival, noProgress, withArrival } from './progress.ts';

const arrivals: readonly Arrival[] = [
  { seq: 1, hash: 'a', at: 1_000 },
  { seq: 2, hash: 'b', at: 1_010 },
  { seq: 3, hash: 'c', at: 4_010 },
  { seq: 4, hash: 'd', at: 4_020 },
  { seq: 5, hash: 'e', at: 9_020 },
];

test('the longest gap between two arrivals is the longest stall', () => {
  let progress = noProgress('w1');
  for (const arrival of arrivals) progress = withArrival(progress, arrival);
  expect(progress).toEqual({
    writer: 'w1',
    acknowledged: 5,
    lastSeq: 5,
    lastHash: 'e',
    firstAt: 1_000,
    lastAt: 9_020,
    longestStall: { ms: 5_000, afterSeq: 4, from: 4_020 },
  });
});

test('one record makes no stall', () => {
  const progress = withArrival(noProgress('w1'), { seq: 1, hash: 'a', at: 1_000 });
  expect(progress.longestStall).toBeUndefined();
});
