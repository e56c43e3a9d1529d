import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GIB } from '../bytes.ts';
import { applyChange } from './apply-change.ts';
import { choosePlacement } from './choose-placement.ts';
import { failedChecks } from './filters.ts';
import type { CopyRole, PlacementInput, PlacementNode, PlacementPool } from './model.ts';
import { roomOf, zoneKey } from './model.ts';

const size = fc.integer({ min: 0, max: 12 }).map((halves) => (halves * GIB) / 2);

const arbitraryPool: fc.Arbitrary<PlacementPool> = fc.oneof(
  { weight: 9, arbitrary: reportedPool() },
  { weight: 1, arbitrary: fc.constant(unreported()) },
);

function reportedPool(): fc.Arbitrary<PlacementPool> {
  return fc.record({
    name: fc.constantFrom('default', 'default', 'default', 'fast'),
    isReady: fc.integer({ min: 0, max: 9 }).map((value) => value > 0),
    capacityBytes: size.map((value) => value + 6 * GIB),
    freeBytes: size,
    promisedBytes: size.map((value) => value / 4),
    committedBytes: size.map((value) => value / 2),
  });
}

function unreported(): PlacementPool {
  const nothing = { capacityBytes: 0, freeBytes: 0, promisedBytes: 0, committedBytes: 0 };
  return { name: 'default', isReady: false, ...nothing };
}

const arbitraryNode = fc.record({
  zone: fc.option(fc.constantFrom('a', 'b', 'c'), { nil: undefined }),
  isReady: fc.integer({ min: 0, max: 9 }).map((value) => value > 0),
  isCordoned: fc.integer({ min: 0, max: 9 }).map((value) => value === 0),
  isComputeOnly: fc.integer({ min: 0, max: 9 }).map((value) => value === 0),
  engineRunning: fc.integer({ min: 0, max: 9 }).map((value) => value > 0),
  copyCount: fc.integer({ min: 0, max: 5 }),
  pools: fc.uniqueArray(arbitraryPool, { selector: (pool) => pool.name, maxLength: 2 }),
});

const arbitraryInput: fc.Arbitrary<PlacementInput> = fc
  .record({
    nodes: fc.array(arbitraryNode, { maxLength: 7 }),
    roles: fc.array(fc.constantFrom<CopyRole>('data', 'data', 'arbiter'), { minLength: 1, maxLength: 4 }),
    data: size,
    arbiter: size,
    zones: fc.option(fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1 }), { nil: undefined, freq: 5 }),
    existingCount: fc.integer({ min: 0, max: 2 }),
  })
  .map(({ nodes, roles, data, arbiter, zones, existingCount }) => {
    const named = nodes.map(({ zone, ...rest }, at): PlacementNode => {
      return { name: `n${at}`, ...rest, ...(zone === undefined ? {} : { zone }) };
    });
    return {
      request: {
        volume: 'v',
        pool: 'default',
        engine: 'gluster',
        sizeBytes: { data, arbiter },
        copies: roles.map((role, index) => ({ index, role })),
        ...(zones === undefined ? {} : { zones }),
      },
      nodes: named,
      existing: named.slice(0, existingCount).map((node) => ({ node: node.name })),
    };
  });

const runs = { numRuns: 250 };

test('every copy lands on a node that passes every filter, and no two share one', () => {
  fc.assert(
    fc.property(arbitraryInput, (input) => {
      const result = choosePlacement(input);
      fc.pre(result.ok);
      const { request, existing } = input;
      expect(result.placed.map(({ index, role }) => ({ index, role }))).toEqual(request.copies);
      const used = [...existing.map((copy) => copy.node), ...result.placed.map((placed) => placed.node)];
      expect(new Set(used).size).toBe(used.length);
      for (const placed of result.placed) {
        const node = input.nodes.find((candidate) => candidate.name === placed.node);
        const pool = node?.pools.find((candidate) => candidate.name === placed.pool);
        if (node === undefined || pool === undefined) throw new Error('placed on something that is not there');
        expect(roomOf(pool)).toBeGreaterThanOrEqual(request.sizeBytes[placed.role]);
        expect(failedChecks({ node, request, takenNodes: new Set(), sizeBytes: 0 })).toEqual([]);
      }
    }),
    runs,
  );
});

test('the order of nodes and copies that exist does not matter', () => {
  const shuffled = arbitraryInput.chain((input) =>
    fc
      .tuple(
        fc.shuffledSubarray([...input.nodes], { minLength: input.nodes.length }),
        fc.shuffledSubarray([...input.existing], { minLength: input.existing.length }),
      )
      .map(([nodes, existing]) => [input, { ...input, nodes, existing }] as const),
  );
  fc.assert(
    fc.property(shuffled, ([input, other]) => {
      expect(choosePlacement(other)).toEqual(choosePlacement(input));
    }),
    runs,
  );
});

test('it refuses only what cannot be placed, and spreads over zones as evenly as any placement could', () => {
  fc.assert(
    fc.property(arbitraryInput, (input) => {
      const best = mostEvenByTryingAll(input);
      const result = choosePlacement(input);
      expect(result.ok).toBe(best !== undefined);
      if (result.ok)
        expect(
          unevenness(
            input,
            result.placed.map((placed) => placed.node),
          ),
        ).toBe(best);
    }),
    runs,
  );
});

test('the smallest change makes it fit, and a MiB less of any space does not', () => {
  fc.assert(
    fc.property(arbitraryInput, (input) => {
      const result = choosePlacement(input);
      fc.pre(!result.ok);
      const { changes } = result;
      expect(result.smallestChange).not.toBe('');
      expect(choosePlacement(changes.reduce(applyChange, input)).ok).toBe(true);
      for (const [at, change] of changes.entries()) {
        const without = changes.filter((_, other) => other !== at);
        expect(choosePlacement(without.reduce(applyChange, input)).ok, change.change).toBe(false);
        if (change.change !== 'addSpace') continue;
        const less = [...without, { ...change, bytes: change.bytes - 1024 * 1024 }];
        expect(choosePlacement(less.reduce(applyChange, input)).ok).toBe(false);
      }
    }),
    runs,
  );
});

/** Sum of squares of the copies per zone: the smaller, the more even. */
function unevenness(input: PlacementInput, chosen: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const name of [...input.existing.map((copy) => copy.node), ...chosen]) {
    const key = zoneKey(input.nodes.find((node) => node.name === name) ?? { name });
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts.values()].reduce((sum, count) => sum + count * count, 0);
}

function mostEvenByTryingAll(input: PlacementInput): number | undefined {
  const { request } = input;
  const takenNodes = new Set(input.existing.map((copy) => copy.node));
  let best: number | undefined;
  const visit = (at: number, chosen: readonly string[]): void => {
    const copy = request.copies[at];
    if (copy === undefined) {
      const found = unevenness(input, chosen);
      best = best === undefined ? found : Math.min(best, found);
      return;
    }
    const sizeBytes = request.sizeBytes[copy.role];
    for (const node of input.nodes) {
      if (chosen.includes(node.name)) continue;
      if (failedChecks({ node, request, takenNodes, sizeBytes }).length === 0) visit(at + 1, [...chosen, node.name]);
    }
  };
  visit(0, []);
  return best;
}
