import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GIB } from '../bytes.ts';
import { applyChange } from './apply-change.ts';
import { choosePlacement } from './choose-placement.ts';
import { explainPlacement } from './explain-placement.ts';
import type { CopyRole, PlacementInput, PlacementNode } from './model.ts';

interface Shape {
  readonly sets: number;
  readonly roles: readonly CopyRole[];
  readonly arbiterGib: number;
}

function inputOf(rooms: readonly number[], zones: readonly (string | undefined)[], shape: Shape): PlacementInput {
  const nodes = rooms.map((gib, at): PlacementNode => {
    const [bytes, zone] = [gib * GIB, zones[at]];
    const pool = { name: 'default', isReady: true, capacityBytes: 20 * GIB, freeBytes: bytes };
    return {
      ...{ name: `n${at}`, isReady: true, isCordoned: false, engineRunning: true, copyCount: 0 },
      ...(zone === undefined ? {} : { zone }),
      pools: [{ ...pool, promisedBytes: 0, committedBytes: 20 * GIB - bytes }],
    };
  });
  const size = shape.roles.length;
  const copies = Array.from({ length: shape.sets }, (_, set) =>
    shape.roles.map((role, at) => ({ index: set * size + at, role, set })),
  ).flat();
  const sizeBytes = { data: 2 * GIB, arbiter: shape.arbiterGib * GIB };
  return { request: { volume: 'v', pool: 'default', engine: 'gluster', sizeBytes, copies }, nodes, existing: [] };
}

const arbitraryInput = fc
  .record({
    rooms: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 7 }),
    zones: fc.array(fc.constantFrom(undefined, 'a', 'b', 'c'), { minLength: 7, maxLength: 7 }),
    sets: fc.integer({ min: 2, max: 4 }),
    roles: fc.constantFrom<readonly CopyRole[]>(['data'], ['data', 'data', 'data'], ['data', 'data', 'arbiter']),
    arbiterGib: fc.constantFrom(1, 2),
  })
  .map(({ rooms, zones, ...shape }) => inputOf(rooms, zones, shape));

const runs = { numRuns: 300 };

test('no two copies of a set share a node, and no pool is promised more than it has', () => {
  fc.assert(
    fc.property(arbitraryInput, (input) => {
      const result = choosePlacement(input);
      if (!result.ok) return;
      expect(result.placed.map((placed) => placed.index)).toEqual(input.request.copies.map((copy) => copy.index));
      const places = result.placed.map((placed) => `${placed.set} ${placed.node}`);
      expect(new Set(places).size).toBe(places.length);
      for (const node of input.nodes) {
        const own = result.placed.filter((placed) => placed.node === node.name);
        const taken = own.reduce((sum, placed) => sum + input.request.sizeBytes[placed.role], 0);
        expect(taken).toBeLessThanOrEqual(node.pools[0]?.freeBytes ?? 0);
      }
    }),
    runs,
  );
});

test('copies of one size find places whenever there are any', () => {
  fc.assert(
    fc.property(arbitraryInput, (input) => {
      const { request, nodes } = input;
      if (request.copies.some((copy) => copy.role === 'arbiter')) return;
      const sets = new Set(request.copies.map((copy) => copy.set)).size;
      // Each node takes as many copies as it has room for, but one of each set (Gale and Ryser, for equal sets).
      const room = nodes.map((node) => Math.min(sets, Math.floor((node.pools[0]?.freeBytes ?? 0) / (2 * GIB))));
      expect(choosePlacement(input).ok).toBe(room.reduce((sum, each) => sum + each, 0) >= request.copies.length);
    }),
    runs,
  );
});

test('what is advised makes it fit', () => {
  fc.assert(
    fc.property(arbitraryInput, (input) => {
      const result = choosePlacement(input);
      if (result.ok) return;
      expect(choosePlacement(result.changes.reduce(applyChange, input)).ok).toBe(true);
      expect(result.smallestChange).not.toBe('');
    }),
    runs,
  );
});

test('sets go to nodes of their own as long as there are any, whatever the free space', () => {
  const one = { sets: 4, roles: ['data'] as const, arbiterGib: 1 };
  const result = choosePlacement(inputOf([2, 9, 3, 2], [], one));
  expect(result.ok && result.placed.map((placed) => placed.node).toSorted()).toEqual(['n0', 'n1', 'n2', 'n3']);
  expect(choosePlacement(inputOf([5, 9], [], one))).toMatchObject({ ok: true });
});

test('each set is spread over zones, and the table has a row for each copy', () => {
  const input = inputOf([9, 9, 9, 9, 9, 9], ['a', 'a', 'b', 'b', 'c', 'c'], {
    ...{ sets: 2, roles: ['data', 'data', 'data'], arbiterGib: 1 },
  });
  const result = choosePlacement(input);
  const zones = (set: number) =>
    (result.ok ? result.placed : [])
      .filter((placed) => placed.set === set)
      .map((placed) => input.nodes.find((node) => node.name === placed.node)?.zone ?? '')
      .toSorted();
  expect([zones(0), zones(1)]).toEqual([
    ['a', 'b', 'c'],
    ['a', 'b', 'c'],
  ]);
  expect(explainPlacement(input).nodes.map((row) => row.chosenFor?.index)).toHaveLength(6);
});

test('the refusal tells the sets, and what would help', () => {
  const result = choosePlacement(inputOf([9, 9], [], { sets: 2, roles: ['data', 'data', 'data'], arbiterGib: 1 }));
  expect(result).toMatchObject({
    ok: false,
    message:
      'volume v needs 6 copies in 2 sets, no two of a set on one node; only 2 fit (a data copy takes 2 GiB in pool default)',
    changes: [{ change: 'addNodes', count: 1 }],
  });
});
