/**
 * Volumes grow while machines fail: all copies or none, never smaller, and never beyond the room there is. With a death at
 * every write and step: verbs.test.ts.
 */
import { describe, expect, it } from 'vitest';
import { parseQuantity } from '../../src/domain/bytes.ts';
import { usableBytes } from '../../src/domain/volume/copy-size.ts';
import type { PlanVolume } from '../../src/schemas/plan-file.ts';
import { runChaos } from './chaos.ts';
import { createSimCluster, type SimCluster } from './cluster.ts';
import { expectWhole } from './expectations.ts';
import { seeds, withSeed } from './seeds.ts';
import { paceOf } from './sim-engine.ts';

const GIB = 1024 ** 3;
const SEED = 1;
/** Large enough that the arbiter has to grow too. */
const GROWN = '12Gi';
const PATIENCE_MS = 5 * 60_000;

const volume = (brick: 'image' | 'directory' = 'image'): PlanVolume => {
  return { name: 'gv0', size: '1Gi', layout: 'arbiter', brick, mount: { path: '/data', nodes: 'all' } };
};
const wish = (sim: SimCluster, size: string) => sim.world.client.patch('Volume', 'gv0', { spec: { size } });
const sizeOf = ({ seen }: SimCluster) => seen.Volume.get('gv0')?.status?.size;
const sized = ({ seen }: SimCluster) =>
  seen.Volume.get('gv0')?.status?.conditions?.find((condition) => condition.type === 'Sized');

/** Usable bytes of the smallest data copy, from the model itself. */
function smallestCopy({ seen, gluster }: SimCluster): number {
  const sizes = [...seen.VolumeCopy.values()]
    .filter((copy) => copy.spec.role === 'data')
    .map(({ metadata, spec }) => gluster.state.node(spec.node).copies.get(metadata.uid)?.reservedBytes ?? 0);
  return usableBytes(Math.min(...sizes));
}

async function prepare(brick: 'image' | 'directory' = 'image'): Promise<SimCluster> {
  const sim = await createSimCluster(SEED);
  await sim.applyPlan([volume(brick)]);
  await expectWhole(sim, 'gv0');
  await sim.until('its size is known', () => sizeOf(sim) === '1Gi', PATIENCE_MS);
  return sim;
}

async function grow(sim: SimCluster): Promise<void> {
  await wish(sim, GROWN);
  await sim.until('it has grown', () => sizeOf(sim) === GROWN, PATIENCE_MS);
  expect(smallestCopy(sim)).toBeGreaterThanOrEqual(parseQuantity(GROWN));
  await expectWhole(sim, 'gv0');
}

describe('the growth of a volume', () => {
  it('ends under faults of programs, machines, disks and cables', async () => {
    for (const seed of seeds(4)) {
      await withSeed(seed, async () => {
        const sim = await createSimCluster(seed, { pace: paceOf(seed) });
        await sim.applyPlan([volume()]);
        await expectWhole(sim, 'gv0');
        await wish(sim, '2Gi');
        await runChaos(sim, { seed, forMs: 30_000, everyMs: 1_200 });
        await grow(sim);
      });
    }
  });

  it('of plain folders raises the limit of the engine', async () => {
    await withSeed(SEED, async () => {
      const sim = await prepare('directory');
      await wish(sim, '3Gi');
      await sim.until('it has grown', () => sizeOf(sim) === '3Gi', PATIENCE_MS);
      expect(sim.gluster.state.volumes.get('gv0')?.limitBytes).toBe(3 * GIB);
    });
  });
});

describe('a growth without room', () => {
  it('is refused with numbers, no copy grows, and it comes when there is room', async () => {
    await withSeed(SEED, async () => {
      const sim = await createSimCluster(SEED, { poolBytes: 4 * GIB });
      const other: PlanVolume = { name: 'other', size: '1Gi', layout: 'arbiter' };
      await sim.applyPlan([volume(), other]);
      await expectWhole(sim, 'gv0');
      await expectWhole(sim, 'other');
      const before = smallestCopy(sim);
      await wish(sim, '3Gi');
      await sim.until('it is refused', () => sized(sim)?.reason === 'NoRoomToGrow', PATIENCE_MS);
      expect(sized(sim)?.message).toMatch(/kube\d: .*free < /);
      await sim.pass(60_000);
      expect(smallestCopy(sim)).toBe(before);
      expect(sizeOf(sim)).toBe('1Gi');
      await sim.world.client.delete('Volume', 'other');
      await sim.until('it has grown', () => sizeOf(sim) === '3Gi', PATIENCE_MS);
      expect(sized(sim)).toMatchObject({ status: 'True' });
    });
  });

  it('is not granted the room that another one was: of two that race one grows', async () => {
    for (const seed of seeds(4)) {
      await withSeed(seed, async () => {
        const sim = await createSimCluster(seed, { poolBytes: 5 * GIB });
        await sim.applyPlan(['a', 'b'].map((name) => ({ name, size: '1Gi', layout: 'replicated' as const })));
        await expectWhole(sim, 'a');
        await expectWhole(sim, 'b');
        for (const name of ['a', 'b']) await sim.world.client.patch('Volume', name, { spec: { size: '3Gi' } });
        await runChaos(sim, { seed, forMs: 20_000, everyMs: 1_500, hasHardFaults: false });
        const sizes = () => ['a', 'b'].map((name) => sim.seen.Volume.get(name)?.status?.size).join();
        await sim.until('one has grown', () => ['1Gi,3Gi', '3Gi,1Gi'].includes(sizes()), PATIENCE_MS);
      });
    }
  });
});
