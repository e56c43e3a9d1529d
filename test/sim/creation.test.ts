/** Volumes come to be whole, whatever breaks while they are made. */
import { describe, it } from 'vitest';
import type { PlanVolume } from '../../src/schemas/plan-file.ts';
import { runChaos } from './chaos.ts';
import { createSimCluster } from './cluster.ts';
import { expectWhole } from './expectations.ts';
import { seeds, withSeed } from './seeds.ts';

const LAYOUTS = ['single', 'replicated', 'arbiter'] as const;

const volume = (layout: PlanVolume['layout']): PlanVolume => {
  return { name: 'gv0', size: '1Gi', layout, mount: { path: '/data', nodes: 'all' } };
};

describe('a volume of a plan', () => {
  it.each(LAYOUTS)('(%s) ends whole under faults of programs and connections', async (layout) => {
    for (const seed of seeds(12)) {
      await withSeed(seed, async () => {
        const sim = await createSimCluster(seed);
        await sim.applyPlan([volume(layout)]);
        await runChaos(sim, { seed, forMs: 40_000, hasHardFaults: false });
        await expectWhole(sim, 'gv0');
      });
    }
  });

  it.each(LAYOUTS)('(%s) ends whole under faults of machines, disks and cables too', async (layout) => {
    for (const seed of seeds(12)) {
      await withSeed(seed, async () => {
        const sim = await createSimCluster(seed);
        await sim.applyPlan([volume(layout)]);
        await runChaos(sim, { seed, forMs: 60_000 });
        await expectWhole(sim, 'gv0');
      });
    }
  });
});
