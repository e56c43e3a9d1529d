/** Nodes that are given up leave the pool of GlusterFS too: it would count them in its quorum, and delete nothing without them. */
import { describe, expect, it } from 'vitest';
import type { PlanVolume } from '../../src/schemas/plan-file.ts';
import { replaceNode } from '../../src/usecases/nodes/move-copies.ts';
import { createSimCluster, type SimCluster } from './cluster.ts';
import { deleteVolumeAndMounts, expectWhole } from './expectations.ts';
import { expectTidy } from './tidy.ts';
import { startUser, waitAsUser } from './user.ts';
import { depsOf } from './verbs-volumes.ts';

const NODES = ['kube1', 'kube2', 'kube3', 'kube4'] as const;
const PATIENCE_MS = 10 * 60_000;
const VOLUME: PlanVolume = { name: 'gv0', size: '1Gi', layout: 'replicated', replicas: 3 };
const options = { waitMs: PATIENCE_MS, onProgress: () => undefined, confirm: async () => true };

async function whole(volumes: readonly PlanVolume[] = [VOLUME]): Promise<SimCluster> {
  const sim = await createSimCluster(1, { nodes: NODES });
  await sim.applyPlan(volumes);
  for (const { name } of volumes) await expectWhole(sim, name);
  const peers = () => sim.seen.StorageCluster.get('default')?.status?.peers;
  await sim.until('all are joined', () => peers()?.connected.length === NODES.length - 1, PATIENCE_MS);
  return sim;
}

const membersOf = (sim: SimCluster, node: string) => [...sim.gluster.state.node(node).members].toSorted();
const leavingOf = (sim: SimCluster) => sim.seen.StorageCluster.get('default')?.status?.peers?.leaving;

async function giveUp(sim: SimCluster, ...nodes: readonly string[]): Promise<void> {
  for (const node of nodes) sim.powerOff(node);
  const user = startUser(async () => {
    for (const node of nodes) {
      await waitAsUser(sim, () => !isReady(sim, node));
      await replaceNode(depsOf(sim), { old: node }, options);
    }
  });
  await sim.until('they are replaced', user.isDone, PATIENCE_MS);
}

function isReady({ seen }: SimCluster, node: string): boolean {
  return seen.StorageNode.get(node)?.status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
}

function readyMessage({ seen }: SimCluster): string | undefined {
  return seen.Volume.get('gv0')?.status?.conditions?.find(({ type }) => type === 'Ready')?.message;
}

