/** A local volume while every program dies at every moment: one copy on one node, mounted there, and wholly gone in the end. */
import { describe, expect, it } from 'vitest';
import type { Resource } from '../../src/ports/resource-client.ts';
import type { PlanVolume } from '../../src/schemas/plan-file.ts';
import { createSimCluster, type SimCluster } from './cluster.ts';
import { deleteVolumeAndMounts, expectWhollyGone } from './expectations.ts';
import { withSeed } from './seeds.ts';

const SEED = 1;
const PATIENCE_MS = 5 * 60_000;
const NODES = ['kube1', 'kube2'] as const;
const VOLUME: PlanVolume = {
  ...{ name: 'fast', size: '1Gi', engine: 'local' },
  mount: { path: '/data', nodes: ['kube2'] },
};

function record({ seen }: SimCluster) {
  return [...seen.VolumeAttachmentRecord.values()].find(({ spec }) => spec.volume === 'fast');
}

/** Ready, with its one copy on the node that mounts it, and mounted. */
function isWhole(sim: SimCluster): boolean {
  const volume = sim.seen.Volume.get('fast');
  const copy = [...sim.seen.VolumeCopy.values()].find(({ spec }) => spec.volume === 'fast');
  if (volume?.status?.phase !== 'Ready' || copy?.status?.state !== 'Ready') return false;
  return copy.spec.node === 'kube2' && isMounted(sim, copy);
}

function isMounted(sim: SimCluster, { metadata, status }: Resource<'VolumeCopy'>): boolean {
  const node = sim.gluster.state.node('kube2');
  const isServed = node.copies.get(metadata.uid)?.isMounted === true;
  const isBound = node.mounts.get('/data')?.source === `local:${status?.path}`;
  return isServed && isBound && record(sim)?.status?.state === 'Mounted';
}

async function make(sim: SimCluster): Promise<void> {
  await sim.applyPlan([VOLUME]);
  await sim.until('fast is whole', () => isWhole(sim), PATIENCE_MS);
}

async function remove(sim: SimCluster): Promise<void> {
  await deleteVolumeAndMounts(sim, 'fast');
  await expectWhollyGone(sim);
}

describe('a local volume', () => {
  it.each(['before', 'after'] as const)(
    'is made and removed whichever program dies %s whichever moment',
    async (when) => {
      const undisturbed = await createSimCluster(SEED, { nodes: NODES });
      await make(undisturbed);
      await remove(undisturbed);
      expect(undisturbed.moments().filter((moment) => moment.startsWith('kube2: local'))).toEqual(
        ['makeImage', 'mountImage', 'makeBrick', 'bindCopy', 'unbindCopy', 'unmountImage', 'eraseCopy'].map(
          (step) => `kube2: local ${step}`,
        ),
      );
      // kube1 has no part in it.
      const moments = undisturbed.moments().flatMap((what, at) => (what.startsWith('kube1') ? [] : [at + 1]));
      for (const nth of moments) {
        await withSeed(SEED, async () => {
          const sim = await createSimCluster(SEED, { nodes: NODES });
          sim.dieAtMoment(nth, when);
          await make(sim);
          await remove(sim);
        });
      }
    },
  );

  it('waits for its node, stays there, and is mounted again when that is back', async () => {
    const sim = await createSimCluster(SEED, { nodes: NODES });
    await make(sim);
    sim.powerOff('kube2');
    await sim.until(
      'it cannot be used',
      () => sim.seen.Volume.get('fast')?.status?.phase === 'Unavailable',
      PATIENCE_MS,
    );
    await sim.pass(60_000);
    expect(sim.seen.VolumeCopy.size).toBe(1);
    sim.powerOn('kube2');
    await sim.until('fast is whole', () => isWhole(sim), PATIENCE_MS);
    await remove(sim);
  });

  it('has its data lost with its disk, and shows nothing empty in its place', async () => {
    const sim = await createSimCluster(SEED, { nodes: NODES });
    await make(sim);
    sim.powerOff('kube2');
    sim.gluster.state.node('kube2').copies.clear();
    sim.powerOn('kube2');
    const message = () => [...sim.seen.VolumeCopy.values()][0]?.status?.message ?? '';
    await sim.until('it is called lost', () => message().includes('is lost, or out of sight'), PATIENCE_MS);
    await sim.pass(60_000);
    expect(sim.gluster.state.node('kube2').copies.size).toBe(0);
    expect(sim.gluster.state.node('kube2').mounts.size).toBe(0);
    await remove(sim);
  });

  it('says where it is kept to whoever wants it elsewhere', async () => {
    const sim = await createSimCluster(SEED, { nodes: NODES });
    await make(sim);
    const spec = { volume: 'fast', node: 'kube1', mountPath: '/data', isReadOnly: false };
    const metadata = { name: 'elsewhere', finalizers: ['holdfast.dev/attachment'] };
    await sim.world.client.create('VolumeAttachmentRecord', { metadata, spec });
    const status = () => sim.seen.VolumeAttachmentRecord.get('elsewhere')?.status;
    await sim.until('it is refused', () => status()?.state === 'Failed', PATIENCE_MS);
    expect(status()?.message).toContain('local to kube2');
    await remove(sim);
  });
});
