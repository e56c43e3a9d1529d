/**
 * A volume of others is taken over, given Holdfast's options, given back or deleted, with a program killed before and after
 * each write and step: it ends as asked for, and meanwhile nobody changes what its maker made.
 */
import { describe, expect, it } from 'vitest';
import { deleteVolume } from '../../src/usecases/volumes/delete-volume.ts';
import { runChaos } from './chaos.ts';
import { createSimCluster, type SimCluster } from './cluster.ts';
import { expectWhole, isWhole } from './expectations.ts';
import { interruptEverywhere, PATIENCE_MS, type Verb } from './interrupt.ts';
import {
  adoptedVolume,
  areDirectoriesThere,
  describeTheirs,
  ENGINE_NAME,
  makeOthersVolume,
  NAME,
} from './others-volume.ts';
import { seeds, withSeed } from './seeds.ts';
import { startUser } from './user.ts';

/** All of the few moments of a verb, or `SIM_POINTS` of them. */
const { SIM_POINTS = '16' } = process.env;
const MOST = SIM_POINTS === 'all' ? Number.POSITIVE_INFINITY : Number(SIM_POINTS);

const confirm = async () => true;
const MOUNT = { path: '/data', nodes: ['kube3'] };

/** Fails as soon as somebody has changed it. */
const watchTheirs = (): ((sim: SimCluster) => void) => {
  const before = new WeakMap<SimCluster, string>();
  return (sim) => {
    const now = describeTheirs(sim);
    if (now === 'gone') return;
    const was = before.get(sim) ?? now;
    before.set(sim, was);
    if (now !== was) throw new Error(`what others made was changed from ${was} to ${now}`);
  };
};

const adopt = async (sim: SimCluster, volume = adoptedVolume()) => {
  await makeOthersVolume(sim);
  await sim.applyPlan([volume]);
  while (!isWhole(sim, NAME)) await sim.world.clock.sleep(50);
};
const remove = (sim: SimCluster, removeFromEngine: boolean) =>
  deleteVolume(sim.world, NAME, { confirm, detach: true, removeFromEngine, waitMs: PATIENCE_MS });

const VERBS: readonly Verb[] = [
  {
    name: 'plan apply (adopted volume, mounted)',
    prepare: (sim) => makeOthersVolume(sim),
    act: (sim) => sim.applyPlan([{ ...adoptedVolume(), mount: MOUNT }]),
    isDone: (sim) => isWhole(sim, NAME),
    daemon: watchTheirs(),
  },
  {
    name: 'plan apply (takesOptions)',
    prepare: adopt,
    act: (sim) => sim.applyPlan([adoptedVolume({ takesOptions: true })]),
    isDone: ({ seen }) => seen.Volume.get(NAME)?.status?.engine?.lacks?.length === 0,
  },
  {
    name: 'volume delete (adopted)',
    prepare: (sim) => adopt(sim, { ...adoptedVolume(), mount: MOUNT }),
    act: (sim) => remove(sim, false),
    isDone: (sim) => sim.seen.Volume.size + sim.seen.VolumeCopy.size === 0 && describeTheirs(sim) !== 'gone',
    daemon: watchTheirs(),
  },
  {
    name: 'volume delete --remove-from-engine (adopted)',
    prepare: adopt,
    act: (sim) => remove(sim, true),
    isDone: (sim) => sim.seen.Volume.size + sim.seen.VolumeCopy.size === 0 && describeTheirs(sim) === 'gone',
    daemon: (sim) => {
      if (sim.gluster.state.volumes.size > 0 && !areDirectoriesThere(sim)) throw new Error('a directory is erased');
    },
  },
];

describe('a volume of others', () => {
  it.each(VERBS)('outlives the death of any program at any moment of $name', async (verb) => {
    for (const seed of seeds(1)) {
      const { ran } = await interruptEverywhere(verb, seed, MOST);
      expect(ran).toBeGreaterThan(0);
    }
  });

  it('heals after nodes were away, whatever else breaks, and stays as its maker made it', async () => {
    for (const seed of seeds(2)) {
      await withSeed(seed, async () => {
        const sim = await createSimCluster(seed);
        const watch = watchTheirs();
        await makeOthersVolume(sim);
        await sim.applyPlan([{ ...adoptedVolume(), mount: MOUNT }]);
        await expectWhole(sim, NAME);
        sim.powerOff('kube2');
        expect(sim.gluster.write('kube3', ENGINE_NAME)).toBe(true);
        await runChaos(sim, { seed, forMs: 30_000, hasHardFaults: false, onTick: () => watch(sim) });
        sim.mendAll();
        await expectWhole(sim, NAME);
        await sim.until(
          'it is healed',
          () => sim.gluster.state.volumes.get(ENGINE_NAME)?.stale.size === 0,
          PATIENCE_MS,
        );
        watch(sim);
      });
    }
  });

  it('that is another one than was adopted is left alone: a brick by the name of its node is not one by its address', async () => {
    await withSeed(1, async () => {
      const sim = await createSimCluster(1);
      const bricks = (adoptedVolume().adopted?.bricks ?? []).map(({ node, path }) => {
        return { node, path, isArbiter: node === 'kube3' };
      });
      const watch = watchTheirs();
      await makeOthersVolume(sim, bricks);
      watch(sim);
      await sim.applyPlan([adoptedVolume({ takesOptions: true })]);
      const said = () => sim.seen.Volume.get(NAME)?.status?.engine?.message ?? '';
      await sim.until('it is refused', () => said().includes('is not the one that was adopted'), PATIENCE_MS);
      await sim.pass(60_000);
      watch(sim);
      expect(said()).toContain(`volume ${ENGINE_NAME} of GlusterFS`);
    });
  });

  it('is adopted by one Volume only', async () => {
    await withSeed(1, async () => {
      const sim = await createSimCluster(1);
      await makeOthersVolume(sim);
      await sim.applyPlan([adoptedVolume()]);
      await expectWhole(sim, NAME);
      await sim.applyPlan([adoptedVolume(), { ...adoptedVolume(), name: 'twin' }]);
      const reasons = () => sim.seen.Volume.get('twin')?.status?.reasons?.join() ?? '';
      await sim.until('it is refused', () => reasons().includes(`volume ${NAME} has adopted`), PATIENCE_MS);
      const user = startUser(async () => void (await remove(sim, false)));
      await sim.until('it is forgotten', user.isDone, PATIENCE_MS);
      await expectWhole(sim, 'twin');
    });
  });
});
