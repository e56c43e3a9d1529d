/** What is said of nodes while the controller itself comes and goes. */
import { expect, it } from 'vitest';
import { findCondition } from '../../src/domain/find-condition.ts';
import { createSimCluster } from './cluster.ts';
import { seeds, withSeed } from './seeds.ts';

it('a controller that begins anew never calls a dead node ready, nor a living one lost', async () => {
  for (const seed of seeds(4)) {
    await withSeed(seed, async () => {
      const sim = await createSimCluster(seed, { nodes: ['kube1', 'kube2'] });
      await sim.applyPlan([]);
      const ready = (node: string) => {
        const stored = sim.seen.StorageNode.get(node);
        return stored === undefined ? undefined : findCondition(stored, 'Ready');
      };
      await sim.until(
        'both are ready',
        () => ready('kube2')?.status === 'True' && ready('kube1')?.status === 'True',
        60_000,
      );
      sim.powerOff('kube2');
      await sim.until('it is lost', () => ready('kube2')?.reason === 'HeartbeatLost', 60_000);
      const said = { dead: ready('kube2'), living: ready('kube1') };
      for (let turn = 0; turn < 3; turn += 1) {
        const before = sim.process('controller');
        sim.kill('controller');
        await sim.until('there is another', () => ![undefined, before].includes(sim.process('controller')), 60_000);
        await sim.pass(20_000);
        // The moment of the last change too: nothing else was said in between.
        expect(ready('kube2')).toMatchObject({ status: 'Unknown', lastTransitionTime: said.dead?.lastTransitionTime });
        expect(ready('kube1')).toMatchObject({ status: 'True', lastTransitionTime: said.living?.lastTransitionTime });
      }
      sim.powerOn('kube2');
      await sim.until('it is ready again', () => ready('kube2')?.status === 'True', 60_000);
    });
  }
});
