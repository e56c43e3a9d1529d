/** A machine that was installed anew comes back when a person says so, whatever crashes on the way. */
import { describe, expect, it } from 'vitest';
import { uuidOf } from '../../src/engines/gluster/cluster.fake.ts';
import { rejoinNode } from '../../src/usecases/nodes/rejoin-node.ts';
import { createSimCluster, type SimCluster } from './cluster.ts';
import { deleteVolumeAndMounts, expectWhole } from './expectations.ts';
import { seeds, withSeed } from './seeds.ts';

const VOLUME = { name: 'gv0', size: '1Gi' } as const;
/** Room for one copy of it: what is given up on the way there would be in the way of the next try. */
const POOL_BYTES = 2 * 1024 ** 3;
const PATIENCE_MS = 5 * 60_000;

const engineOf = ({ seen }: SimCluster, node: string) => seen.StorageNode.get(node)?.status?.engines?.[0];
const copyOn = ({ seen }: SimCluster, node: string) => {
  return [...seen.VolumeCopy.values()].find((copy) => copy.spec.node === node);
};

/** What it says of itself comes first, and its sign of life then. */
async function untilStranger(sim: SimCluster, node: string): Promise<void> {
  await sim.until('it is seen as a stranger', () => engineOf(sim, node)?.isStranger === true, PATIENCE_MS);
  await untilHeard(sim, node);
}

async function untilHeard(sim: SimCluster, node: string): Promise<void> {
  const isHeard = () => {
    const { conditions = [] } = sim.seen.StorageNode.get(node)?.status ?? {};
    return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
  };
  await sim.until('it is heard', isHeard, PATIENCE_MS);
}

/** Off long enough to be missed, and back with empty disks. */
async function reinstall(sim: SimCluster, node: string, beforeItRuns?: () => Promise<void>): Promise<void> {
  sim.powerOff(node);
  await sim.pass(10_000);
  sim.gluster.reinstall(node);
  await beforeItRuns?.();
  sim.powerOn(node);
  if (beforeItRuns === undefined) await untilStranger(sim, node);
  else await untilHeard(sim, node);
  const bootId = () => sim.seen.StorageNode.get(node)?.status?.bootId;
  const isSaid = () => copyOn(sim, node)?.status?.bootId === bootId() && copyOn(sim, node)?.status?.state === 'Suspect';
  await sim.until('its copy is said to be lost', isSaid, PATIENCE_MS);
}

function rejoin(sim: SimCluster, node: string, isForced = false) {
  const { client, clock } = sim.world;
  const answers = { confirm: async () => true, say: () => undefined };
  return rejoinNode({ client, clock }, node, { isForced, isDryRun: false, ...answers });
}

function expectFilled(sim: SimCluster, node: string, lost: string | undefined): void {
  expect(sim.gluster.state.node(node).id).toBe(uuidOf(node));
  expect(engineOf(sim, node)?.isStranger).toBeUndefined();
  expect(copyOn(sim, node)?.metadata.name).not.toBe(lost);
  expect(sim.gluster.state.volumes.get('gv0')?.stale.size).toBe(0);
}

/** A copy that is placed while glusterd may be restarted is given up with that, and keeps its room. */
function expectUnused(sim: SimCluster, node: string): void {
  if (!sim.gluster.state.node(node).isRejoining) return;
  const copies = [...sim.seen.VolumeCopy.values()].filter(({ spec }) => spec.node === node);
  expect(copies, `${node} has not rejoined wholly yet`).toHaveLength(1);
}

