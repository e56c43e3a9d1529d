/** Volumes that nodes export by NFS are in use: they stay, and are changed like mounted ones. */
import { describe, expect, it } from 'vitest';
import { ATTACHMENT_FINALIZER } from '../../src/domain/finalizers.ts';
import { exportName, exportPath } from '../../src/domain/nfs-export/names.ts';
import type { PlanVolume } from '../../src/schemas/plan-file.ts';
import { createSimCluster, type SimCluster } from './cluster.ts';
import { deleteVolumeAndMounts, expectWhole, isWhollyGone } from './expectations.ts';

const SEED = 1;
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

async function prepare(): Promise<SimCluster> {
  const sim = await createSimCluster(SEED);
  await sim.applyPlan([VOLUME]);
  await exportOn(sim, 'kube1');
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
