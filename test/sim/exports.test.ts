/** Volumes that nodes export by NFS are in use: they stay, and are changed like mounted ones. */
import { describe, expect, it } from 'vitest';
import { ATTACHMENT_FINALIZER } from '../../src/domain/finalizers.ts';
import { exportName, exportPath } from '../../src/domain/nfs-export/names.ts';
import type { PlanVolume } from '../../src/schemas/plan-file.ts';
import { runChaos } from './chaos.ts';
import { createSimCluster, type SimCluster } from './cluster.ts';
import { deleteVolumeAndMounts, expectWhole, isWhollyGone } from './expectations.ts';
import { seeds, withSeed } from './seeds.ts';
import { paceOf } from './sim-engine.ts';

const SEED = 1;
const NODES = ['kube1', 'kube2', 'kube3'];
const PATIENCE_MS = 5 * 60_000;
const VOLUME: PlanVolume = { name: 'gv0', size: '1Gi', layout: 'replicated', replicas: 3 };

const recordOn = ({ seen }: SimCluster, node: string, volume = 'gv0') =>
  seen.VolumeAttachmentRecord.get(exportName(volume, node));
const isServed = ({ gluster }: SimCluster, node: string) =>
  gluster.state.node(node).mounts.get('/gv0')?.isServed === true;

async function exportOn(sim: SimCluster, node: string, { volume = 'gv0', id = 7 } = {}): Promise<void> {
  const metadata = { name: exportName(volume, node), finalizers: [ATTACHMENT_FINALIZER] };
  const exported = { id, clients: ['10.91.1.0/24'] };
  const spec = { volume, node, mountPath: exportPath(volume), isReadOnly: false, export: exported };
  await sim.world.client.create('VolumeAttachmentRecord', { metadata, spec });
}

interface Situation {
  readonly seed?: number;
  readonly nodes?: readonly string[];
  readonly exporter?: string;
}

async function prepare({ seed = SEED, nodes = NODES, exporter = 'kube1' }: Situation = {}): Promise<SimCluster> {
  const sim = await createSimCluster(seed, { nodes, pace: paceOf(seed) });
  await sim.applyPlan([VOLUME]);
  await exportOn(sim, exporter);
  await expectWhole(sim, 'gv0');
  return sim;
}

describe('an exported volume', () => {
  it('says where clients find it, and is served again after its host was off', async () => {
    const sim = await prepare();
    expect(recordOn(sim, 'kube1')?.status).toMatchObject({ state: 'Mounted', connectedCopies: 3, copies: 3 });
    expect(recordOn(sim, 'kube1')?.status?.address).toMatch(/^[\d.]+:\/gv0$/);
    sim.powerOff('kube1');
    await sim.until('it is noticed', () => sim.seen.Volume.get('gv0')?.status?.phase !== 'Ready', PATIENCE_MS);
    sim.powerOn('kube1');
    await expectWhole(sim, 'gv0');
    expect(isServed(sim, 'kube1')).toBe(true);
    sim.gluster.killMount('kube1', '/gv0');
    await sim.until('it is served again', () => isServed(sim, 'kube1'), PATIENCE_MS);
  });

  it('stays while it is exported, and goes wholly when it is not', async () => {
    const sim = await prepare();
    await sim.world.client.delete('Volume', 'gv0');
    const isInUse = () =>
      sim.seen.Volume.get('gv0')?.status?.conditions?.some(({ reason }) => reason === 'InUse') === true;
    await sim.until('it is in use', isInUse, PATIENCE_MS);
    expect(isServed(sim, 'kube1')).toBe(true);
    await deleteVolumeAndMounts(sim, 'gv0');
    await sim.until('nothing is left', () => isWhollyGone(sim), PATIENCE_MS);
  });

  it('is not served while the encryption of storage traffic changes, and again after that', async () => {
    for (const phase of ['Unmounting', 'Stopping', 'Restarting'] as const) {
      const sim = await prepare();
      const tls = () => sim.seen.StorageCluster.get('default')?.status?.tls?.phase;
      await sim.world.client.patch('StorageCluster', 'default', { spec: { tls: { isEnabled: true } } });
      await sim.until('it is held back', () => recordOn(sim, 'kube1')?.status?.state === 'HeldBack', PATIENCE_MS);
      expect(isServed(sim, 'kube1')).toBe(false);
      await sim.until(phase, () => tls() === phase || tls() === 'On', PATIENCE_MS);
      sim.kill('kube1');
      await sim.until('it is encrypted', () => tls() === 'On', PATIENCE_MS);
      await expectWhole(sim, 'gv0');
      expect(isServed(sim, 'kube1')).toBe(true);
    }
  });

  it('keeps its old copy until the server works with the new one', async () => {
    for (const seed of seeds(2)) {
      await withSeed(seed, async () => {
        const sim = await prepare({ seed, nodes: ['kube1', 'kube2', 'kube3', 'kube4'], exporter: 'kube4' });
        const node = sim.seen.Volume.get('gv0')?.status?.placement?.[0]?.node ?? '';
        await sim.world.client.patch('StorageNode', node, { spec: { isDraining: true } });
        await runChaos(sim, { seed, forMs: 60_000, everyMs: 2_500 });
        const isDrained = () => [...sim.seen.VolumeCopy.values()].every((copy) => copy.spec.node !== node);
        await sim.until(`${node} is drained`, isDrained, PATIENCE_MS);
        await expectWhole(sim, 'gv0');
      });
    }
  });

  it('is refused under a number that another export of the node has, which goes on', async () => {
    const sim = await prepare();
    await sim.applyPlan([VOLUME, { ...VOLUME, name: 'gv1' }]);
    await exportOn(sim, 'kube1', { volume: 'gv1' });
    await sim.until('it is refused', () => recordOn(sim, 'kube1', 'gv1')?.status?.state === 'Failed', PATIENCE_MS);
    expect(recordOn(sim, 'kube1', 'gv1')?.status?.message).toContain(
      'volume gv0 is exported here with the same number',
    );
    expect(isServed(sim, 'kube1')).toBe(true);
  });
});
