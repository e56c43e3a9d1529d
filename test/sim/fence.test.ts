/** Nodes that are fenced: nothing they do reaches a volume once that is said, whoever dies meanwhile, and they come back whole. */
import { describe, expect, it } from 'vitest';
import type { PlanVolume } from '../../src/schemas/plan-file.ts';
import { fenceNode, unfenceNode } from '../../src/usecases/nodes/fence-node.ts';
import { createSimCluster, type SimCluster } from './cluster.ts';
import { expectWhole } from './expectations.ts';
import { withSeed } from './seeds.ts';

const PATIENCE_MS = 120_000;
const GV0: PlanVolume = {
  ...{ name: 'gv0', size: '1Gi', layout: 'replicated', replicas: 3 },
  mount: { path: '/data', nodes: 'all' },
};

async function whole(seed: number, volumes: readonly PlanVolume[] = [GV0]): Promise<SimCluster> {
  const sim = await createSimCluster(seed);
  await sim.applyPlan(volumes);
  for (const { name } of volumes) await expectWhole(sim, name);
  return sim;
}

async function fence(sim: SimCluster, node: string): Promise<void> {
  const { client, clock } = sim.world;
  await fenceNode({ client, clock }, node, { isDryRun: false, confirm: async () => true });
}

async function untilHeld(sim: SimCluster, node: string): Promise<void> {
  await sim.until('it is held', () => sim.seen.FenceRecord.get(node)?.status?.phase === 'Held', PATIENCE_MS);
}

async function unfence(sim: SimCluster, node: string): Promise<void> {
  const { client, clock } = sim.world;
  await unfenceNode({ client, clock }, node, { isDryRun: false });
  await sim.until('it is unfenced', () => !sim.seen.FenceRecord.has(node), PATIENCE_MS);
}

const mountOf = (sim: SimCluster, node: string) => sim.seen.VolumeAttachmentRecord.get(`gv0.${node}`)?.status;

