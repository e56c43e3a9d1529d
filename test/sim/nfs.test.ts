/** A folder of a share as a volume, while every program dies at every moment; and a file server that goes away. */
import { describe, expect, it } from 'vitest';
import { ATTACHMENT_FINALIZER } from '../../src/domain/finalizers.ts';
import { PlanFile } from '../../src/schemas/plan-file.ts';
import type { Share } from '../../src/schemas/volume.ts';
import { applyPlan } from '../../src/usecases/plan/apply-plan.ts';
import { addVolume } from '../../src/usecases/volumes/add-volume.ts';
import { createSimCluster, type SimCluster } from './cluster.ts';
import { withSeed } from './seeds.ts';

const SEED = 1;
const PATIENCE_MS = 5 * 60_000;
const NODES = ['kube1', 'kube2'] as const;
const SHARE: Share = { server: 'files', path: '/export', subDir: 'team/db' };

async function make(sim: SimCluster, share: Share = SHARE): Promise<void> {
  const { client } = sim.world;
  await sim.applyPlan([]);
  const isAble = () => [...sim.seen.StorageNode.values()].every((node) => node.status?.engines?.some(isNfs) === true);
  await sim.until('the nodes can mount NFS', isAble, PATIENCE_MS);
  const isUp = () =>
    [...sim.seen.StorageNode.values()].every((node) => node.status?.conditions?.[0]?.status === 'True');
  await sim.until('the nodes are ready', isUp, PATIENCE_MS);
  await addVolume({ client, clock: sim.world.clock }, { name: 'db', size: '10Gi', engine: 'nfs', share });
  const metadata = { name: 'db.kube2', finalizers: [ATTACHMENT_FINALIZER] };
  await client.create('VolumeAttachmentRecord', {
    metadata,
    spec: { volume: 'db', node: 'kube2', mountPath: '/data' },
  });
  await sim.until('db is mounted', () => isWhole(sim), PATIENCE_MS);
}

function isNfs({ name, isRunning }: { readonly name: string; readonly isRunning: boolean }): boolean {
  return name === 'nfs' && isRunning;
}

function isWhole({ seen, nfsMachine }: SimCluster): boolean {
  const record = seen.VolumeAttachmentRecord.get('db.kube2');
  const isMounted = nfsMachine('kube2').mounts.some(({ target }) => target === '/data');
  return seen.Volume.get('db')?.status?.phase === 'Ready' && record?.status?.state === 'Mounted' && isMounted;
}

async function remove(sim: SimCluster): Promise<void> {
  const { client } = sim.world;
  await client.delete('Volume', 'db');
  await client.delete('VolumeAttachmentRecord', 'db.kube2');
  await sim.until('db is gone', () => !sim.seen.Volume.has('db'), PATIENCE_MS);
  await sim.pass(60_000);
}

