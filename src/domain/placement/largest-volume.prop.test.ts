import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatQuantity, MIB } from '../bytes.ts';
import { MIN_VOLUME_BYTES } from '../volume/copy-size.ts';
import { wantedCopies } from '../volume/replica-sets.ts';
import { choosePlacement } from './choose-placement.ts';
import { poolSizes, type VolumeToPlace } from './from-resources.ts';
import { largestVolume } from './largest-volume.ts';
import type { PlacementInput, PlacementNode } from './model.ts';

type Spec = VolumeToPlace['spec'];

function inputOf(nodes: readonly PlacementNode[], spec: Spec): PlacementInput {
  const { pool, engine, zones } = spec;
  const request = { volume: 'v', pool, engine, sizeBytes: poolSizes(spec), copies: wantedCopies(spec) };
  return { request: { ...request, ...(zones === undefined ? {} : { zones }) }, nodes, existing: [] };
}

const isMostly = fc.nat(19).map((one) => one > 0);
const arbitraryNode = fc.record({
  zone: fc.constantFrom('a', 'b'),
  ...{ isReady: isMostly, isCordoned: isMostly.map((is) => !is), engineRunning: isMostly, copyCount: fc.nat(3) },
  pool: fc.record({
    ...{ name: isMostly.map((is) => (is ? 'default' : 'other')), isReady: isMostly, freeBytes: fc.nat(4_000 * MIB) },
    ...{ capacityBytes: fc.nat(5_000 * MIB), promisedBytes: fc.nat(500 * MIB), committedBytes: fc.nat(500 * MIB) },
  }),
});
const arbitraryNodes = fc
  .array(arbitraryNode, { minLength: 2, maxLength: 12, size: 'max' })
  .map((nodes) => nodes.map(({ pool, ...node }, at): PlacementNode => ({ ...node, name: `n${at}`, pools: [pool] })));
const one = { size: '128Mi', pool: 'default', engine: 'gluster' } as const;
const arbitrarySpec: fc.Arbitrary<Spec> = fc
  .record({
    layout: fc.constantFrom(
      ...([
        { layout: 'single' },
        { layout: 'replicated', replicas: 3 },
        { layout: 'arbiter' },
        { layout: 'arbiter', distribution: 2 },
        { layout: 'dispersed', disperseData: 2, redundancy: 1 },
        { layout: 'distributed', distribution: 3 },
        { layout: 'distributed-replicated', replicas: 2, distribution: 2, allowSplitBrain: true },
        { layout: 'distributed-dispersed', disperseData: 2, redundancy: 1, distribution: 2 },
      ] as const),
    ),
    brick: fc.constantFrom('image' as const, 'directory' as const),
    isInZone: fc.boolean(),
  })
  .map(({ layout, brick, isInZone }) => ({ ...one, ...layout, brick, ...(isInZone ? { zones: ['a'] } : {}) }));

test('a volume of the answer is placed, and none that is larger: what a search by placements would find', () => {
  let found = 0;
  fc.assert(
    fc.property(arbitraryNodes, arbitrarySpec, fc.integer({ min: 1, max: 4_000 }), (nodes, spec, more) => {
      const sized = (bytes: number) => inputOf(nodes, { ...spec, size: formatQuantity(bytes) });
      const answer = largestVolume(inputOf(nodes, spec), spec);
      if (answer > 0) found += 1;
      expect(answer % MIB).toBe(0);
      if (answer > 0) expect(choosePlacement(sized(answer)).ok).toBe(true);
      const next = Math.max(MIN_VOLUME_BYTES, answer + MIB);
      for (const size of [next, next + more * MIB]) expect(choosePlacement(sized(size)).ok).toBe(false);
    }),
    { numRuns: 100 },
  );
  expect(found).toBeGreaterThan(20);
});
