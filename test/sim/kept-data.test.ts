/** Data that somebody needs stays, and stays served, whatever else is deleted. */
import { describe, expect, it } from 'vitest';
import { runChaos } from './chaos.ts';
import { CONTROLLER, createSimCluster, type SimCluster } from './cluster.ts';
import { deleteVolumeAndMounts, expectWhole, expectWhollyGone } from './expectations.ts';
import { seeds, withSeed } from './seeds.ts';
import { isRedundantNow } from './truth.ts';

const VOLUME = { name: 'gv0', size: '1Gi', mount: { path: '/data', nodes: 'all' as const } };
const LAYOUTS = ['single', 'replicated', 'arbiter'] as const;

const canWrite = ({ nodes, gluster }: SimCluster) =>
  nodes.every((node) => gluster.mountState(node, '/data') === 'mounted' && gluster.write(node, 'gv0'));

describe('a volume', () => {
  it.each(LAYOUTS)('(%s) keeps copies that somebody deletes, and uses them after a restart too', async (layout) => {
    for (const seed of seeds(4)) {
      await withSeed(seed, async () => {
        const sim = await createSimCluster(seed);
        await sim.applyPlan([{ ...VOLUME, layout }]);
        // In every second run before there is an engine volume.
        if (seed % 2 === 0) await expectWhole(sim, 'gv0');
        else await sim.until('copies are recorded', () => sim.seen.VolumeCopy.size > 0, 60_000);
        for (const name of sim.seen.VolumeCopy.keys()) await sim.world.client.delete('VolumeCopy', name);
        await runChaos(sim, { seed, forMs: 40_000 });
        await expectWhole(sim, 'gv0');
        expect(canWrite(sim)).toBe(true);
        await deleteVolumeAndMounts(sim, 'gv0');
        await expectWhollyGone(sim);
      });
    }
  });

  it('that is deleted while it is mounted is served and repaired until the last mount goes', async () => {
    for (const seed of seeds(6)) {
      await withSeed(seed, async () => {
        const sim = await createSimCluster(seed);
        await sim.applyPlan([VOLUME]);
        await expectWhole(sim, 'gv0');
        await sim.world.client.delete('Volume', 'gv0');
        await runChaos(sim, { seed, forMs: 60_000 });
        await sim.until('all can be lost', () => isRedundantNow(sim.gluster, 'gv0', sim.nodes), 5 * 60_000);
        await sim.until('all can write', () => canWrite(sim), 5 * 60_000);
        for (const name of [...sim.seen.VolumeAttachmentRecord.keys()]) {
          expect(sim.gluster.state.volumes.get('gv0')?.isStarted).toBe(true);
          await sim.world.client.delete('VolumeAttachmentRecord', name);
          await sim.pass(3_000);
        }
        await expectWhollyGone(sim);
      });
    }
  });

  it('that is deleted gets another anchor while it is still mounted', async () => {
    const sim = await createSimCluster(1);
    await sim.applyPlan([VOLUME]);
    await expectWhole(sim, 'gv0');
    await sim.world.client.delete('Volume', 'gv0');
    sim.powerOff('kube1');
    const anchor = () => sim.seen.Volume.get('gv0')?.status?.anchor;
    await sim.until('the anchor moves', () => anchor() === 'kube2', 10_000);
    sim.gluster.killBrick('kube3', 'gv0');
    sim.powerOn('kube1');
    await sim.until('it is repaired', () => isRedundantNow(sim.gluster, 'gv0', ['kube2', 'kube3']), 60_000);
  });

  it('is not taken from under a mount that the controller has not heard of', async () => {
    const sim = await createSimCluster(1);
    await sim.applyPlan([{ name: 'gv0', size: '1Gi' }]);
    await expectWhole(sim, 'gv0');
    // It hears of mounts no more, but of the deletion it does.
    sim.process(CONTROLLER)?.connection.silenceWatches('VolumeAttachmentRecord');
    await sim.applyPlan([VOLUME]);
    await sim.until('it is mounted', () => canWrite(sim), 15_000);
    await sim.world.client.delete('Volume', 'gv0');
    await sim.pass(60_000);
    expect(canWrite(sim)).toBe(true);
    await deleteVolumeAndMounts(sim, 'gv0');
    await expectWhollyGone(sim);
  });
});
