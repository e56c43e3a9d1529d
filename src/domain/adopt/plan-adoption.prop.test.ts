import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { PlanFile } from '../../schemas/plan-file.ts';
import { VolumeSpec } from '../../schemas/volume.ts';
import { checkPlan } from '../plan/check-plan.ts';
import { diffPlan } from '../plan/diff-plan.ts';
import { resolvePlan } from '../plan/resolve-plan.ts';
import { fragmentsOf, replicasOf, setCount, setRoles } from '../volume/replica-sets.ts';
import { placeAdopted } from './adopted-placement.ts';
import { planAdoption } from './plan-adoption.ts';
import { seenBrick, seenPool, seenVolume } from './pool.fake.ts';
import type { SeenPoolVolume } from './seen-pool.ts';

const NODES = 9;

/** Volumes as gluster lists them: any shape of sets, each on machines of its own. */
const volumes: fc.Arbitrary<SeenPoolVolume> = fc
  .record({
    shape: fc.oneof(
      fc.record({ kind: fc.constant('replica' as const), size: fc.integer({ min: 2, max: 6 }) }),
      fc.record({ kind: fc.constant('arbiter' as const), size: fc.constant(3) }),
      fc.record({ kind: fc.constant('disperse' as const), size: fc.integer({ min: 3, max: 9 }) }),
      fc.record({ kind: fc.constant('single' as const), size: fc.constant(1) }),
    ),
    sets: fc.integer({ min: 1, max: 4 }),
    first: fc.integer({ min: 0, max: NODES - 1 }),
    redundancy: fc.integer({ min: 1, max: 4 }),
    limitBytes: fc.option(fc.integer({ min: 1, max: 2 ** 50 }), { nil: undefined }),
  })
  .map(({ shape: { kind, size }, sets, first, redundancy, limitBytes }) => {
    const spare = Math.min(redundancy, Math.ceil(size / 2) - 1);
    const bricks = Array.from({ length: size * sets }, (_, at) => {
      const node = ((first + at) % NODES) + 1;
      return seenBrick(`kube${node}`, `/data/brick-${at}`, kind === 'arbiter' && at % size === size - 1);
    });
    const word = { replica: 'Replicate', arbiter: 'Replicate', disperse: 'Disperse', single: 'Distribute' }[kind];
    return seenVolume({
      type: sets > 1 && kind !== 'single' ? `Distributed-${word}` : word,
      replicaCount: kind === 'replica' || kind === 'arbiter' ? size : 1,
      arbiterCount: kind === 'arbiter' ? 1 : 0,
      ...(kind === 'disperse' ? { disperseCount: size, redundancyCount: spare } : {}),
      bricks,
      ...(limitBytes === undefined ? {} : { limitBytes }),
    });
  });

test('the layout that is derived has the very sets of the volume, and its copies are its bricks in their order', () => {
  fc.assert(
    fc.property(volumes, (volume) => {
      const found = planAdoption(seenPool([volume], NODES));
      expect(found.refusals).toEqual([]);
      const plan = PlanFile.parse({ storage: { expected_count: NODES, nodes: found.nodes }, volumes: found.volumes });
      expect(checkPlan(plan)).toEqual([]);
      const [write] = diffPlan(resolvePlan(plan), {
        ...{ clusters: [], nodes: [], volumes: [], copies: [], attachments: [] },
      }).writes.filter((each) => each.kind === 'Volume');
      const spec = VolumeSpec.parse(write?.action === 'create' ? write.spec : {});
      const size = setRoles(spec).length;
      expect(size * setCount(spec)).toBe(volume.bricks.length);
      expect(fragmentsOf(spec)?.redundancy ?? 0).toBe(volume.redundancyCount);
      if (volume.arbiterCount === 0 && volume.disperseCount === 0) expect(replicasOf(spec)).toBe(volume.replicaCount);
      if (spec.adopted === undefined) throw new Error('not adopted');
      const names = found.nodes.map((node) => node.host);
      const placed = placeAdopted(spec, spec.adopted, { nodes: names, others: [] }, (index) => `copy-${index}`);
      if (!placed.ok) throw new Error(placed.message);
      placed.placement.forEach((copy, at) => {
        expect(copy.node).toBe(volume.bricks[at]?.host);
        expect(copy.role === 'arbiter').toBe(volume.bricks[at]?.isArbiter);
        expect(copy.set ?? 0).toBe(Math.floor(at / size));
      });
    }),
    { numRuns: 40 },
  );
});

test('whatever numbers gluster says, it is adopted as it is or refused with a reason', () => {
  const count = fc.integer({ min: 0, max: 20 });
  const any = fc.record({
    type: fc.constantFrom(
      'Replicate',
      'Distribute',
      'Disperse',
      'Distributed-Replicate',
      'Distributed-Disperse',
      'Tier',
      '',
    ),
    ...{ replicaCount: count, arbiterCount: count, disperseCount: count, redundancyCount: count, stripeCount: count },
    bricks: fc.array(
      fc.tuple(fc.integer({ min: 1, max: NODES }), fc.boolean()).map(([node, isArbiter]) => {
        return seenBrick(`kube${node}`, '/data/b', isArbiter);
      }),
      { maxLength: 12 },
    ),
  });
  fc.assert(
    fc.property(any, (changes) => {
      const found = planAdoption(seenPool([seenVolume(changes)], NODES));
      expect(found.volumes.length + found.refusals.length).toBe(1);
      expect(found.refusals.every(({ reason }) => reason !== '')).toBe(true);
      const plan = { storage: { expected_count: NODES, nodes: found.nodes }, volumes: found.volumes };
      expect(PlanFile.safeParse(plan).error?.issues).toBeUndefined();
      expect(checkPlan(plan)).toEqual([]);
    }),
    { numRuns: 100 },
  );
});