describe('a folder of a share', () => {
  it.each(['before', 'after'] as const)('comes and goes whichever program dies %s whichever moment', async (when) => {
    const undisturbed = await createSimCluster(SEED, { nodes: NODES });
    await make(undisturbed);
    await remove(undisturbed);
    const moments = undisturbed.moments();
    const steps = moments.filter((moment) => moment.includes(': nfs '));
    expect(steps).toEqual([
      'kube1: nfs makeFolder',
      'kube2: nfs mountShare',
      'kube2: nfs unmountShare',
      ...['setAside', 'eraseAside', 'forgetFolder'].map((step) => `kube1: nfs ${step}`),
    ]);
    // What came before the volume has tests of its own.
    const from = moments.findIndex((moment) => moment.includes('Volume db') || moment.includes(': nfs ')) - 6;
    for (let nth = Math.max(1, from); nth <= moments.length; nth += 1) {
      await withSeed(SEED, async () => {
        const sim = await createSimCluster(SEED, { nodes: NODES });
        sim.fileServer.put('files:/export', 'team/other/file', 'file', 'kept');
        sim.dieAtMoment(nth, when);
        await make(sim);
        sim.fileServer.put('files:/export', 'team/db/file', 'file', 'data');
        await remove(sim);
        expect(sim.fileServer.names('files:/export', 'team')).toEqual(['other']);
        expect(sim.fileServer.names('files:/export', 'team/other')).toEqual(['file']);
        for (const folder of ['owners', 'new', 'gone']) {
          expect(sim.fileServer.names('files:/export', `.holdfast/${folder}`)).toEqual([]);
        }
        expect(sim.nfsMachine('kube2').mounts).toEqual([]);
      });
    }
  });

  it('is looked after by another node when its anchor is lost, and the mounts of others stay', async () => {
    const sim = await createSimCluster(SEED, { nodes: NODES });
    await make(sim);
    expect(sim.seen.Volume.get('db')?.status?.anchor).toBe('kube1');
    sim.powerOff('kube1');
    const isMoved = () => sim.seen.Volume.get('db')?.status?.anchor === 'kube2';
    await sim.until('kube2 looks after it', () => isMoved() && isWhole(sim), PATIENCE_MS);
    await remove(sim);
    expect(sim.fileServer.names('files:/export', 'team')).toEqual([]);
  });

  it('says when its server does not answer, and is ready when that does again', async () => {
    const sim = await createSimCluster(SEED, { nodes: NODES });
    await make(sim);
    sim.fileServer.isSilent = true;
    const phase = () => sim.seen.Volume.get('db')?.status?.phase;
    await sim.until('it says so', () => phase() === 'Unavailable', PATIENCE_MS);
    const ready = sim.seen.Volume.get('db')?.status?.conditions?.find(({ type }) => type === 'Ready');
    expect(ready).toMatchObject({ status: 'False', reason: 'ShareSilent' });
    expect(ready?.message).toContain('files:/export cannot be mounted on kube1: the server does not answer');
    sim.fileServer.isSilent = false;
    await sim.until('it is ready', () => isWhole(sim), PATIENCE_MS);
  });

  it('is not made anew when its folder is lost', async () => {
    const sim = await createSimCluster(SEED, { nodes: NODES });
    await make(sim);
    sim.fileServer.put('files:/export', 'team', 'folder');
    const ready = () => sim.seen.Volume.get('db')?.status?.conditions?.find(({ type }) => type === 'Ready');
    await sim.until('it says so', () => ready()?.reason === 'FolderLost', PATIENCE_MS);
    expect(sim.fileServer.names('files:/export', 'team')).toEqual([]);
  });
});

describe('a whole share', () => {
  it('has the size of its server, and is left as it is', async () => {
    const sim = await createSimCluster(SEED, { nodes: NODES });
    sim.fileServer.put('files:/export', 'file', 'file', 'data');
    await make(sim, { server: 'files', path: '/export' });
    expect(sim.seen.Volume.get('db')?.status?.size).toBe('100Gi');
    await remove(sim);
    expect(sim.fileServer.names('files:/export')).toEqual(['file']);
  });
});

describe('the shares of a plan', () => {
  it('become volumes and PersistentVolumes of the size that the server tells, and are left as they are', async () => {
    const sim = await createSimCluster(SEED, { nodes: NODES });
    const { client } = sim.world;
    sim.fileServer.put('files:/export', 'file', 'file', 'data');
    await sim.applyPlan([]);
    const plan = PlanFile.parse({ nfs: { nfs_volume: [{ nfs_host: 'files', mount_path: '/export' }] } });
    expect((await applyPlan({ client }, plan)).notices).toEqual([expect.stringContaining('no node can mount NFS now')]);
    await sim.until('it is ready', () => sim.seen.Volume.get('pv0')?.status?.phase === 'Ready', PATIENCE_MS);
    expect((await applyPlan({ client }, plan)).notices).toEqual([]);
    expect((await client.get('PersistentVolume', 'pv0'))?.spec.capacity).toEqual({ storage: '100Gi' });
    const again = await applyPlan({ client }, plan);
    expect(again.changes.filter(({ action }) => action !== 'unchanged')).toEqual([]);
    await client.delete('Volume', 'pv0');
    await sim.until('it is gone', () => !sim.seen.Volume.has('pv0'), PATIENCE_MS);
    expect(sim.fileServer.names('files:/export')).toEqual(['file']);
  });
});
