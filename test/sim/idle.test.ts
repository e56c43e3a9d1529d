/** Nothing is written while nothing changes. */
import { describe, expect, it } from 'vitest';
import { runChaos } from './chaos.ts';
import { createSimCluster } from './cluster.ts';
import { expectWhole } from './expectations.ts';
import { seeds, withSeed } from './seeds.ts';

const volumes = (['single', 'replicated', 'arbiter'] as const).map((layout) => {
  return { name: `gv-${layout}`, size: '1Gi', layout, mount: { path: `/data/${layout}`, nodes: 'all' as const } };
});

describe('a cluster in which nothing happens', () => {
  it('writes Leases and nothing else for five minutes, also after trouble', async () => {
    for (const seed of seeds(2)) {
      await withSeed(seed, async () => {
        const sim = await createSimCluster(seed);
        await sim.applyPlan(volumes);
        if (seed > 1) await runChaos(sim, { seed, forMs: 40_000 });
        for (const { name } of volumes) await expectWhole(sim, name);
        // Events are written in the background, and the last looks at pools and mounts are up to 15 s apart.
        await sim.pass(60_000);
        const before = sim.writes();
        await sim.pass(5 * 60_000);
        expect(sim.writes() - before).toBe(0);
      });
    }
  });
});
