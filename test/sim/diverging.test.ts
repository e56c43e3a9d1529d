/** Two plain copies that may diverge: either of them serves alone, whatever becomes of the other and of the pool. */
import { expect, it } from 'vitest';
import type { PlanVolume } from '../../src/schemas/plan-file.ts';
import { createSimCluster, type SimCluster } from './cluster.ts';
import { expectWhole } from './expectations.ts';
import { isRedundantNow } from './truth.ts';

const SEED = 1;
const VOLUME: PlanVolume = {
  ...{ name: 'gv0', size: '1Gi', layout: 'replicated', replicas: 2, allowSplitBrain: true },
  mount: { path: '/data', nodes: 'all' },
};

const claim = ({ seen }: SimCluster, type: string) =>
  seen.Volume.get('gv0')?.status?.conditions?.find((condition) => condition.type === type);
const nodesOf = ({ seen }: SimCluster) => (seen.Volume.get('gv0')?.status?.placement ?? []).map(({ node }) => node);

it.each([0, 1])(
  'copy %i alone goes on, also with half of the pool gone, and both are the same again later',
  async (at) => {
    const sim = await createSimCluster(SEED);
    await sim.applyPlan([VOLUME]);
    await expectWhole(sim, 'gv0');
    await sim.until('it is redundant', () => claim(sim, 'Redundant')?.status === 'True', 60_000);
    expect(claim(sim, 'Redundant')?.message).toContain('they can diverge');
    const survivor = nodesOf(sim)[1 - at] ?? '';
    const lost = sim.nodes.filter((node) => node !== survivor);
    for (const node of lost) sim.powerOff(node);
    await sim.until('one copy is seen to be down', () => claim(sim, 'Redundant')?.reason === 'CopiesDown', 60_000);
    expect(claim(sim, 'Ready')?.status).toBe('True');
    const volume = sim.gluster.state.volumes.get('gv0');
    expect(volume !== undefined && sim.gluster.state.isUsable(volume, survivor)).toBe(true);
    sim.gluster.write(survivor, 'gv0', 5);
    for (const node of lost) sim.powerOn(node);
    await expectWhole(sim, 'gv0');
    await sim.until('it is redundant', () => isRedundantNow(sim.gluster, 'gv0', sim.nodes), 120_000);
  },
);
