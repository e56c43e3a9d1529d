/** Volumes go wholly, whenever they are deleted and whatever breaks meanwhile, and their names are free at once. */
import { describe, expect, it } from 'vitest';
import { ATTACHMENT_FINALIZER } from '../../src/domain/finalizers.ts';
import { NO_FAULTS } from '../../src/ports/faulty-client.fake.ts';
import { createSeededRandom } from '../../src/ports/random.fake.ts';
import type { PlanVolume } from '../../src/schemas/plan-file.ts';
import { runChaos } from './chaos.ts';
import { CONTROLLER, createSimCluster, type SimCluster } from './cluster.ts';
import { deleteVolumeAndMounts, expectWhole, expectWhollyGone } from './expectations.ts';
import { seeds, withSeed } from './seeds.ts';
import { paceOf, SLOW_PACE } from './sim-engine.ts';
import { startUser, waitAsUser } from './user.ts';

const LAYOUTS = ['single', 'replicated', 'arbiter'] as const;

const volume = (layout: PlanVolume['layout']): PlanVolume => {
  return { name: 'gv0', size: '1Gi', layout, mount: { path: '/data', nodes: 'all' } };
};
const isNameFree = ({ seen }: SimCluster) => seen.Volume.size === 0 && seen.VolumeAttachmentRecord.size === 0;

describe('a volume deleted at any moment of its creation or life', () => {
  it.each(LAYOUTS)('(%s) is wholly gone in the end', async (layout) => {
    for (const seed of seeds(9)) {
      await withSeed(seed, async () => {
        const sim = await createSimCluster(seed, { pace: paceOf(seed) });
        const moment = createSeededRandom(seed).next() * 20_000;
        const user = startUser(async () => {
          await sim.applyPlan([volume(layout)]);
          await sim.world.clock.sleep(moment);
          await deleteVolumeAndMounts(sim, 'gv0');
        });
        await runChaos(sim, { seed, forMs: 40_000, everyMs: 1_500 });
        await sim.until('the user is done', user.isDone, 60_000);
        await expectWhollyGone(sim);
      });
    }
  });

  it('is wholly gone although GlusterFS makes it after everybody has seen that there is none', async () => {
    for (const seed of seeds(20)) {
      await withSeed(seed, async () => {
        const sim = await createSimCluster(seed, { pace: SLOW_PACE });
        await sim.applyPlan([{ name: 'gv0', size: '1Gi', layout: LAYOUTS[seed % 3] }]);
        await sim.until('it is being made', () => sim.lastStep()?.step === 'createVolume', 5 * 60_000);
        // glusterd goes on with what the dead agent had asked of it.
        sim.kill(sim.seen.Volume.get('gv0')?.status?.anchor ?? '');
        await deleteVolumeAndMounts(sim, 'gv0');
        await expectWhollyGone(sim);
        await sim.pass(20_000);
        await expectWhollyGone(sim);
      });
    }
  });

  it('does not go before copies that the controller has not heard of', async () => {
    const sim = await createSimCluster(1);
    await sim.pass(5_000);
    sim.process(CONTROLLER)?.connection.silenceWatches('VolumeCopy');
    await sim.applyPlan([volume('replicated')]);
    await sim.until('copies are recorded', () => sim.seen.VolumeCopy.size === 3, 10_000);
    await deleteVolumeAndMounts(sim, 'gv0');
    // check-volumes.ts sees that the Volume outlives its copies.
    await expectWhollyGone(sim);
  });

  it('is not confused with its successor by an agent whose news and answers are late', async () => {
    const sim = await createSimCluster(1);
    await sim.applyPlan([volume('replicated')]);
    await expectWhole(sim, 'gv0');
    await sim.world.client.delete('VolumeAttachmentRecord', 'gv0.kube1');
    await sim.pass(100);
    // The agent unmounts, and neither hears that the record may go nor that it is gone and made anew.
    const connection = sim.process('kube1')?.connection;
    connection?.silenceWatches();
    connection?.setRates({ failBefore: 0, failAfter: 1, breakWatch: 0 });
    await sim.until('the record is gone', () => !sim.seen.VolumeAttachmentRecord.has('gv0.kube1'), 10_000);
    await sim.applyPlan([volume('replicated')]);
    await sim.pass(10_000);
    const record = sim.seen.VolumeAttachmentRecord.get('gv0.kube1');
    expect(record?.metadata.finalizers).toEqual([ATTACHMENT_FINALIZER]);
    sim.setRates(NO_FAULTS);
    await expectWhole(sim, 'gv0');
    await deleteVolumeAndMounts(sim, 'gv0');
    await expectWhollyGone(sim);
  });

  it('is not confused with its successor by an anchor that has not heard that it is gone', async () => {
    const sim = await createSimCluster(1);
    await sim.applyPlan([volume('replicated')]);
    await expectWhole(sim, 'gv0');
    await deleteVolumeAndMounts(sim, 'gv0');
    const isSaid = () => (sim.seen.Volume.get('gv0')?.status?.engine?.state ?? 'Removed') === 'Removed';
    await sim.until('it is said to be removed', () => sim.gluster.state.volumes.size === 0 && isSaid(), 30_000);
    // It never hears that "removed" was heard, and says it again and again.
    const connection = sim.process('kube1')?.connection;
    connection?.silenceWatches('Volume');
    connection?.setRates({ failBefore: 0, failAfter: 1, breakWatch: 0 });
    await sim.until('the name is free', () => isNameFree(sim), 60_000);
    await sim.applyPlan([volume('replicated')]);
    // check-volumes.ts sees that nobody calls the new one removed.
    await sim.pass(10_000);
    sim.setRates(NO_FAULTS);
    await expectWhole(sim, 'gv0');
  });

  it('leaves its name to a new volume, which is whole while old answers and old news still come', async () => {
    for (const seed of seeds(9)) {
      await withSeed(seed, async () => {
        const sim = await createSimCluster(seed, { pace: paceOf(seed) });
        const random = createSeededRandom(seed);
        const user = startUser(async () => {
          for (let round = 1; round <= 4; round += 1) {
            await sim.applyPlan([volume(LAYOUTS[round % 3])]);
            await sim.world.clock.sleep(random.next() * 15_000);
            await deleteVolumeAndMounts(sim, 'gv0');
            await waitAsUser(sim, () => isNameFree(sim));
          }
          await sim.applyPlan([volume('replicated')]);
        });
        await runChaos(sim, { seed, forMs: 90_000, everyMs: 2_000 });
        await sim.until('the user is done', user.isDone, 10 * 60_000);
        await expectWhole(sim, 'gv0');
        await deleteVolumeAndMounts(sim, 'gv0');
        await expectWhollyGone(sim);
      });
    }
  });
});
