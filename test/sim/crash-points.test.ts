/** A program dies before and after every single write and step of a creation and of a deletion: whole, or wholly gone. */
import { describe, expect, it } from 'vitest';
import type { PlanVolume } from '../../src/schemas/plan-file.ts';
import { CONTROLLER, createSimCluster, type SimCluster } from './cluster.ts';
import { deleteVolumeAndMounts, expectWhole, expectWhollyGone } from './expectations.ts';
import { withSeed } from './seeds.ts';

const SEED = 1;
const VOLUME: PlanVolume = { name: 'gv0', size: '1Gi', layout: 'arbiter', mount: { path: '/data', nodes: 'all' } };
/** kube1 anchors the pool and the volume (the first usable name); kube2 is a member, kube3 has the arbiter. */
const PROGRAMS = [CONTROLLER, 'kube1', 'kube2', 'kube3'] as const;
const WHEN = ['before', 'after'] as const;

type Life = 'creation' | 'deletion';

/** The cluster just before the life's part that is looked at, and the part itself. */
async function prepare(life: Life): Promise<{ readonly sim: SimCluster; readonly act: () => Promise<void> }> {
  const sim = await createSimCluster(SEED);
  if (life === 'creation') {
    const act = async () => {
      await sim.applyPlan([VOLUME]);
      await expectWhole(sim, 'gv0');
    };
    return { sim, act };
  }
  await sim.applyPlan([VOLUME]);
  await expectWhole(sim, 'gv0');
  const act = async () => {
    await deleteVolumeAndMounts(sim, 'gv0');
    await expectWhollyGone(sim);
  };
  return { sim, act };
}

function processOf(sim: SimCluster, who: string) {
  const process = sim.process(who);
  if (process === undefined) throw new Error(`${who} does not run`);
  return process;
}

/** How many writes or steps the program does in that part of a volume's life when nothing goes wrong. */
async function countUndisturbed(life: Life, count: (sim: SimCluster) => number): Promise<number> {
  const { sim, act } = await prepare(life);
  const before = count(sim);
  await act();
  return count(sim) - before;
}

describe.each(['creation', 'deletion'] as const)('%s of a volume', (life) => {
  it.each(PROGRAMS)('survives the death of %s before and after each of its writes', async (who) => {
    const writes = await countUndisturbed(life, (sim) => processOf(sim, who).writes());
    expect(writes).toBeGreaterThan(0);
    for (let nth = 1; nth <= writes; nth += 1) {
      for (const when of WHEN) {
        await withSeed(SEED, async () => {
          const { sim, act } = await prepare(life);
          const process = processOf(sim, who);
          process.killAtWrite(process.writes() + nth, when);
          await act();
          expect(process.isAlive(), `${who} dies ${when} write ${nth} of ${writes}`).toBe(false);
        });
      }
    }
  });

  it.each(PROGRAMS.slice(1))(
    'survives the death of the agent of %s before and after each of its steps',
    async (node) => {
      const steps = await countUndisturbed(life, (sim) => sim.steps(node));
      expect(steps).toBeGreaterThan(0);
      for (let nth = 1; nth <= steps; nth += 1) {
        for (const when of WHEN) {
          await withSeed(SEED, async () => {
            const { sim, act } = await prepare(life);
            const process = processOf(sim, node);
            sim.crashAtStep(node, { step: sim.steps(node) + nth, when });
            await act();
            expect(process.isAlive(), `the agent of ${node} dies ${when} step ${nth} of ${steps}`).toBe(false);
          });
        }
      }
    },
  );
});