describe('a machine that was installed anew', () => {
  it('stays out until it is asked for, whoever it was, and never begins a pool of its own', async () => {
    for (const node of ['kube1', 'kube3']) {
      const sim = await createSimCluster(1);
      await sim.applyPlan([VOLUME]);
      await expectWhole(sim, 'gv0');
      await reinstall(sim, node);
      await sim.pass(PATIENCE_MS);
      expect([...sim.gluster.state.node(node).members]).toEqual([node]);
      expect(sim.seen.Volume.get('gv0')?.status?.anchor).not.toBe(node);
      expect(sim.seen.StorageCluster.get('default')?.status?.anchor).not.toBe(node);
    }
  });

  it('is filled from the others, with a crash before or after any step', async () => {
    for (const seed of seeds(1)) {
      await withSeed(seed, async () => {
        for (let nth = 1; nth <= 8; nth += 1) {
          const sim = await createSimCluster(seed, { poolBytes: POOL_BYTES });
          await sim.applyPlan([VOLUME]);
          await expectWhole(sim, 'gv0');
          await reinstall(sim, 'kube3');
          const lost = copyOn(sim, 'kube3')?.metadata.name;
          const when = (seed + nth) % 2 === 0 ? 'before' : 'after';
          sim.crashAtStep('kube3', { step: sim.steps('kube3') + nth, when });
          expect(await rejoin(sim, 'kube3')).toMatchObject({ outcome: 'asked', replace: [{ volume: 'gv0' }] });
          const isAnother = () => {
            expectUnused(sim, 'kube3');
            return copyOn(sim, 'kube3')?.metadata.name !== lost;
          };
          await sim.until('its copy is another one', isAnother, PATIENCE_MS);
          await expectWhole(sim, 'gv0');
          expectFilled(sim, 'kube3', lost);
        }
      });
    }
  });

  it('speaks what the others speak before it takes its identity, and is filled', async () => {
    for (const seed of seeds(1)) {
      await withSeed(seed, async () => {
        for (let nth = 0; nth < 4; nth += 1) {
          const sim = await createSimCluster(4 * seed + nth, { poolBytes: POOL_BYTES });
          await sim.applyPlan([VOLUME]);
          await expectWhole(sim, 'gv0');
          await sim.world.client.patch('StorageCluster', 'default', { spec: { tls: { isEnabled: true } } });
          const isOn = () => sim.seen.StorageCluster.get('default')?.status?.tls?.phase === 'On';
          await sim.until('storage traffic is encrypted', isOn, PATIENCE_MS);
          await expectWhole(sim, 'gv0');
          const daemon = sim.encryptions.get('kube3');
          if (daemon === undefined) throw new Error('there is no kube3');
          const lost = copyOn(sim, 'kube3')?.metadata.name;
          await reinstall(sim, 'kube3', async () => {
            Object.assign(daemon, { spoken: 'plain', held: undefined });
            // Asked for before the new machine has said a word, so that nothing else makes it wait.
            const identity = { engineId: uuidOf('kube3'), blankEngineId: sim.gluster.state.node('kube3').id };
            await sim.world.client.patch('StorageNode', 'kube3', { spec: identity });
          });
          expect(await rejoin(sim, 'kube3')).toMatchObject({ outcome: 'asked' });
          await sim.until('its copy is another one', () => copyOn(sim, 'kube3')?.metadata.name !== lost, PATIENCE_MS);
          await expectWhole(sim, 'gv0');
          expectFilled(sim, 'kube3', lost);
          expect(daemon.spoken).toBe('encrypted');
        }
      });
    }
  });

  it('lets a volume go that was deleted and had a part there that nothing can fill', async () => {
    const sim = await createSimCluster(1);
    await sim.applyPlan([{ ...VOLUME, layout: 'distributed', distribution: 3 }]);
    await sim.until('it is made', () => sim.seen.Volume.get('gv0')?.status?.phase === 'Ready', PATIENCE_MS);
    sim.powerOff('kube3');
    await sim.pass(10_000);
    await deleteVolumeAndMounts(sim, 'gv0');
    await sim.pass(60_000);
    expect(sim.gluster.state.volumes.has('gv0')).toBe(true);
    sim.gluster.reinstall('kube3');
    sim.powerOn('kube3');
    await untilStranger(sim, 'kube3');
    expect(await rejoin(sim, 'kube3', true)).toMatchObject({ outcome: 'asked' });
    const isGone = () => sim.seen.Volume.size + sim.seen.VolumeCopy.size + sim.gluster.state.volumes.size === 0;
    await sim.until('nothing of it is left', isGone, PATIENCE_MS);
  });
});
