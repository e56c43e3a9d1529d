/** Volumes come to be whole, whatever breaks while they are made. */
import { describe, it } from 'vitest';
import type { PlanVolume } from '../../src/schemas/plan-file.ts';
import { runChaos } from './chaos.ts';
import { createSimCluster } from './cluster.ts';
import { expectWhole } from './expectations.ts';
import { seeds, withSeed } from './seeds.ts';
import { paceOf } from './sim-engine.ts';

const LAYOUTS = ['single', 'replicated', 'arbiter'] as const;

const SEVERAL_SETS: readonly Pick<PlanVolume, 'layout' | 'distribution' | 'replicas'>[] = [
  { layout: 'distributed', distribution: 3 },
  { layout: 'dispersed' },
  { layout: 'distributed-replicated', distribution: 2, replicas: 3 },
];

const volume = (layout: PlanVolume['layout']): PlanVolume => {
  return { name: 'gv0', size: '1Gi', layout, mount: { path: '/data', nodes: 'all' } };
};

describe('a volume of a plan', () => {
  it.each(LAYOUTS)('(%s) ends whole under faults of programs and connections', async (layout) => {
    for (const seed of seeds(9)) {
      await withSeed(seed, async () => {
        const sim = await createSimCluster(seed, { pace: paceOf(seed) });
        await sim.applyPlan([volume(layout)]);
        await runChaos(sim, { seed, forMs: 30_000, everyMs: 800, hasHardFaults: false });
        await expectWhole(sim, 'gv0');
      });
    }
  });

  it.each(SEVERAL_SETS)('($layout) ends whole in all of its sets under faults of machines', async (layout) => {
    for (const seed of seeds(3)) {
      await withSeed(seed, async () => {
        const sim = await createSimCluster(seed, { pace: paceOf(seed) });
        await sim.applyPlan([{ ...volume(layout.layout), ...layout }]);
        await runChaos(sim, { seed, forMs: 45_000, everyMs: 1_200 });
        await expectWhole(sim, 'gv0');
      });
    }
  });

  it.each(LAYOUTS)('(%s) ends whole under faults of machines, disks and cables too', async (layout) => {
    for (const seed of seeds(9)) {
      await withSeed(seed, async () => {
        const sim = await createSimCluster(seed, { pace: paceOf(seed) });
        await sim.applyPlan([volume(layout)]);
        await runChaos(sim, { seed, forMs: 45_000, everyMs: 1_200 });
        await expectWhole(sim, 'gv0');
      });
    }
  });
});