describe('a fenced node', () => {
  it('writes nothing any more, while the others go on, and is let in again once nothing is mounted there', async () => {
    const sim = await whole(1);
    expect(sim.gluster.write('kube1', 'gv0')).toBe(true);
    await fence(sim, 'kube1');
    await untilHeld(sim, 'kube1');
    expect(sim.gluster.write('kube1', 'gv0')).toBe(false);
    expect(sim.gluster.write('kube2', 'gv0')).toBe(true);
    expect(sim.seen.Volume.get('gv0')?.status?.anchor).not.toBe('kube1');
    await sim.until('its mount is away', () => mountOf(sim, 'kube1')?.state === 'HeldBack', PATIENCE_MS);
    const isClean = () => sim.seen.StorageNode.get('kube1')?.status?.fence?.mounts.length === 0;
    await sim.until('it says so', isClean, PATIENCE_MS);
    await unfence(sim, 'kube1');
    await sim.until('it is mounted again', () => mountOf(sim, 'kube1')?.state === 'Mounted', PATIENCE_MS);
    expect(sim.gluster.write('kube1', 'gv0')).toBe(true);
    expect(sim.gluster.state.node('kube1').isHealerCut).toBe(false);
    await sim.until('no word of it is left', () => !isFencedSomewhere(sim), PATIENCE_MS);
    await expectWhole(sim, 'gv0');
  });

  it('is fenced when it is cut off, and stays so when its cable is back', async () => {
    const sim = await whole(2);
    sim.unplug('kube3');
    await fence(sim, 'kube3');
    await untilHeld(sim, 'kube3');
    sim.plug('kube3');
    await sim.pass(30_000);
    expect(sim.seen.FenceRecord.get('kube3')?.status?.phase).toBe('Held');
    expect(sim.gluster.write('kube3', 'gv0')).toBe(false);
  });

  it('is not let in while it is away; restarted it is', async () => {
    const sim = await whole(3);
    sim.powerOff('kube3');
    await fence(sim, 'kube3');
    await untilHeld(sim, 'kube3');
    await sim.until('it is missed', () => !isReady(sim, 'kube3'), PATIENCE_MS);
    await expect(unfence(sim, 'kube3')).rejects.toThrow('kube3 is not heard from');
    sim.powerOn('kube3');
    await sim.until('it is back', () => isReady(sim, 'kube3'), PATIENCE_MS);
    await unfence(sim, 'kube3');
    await expectWhole(sim, 'gv0');
    expect(sim.gluster.state.node('kube3').isHealerCut).toBe(false);
  });

  it('is never said to be so while another copy has not shown it', async () => {
    const sim = await whole(4);
    sim.unplug('kube2');
    await sim.until('it is missed', () => !isReady(sim, 'kube2'), PATIENCE_MS);
    await fence(sim, 'kube3');
    await sim.pass(60_000);
    const { status } = sim.seen.FenceRecord.get('kube3') ?? {};
    expect(status?.phase).toBe('Fencing');
    expect(status?.volumes?.['gv0']).toMatchObject({ state: 'Waiting' });
    sim.plug('kube2');
    await untilHeld(sim, 'kube3');
  });

  it('has no way into a volume that is made later', async () => {
    const sim = await whole(5);
    await fence(sim, 'kube3');
    await untilHeld(sim, 'kube3');
    await sim.applyPlan([GV0, { name: 'gv1', size: '1Gi', layout: 'arbiter' }]);
    await sim.until('it is served', () => sim.gluster.state.volumes.get('gv1')?.isStarted === true, PATIENCE_MS);
    expect(sim.gluster.write('kube3', 'gv1')).toBe(false);
    await untilHeld(sim, 'kube3');
    await sim.until('it is ready', () => sim.seen.Volume.get('gv1')?.status?.phase === 'Ready', PATIENCE_MS);
  });

  it('leaves a local volume where it is', async () => {
    const sim = await whole(6);
    const local: PlanVolume = { name: 'here', size: '1Gi', engine: 'local', nodes: ['kube3'], layout: 'single' };
    await sim.applyPlan([GV0, local]);
    await fence(sim, 'kube3');
    await untilHeld(sim, 'kube3');
    expect(sim.seen.FenceRecord.get('kube3')?.status?.volumes?.['here']?.state).toBe('NotNeeded');
  });

  it('is held whoever dies before or after each write and step, and comes back whole', async () => {
    const undisturbed = await prepared();
    const before = undisturbed.moments().length;
    await throughAFence(undisturbed);
    const count = undisturbed.moments().length - before;
    expect(count).toBeGreaterThan(10);
    for (let nth = 1; nth <= count; nth += 1) {
      await withSeed(7, async () => {
        const sim = await prepared();
        sim.dieAtMoment(sim.moments().length + nth, nth % 2 === 0 ? 'before' : 'after');
        await throughAFence(sim);
      });
    }
  });
});

const prepared = () => whole(7);

async function throughAFence(sim: SimCluster): Promise<void> {
  await fence(sim, 'kube3');
  await untilHeld(sim, 'kube3');
  const isClean = () => sim.seen.StorageNode.get('kube3')?.status?.fence?.mounts.length === 0;
  await sim.until('nothing is mounted there', () => isClean() && isReady(sim, 'kube3'), PATIENCE_MS);
  await unfence(sim, 'kube3');
  await sim.until('it is mounted again', () => mountOf(sim, 'kube3')?.state === 'Mounted', PATIENCE_MS);
  expect(sim.gluster.state.node('kube3').isHealerCut).toBe(false);
  expect(sim.gluster.write('kube3', 'gv0')).toBe(true);
}

function isReady(sim: SimCluster, node: string): boolean {
  const { conditions = [] } = sim.seen.StorageNode.get(node)?.status ?? {};
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}

function isFencedSomewhere(sim: SimCluster): boolean {
  const { fences, refused } = sim.seen.Volume.get('gv0')?.status?.engine ?? {};
  return (
    fences !== undefined || refused !== undefined || sim.seen.StorageNode.get('kube1')?.status?.fence !== undefined
  );
}