describe('a node that is given up', () => {
  it('leaves the pool, and volumes can be deleted again', async () => {
    const sim = await whole();
    await giveUp(sim, 'kube3');
    await sim.until('the pool is without it', () => membersOf(sim, 'kube1').length === 3, PATIENCE_MS);
    await sim.until('nothing is left to say', () => leavingOf(sim) === undefined, PATIENCE_MS);
    await expectTidy(sim);
    await deleteVolumeAndMounts(sim, 'gv0');
    const isGone = () => sim.gluster.state.volumes.size + sim.seen.Volume.size + sim.seen.VolumeCopy.size === 0;
    await sim.until('it is gone', isGone, PATIENCE_MS);
  });

  it('leaves it also when most of the pool is gone with it', async () => {
    const sim = await whole([{ ...VOLUME, layout: 'single', replicas: 1 }]);
    const [kept = ''] = sim.seen.Volume.get('gv0')?.status?.placement?.map(({ node }) => node) ?? [];
    await giveUp(sim, ...NODES.filter((node) => node !== kept).slice(0, 2));
    await sim.until('the pool is without them', () => membersOf(sim, kept).length === 2, PATIENCE_MS);
    await expectTidy(sim);
  });

  it('stays while another node is away, which would not hear of it, and goes when that is back', async () => {
    const sim = await whole([]);
    sim.powerOff('kube2');
    await giveUp(sim, 'kube3');
    await sim.until('it is said', () => leavingOf(sim)?.join() === 'kube3', PATIENCE_MS);
    await sim.pass(60_000);
    expect(membersOf(sim, 'kube1')).toContain('kube3');
    sim.powerOn('kube2');
    await sim.until('the pool is without it', () => !membersOf(sim, 'kube1').includes('kube3'), PATIENCE_MS);
  });

  it('stays while somebody else has a brick there', async () => {
    const sim = await whole([]);
    const brick = { node: 'kube3', path: '/theirs', isArbiter: false };
    const kept = { isStarted: false, limitBytes: undefined, isHealing: false };
    const fresh = {
      ...{ options: new Map<string, string>(), stale: new Map<string, number>() },
      ...{ lagging: new Map<string, number>(), late: new Map<string, number>() },
    };
    sim.gluster.state.volumes.set('theirs', {
      ...{ name: 'theirs', id: 'theirs', shape: { layout: 'single' as const }, bricks: [brick] },
      ...kept,
      ...fresh,
    });
    // Its data is no copy of Holdfast's.
    sim.gluster.state.node('kube3').wiped.add(brick.path);
    await giveUp(sim, 'kube3');
    await sim.until('it is said', () => leavingOf(sim)?.join() === 'kube3', PATIENCE_MS);
    await sim.pass(60_000);
    expect(membersOf(sim, 'kube1')).toContain('kube3');
    sim.gluster.state.volumes.delete('theirs');
    await sim.until('the pool is without it', () => !membersOf(sim, 'kube1').includes('kube3'), PATIENCE_MS);
  });

  it('stays when it is a node again before it has left', async () => {
    const sim = await whole([]);
    sim.powerOff('kube2');
    await giveUp(sim, 'kube3');
    await sim.until('it is said', () => leavingOf(sim)?.join() === 'kube3', PATIENCE_MS);
    sim.powerOn('kube3');
    await sim.applyPlan([VOLUME]);
    await sim.until('nothing is left to say', () => leavingOf(sim) === undefined, PATIENCE_MS);
    sim.powerOn('kube2');
    await expectWhole(sim, 'gv0');
    expect(membersOf(sim, 'kube1')).toEqual([...NODES]);
  });

  it.each<PlanVolume>([
    { ...VOLUME, layout: 'single', replicas: 1 },
    { name: 'gv0', size: '1Gi', engine: 'local' },
  ])(
    'takes with it a deleted volume whose only copy it had, $engine $layout, and the name is free again',
    async (volume) => {
      const sim = await createSimCluster(1, { nodes: NODES });
      await sim.applyPlan([volume]);
      await sim.until('it is made', () => sim.seen.Volume.get('gv0')?.status?.phase === 'Ready', PATIENCE_MS);
      const [lost = ''] = sim.seen.Volume.get('gv0')?.status?.placement?.map(({ node }) => node) ?? [];
      sim.powerOff(lost);
      await sim.until('it is away', () => !isReady(sim, lost), PATIENCE_MS);
      // Nobody has said yet that what it held is gone.
      await expect(replaceNode(depsOf(sim), { old: lost }, options)).rejects.toMatchObject({
        reason: 'OnlyCopiesLost',
      });
      await deleteVolumeAndMounts(sim, 'gv0');
      const next = `bring ${lost} back, or, if it is gone for good: holdfast node replace ${lost}`;
      await sim.until('it is said', () => readyMessage(sim)?.includes(next) === true, PATIENCE_MS);
      await sim.pass(60_000);
      expect(sim.seen.VolumeCopy.size).toBe(1);
      await giveUp(sim, lost);
      const isGone = () => sim.seen.Volume.size + sim.seen.VolumeCopy.size + sim.gluster.state.volumes.size === 0;
      await sim.until('nothing of it is left', isGone, PATIENCE_MS);
      await sim.world.client.create('Volume', { metadata: { name: 'gv0' }, spec: { size: '1Gi', replicas: 3 } });
      await expectWhole(sim, 'gv0');
    },
  );

  it('holds up no volume of several copies that was deleted while it was away', async () => {
    const sim = await whole();
    const [lost = ''] = sim.seen.Volume.get('gv0')?.status?.placement?.map(({ node }) => node) ?? [];
    sim.powerOff(lost);
    await sim.until('it is away', () => !isReady(sim, lost), PATIENCE_MS);
    await deleteVolumeAndMounts(sim, 'gv0');
    const next = `to be deleted as soon as ${lost} can be told; bring ${lost} back, or, if it is gone for good`;
    await sim.until('it is said', () => readyMessage(sim)?.startsWith(next) === true, PATIENCE_MS);
    await giveUp(sim, lost);
    const isGone = () => sim.seen.Volume.size + sim.seen.VolumeCopy.size + sim.gluster.state.volumes.size === 0;
    await sim.until('nothing of it is left', isGone, PATIENCE_MS);
    await expectTidy(sim);
  });

  it('is no hindrance to a deletion once it is back', async () => {
    const sim = await whole();
    sim.powerOff('kube1');
    await sim.until('it is away', () => !isReady(sim, 'kube1'), PATIENCE_MS);
    await deleteVolumeAndMounts(sim, 'gv0');
    await sim.pass(60_000);
    sim.powerOn('kube1');
    const isGone = () => sim.seen.Volume.size + sim.seen.VolumeCopy.size + sim.gluster.state.volumes.size === 0;
    await sim.until('nothing of it is left', isGone, PATIENCE_MS);
    await expectTidy(sim);
  });
});
