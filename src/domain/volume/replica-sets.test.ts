import { expect, test } from 'vitest';
import { mayDiverge, replicaSets, wantedCopies } from './replica-sets.ts';

test('copies come in the engine order, set by set, the arbiter last in each', () => {
  expect(wantedCopies({ layout: 'arbiter', distribution: 2 })).toEqual([
    { index: 0, role: 'data', set: 0 },
    { index: 1, role: 'data', set: 0 },
    { index: 2, role: 'arbiter', set: 0 },
    { index: 3, role: 'data', set: 1 },
    { index: 4, role: 'data', set: 1 },
    { index: 5, role: 'arbiter', set: 1 },
  ]);
  expect(wantedCopies({ layout: 'replicated', replicas: 2 })).toEqual([
    { index: 0, role: 'data' },
    { index: 1, role: 'data' },
  ]);
  expect(wantedCopies({ layout: 'dispersed', disperseData: 4, redundancy: 2 })).toHaveLength(6);
});

test.each([
  [{ layout: 'single' }, [[1, 1]]],
  [{ layout: 'replicated' }, [[3, 2]]],
  [{ layout: 'replicated', replicas: 2 }, [[2, 2]]],
  [{ layout: 'replicated', replicas: 2, allowSplitBrain: true }, [[2, 1]]],
  [{ layout: 'replicated', replicas: 3, allowSplitBrain: true }, [[3, 2]]],
  [{ layout: 'arbiter', allowSplitBrain: true }, [[3, 2]]],
  [
    { layout: 'distributed-replicated', replicas: 2, distribution: 2, allowSplitBrain: true },
    [
      [2, 1],
      [2, 1],
    ],
  ],
  [
    { layout: 'arbiter', distribution: 2 },
    [
      [3, 2],
      [3, 2],
    ],
  ],
  [
    { layout: 'distributed', distribution: 2 },
    [
      [1, 1],
      [1, 1],
    ],
  ],
  [
    { layout: 'distributed-dispersed', distribution: 2, disperseData: 4, redundancy: 2 },
    [
      [6, 4],
      [6, 4],
    ],
  ],
] as const)('%o has sets of so many copies that need so many', (spec, expected) => {
  const sets = replicaSets(spec, wantedCopies(spec));
  expect(sets.map(({ copies, quorum }) => [copies.length, quorum])).toEqual(expected);
  expect(sets.map(({ set }) => set)).toEqual(expected.map((_, set) => set));
});

test('two copies may diverge only where it was allowed, and not while one of them is on its way in or out', () => {
  const allowed = { layout: 'replicated', replicas: 2, allowSplitBrain: true } as const;
  expect(mayDiverge(allowed, [{}, {}])).toBe(true);
  expect(mayDiverge({ ...allowed, allowSplitBrain: false }, [{}, {}])).toBe(false);
  expect(mayDiverge(allowed, [{}, { isJoining: true }])).toBe(false);
  expect(mayDiverge(allowed, [{ isLeaving: true }, {}])).toBe(false);
  expect(mayDiverge(allowed, [{}])).toBe(false);
  expect(mayDiverge({ ...allowed, replicas: 3 }, [{}, {}])).toBe(false);
  expect(mayDiverge({ layout: 'single', allowSplitBrain: true }, [{}, {}])).toBe(false);
});
