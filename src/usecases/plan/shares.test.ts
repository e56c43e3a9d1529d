/** The section nfs of a plan: shares as volumes, and as PersistentVolumes once their size is known. */
import { describe, expect, test } from 'vitest';
import { GIB } from '../../domain/bytes.ts';
import type { ResourceClient } from '../../ports/resource-client.ts';
import { PlanFile } from '../../schemas/plan-file.ts';
import { createFakeCluster, type FakeCluster } from '../cluster.fake.ts';
import { addStaticVolume } from '../volumes/add-static-volume.ts';
import { type AppliedPlan, applyPlan } from './apply-plan.ts';

const sharePlan = (...sources: readonly string[]) =>
  PlanFile.parse({
    nfs: {
      nfs_volume: sources.map((source) => {
        const [nfs_host, mount_path] = source.split(':');
        return { nfs_host, mount_path };
      }),
    },
  });

async function withClients(): Promise<FakeCluster> {
  const cluster = await createFakeCluster();
  await cluster.addNode('kube1', { engines: [{ name: 'nfs', isInstalled: true, isRunning: true }] });
  return cluster;
}

async function answer({ makeReady }: FakeCluster, volume: string, gib: number): Promise<void> {
  const engine = { observedBy: 'kube1', epoch: 1, state: 'Started' as const, bricks: [], capacityBytes: gib * GIB };
  await makeReady(volume, { placement: [], size: `${gib}Gi`, engine });
}

const actions = ({ changes }: AppliedPlan) =>
  changes.filter(({ kind }) => kind.includes('Volume')).map(({ action, kind, name }) => `${action} ${kind} ${name}`);

describe('the shares of a plan', () => {
  test('are volumes at once, and PersistentVolumes as Kismatic has them once their size is known', async () => {
    const cluster = await withClients();
    const { client } = cluster;
    const plan = sharePlan('files:/export', 'files:/media');
    const first = await applyPlan(cluster, plan);
    expect(actions(first)).toEqual(['create Volume pv0', 'create Volume pv1']);
    expect(first.notices).toEqual([
      'share files:/export (volume pv0): its size is asked for; its PersistentVolume is registered when the plan is applied again after that',
      'share files:/media (volume pv1): its size is asked for; its PersistentVolume is registered when the plan is applied again after that',
    ]);
    expect((await client.get('Volume', 'pv0'))?.spec).toMatchObject({
      engine: 'nfs',
      share: { server: 'files', path: '/export' },
    });
    await answer(cluster, 'pv0', 70);
    const second = await applyPlan(cluster, plan);
    expect(actions(second)).toEqual(['unchanged Volume pv0', 'create PersistentVolume pv0', 'unchanged Volume pv1']);
    expect(second.notices).toEqual([expect.stringContaining('share files:/media (volume pv1): no controller has')]);
    expect((await client.get('PersistentVolume', 'pv0'))?.spec).toEqual({
      capacity: { storage: '70Gi' },
      accessModes: ['ReadWriteMany'],
      persistentVolumeReclaimPolicy: 'Retain',
      storageClassName: 'kismatic',
      volumeMode: 'Filesystem',
      csi: { driver: 'csi.holdfast.dev', volumeHandle: 'pv0' },
    });
    await answer(cluster, 'pv1', 5);
    await applyPlan(cluster, plan);
    const before = client.version();
    const last = await applyPlan(cluster, sharePlan('files:/media', 'FILES:/export'));
    expect(actions(last).map((action) => action.split(' ')[0])).toEqual(Array.from({ length: 4 }, () => 'unchanged'));
    expect(last.notices).toEqual([]);
    expect(client.version()).toBe(before);
  });

  test('take the lowest number that nobody has, and keep what is gone from the plan', async () => {
    const cluster = await withClients();
    const { client } = cluster;
    await client.create('PersistentVolume', { metadata: { name: 'pv1' }, spec: { nfs: { server: 'x', path: '/x' } } });
    await applyPlan(cluster, sharePlan('a:/a', 'b:/b'));
    const applied = await applyPlan(cluster, sharePlan('c:/c', 'b:/b'));
    expect(actions(applied)).toEqual(['create Volume pv3', 'unchanged Volume pv2']);
    expect((await client.list('Volume')).items.map(({ metadata }) => metadata.name)).toEqual(['pv0', 'pv2', 'pv3']);
  });

  test('say that no node can mount them, beside the rest of the plan', async () => {
    const cluster = await createFakeCluster(['kube1']);
    const applied = await applyPlan(cluster, sharePlan('files:/export'));
    expect(actions(applied)).toEqual(['create Volume pv0']);
    expect(applied.notices).toEqual([
      'share files:/export (volume pv0): no node can mount NFS now: it needs a kernel with the module nfs, and mount.nfs ' +
        '(package nfs-common); its PersistentVolume is registered when the plan is applied again after that',
    ]);
  });

  test('are what was added by hand already, whose PersistentVolume is left to that', async () => {
    const cluster = await withClients();
    const registration = {
      storageClass: 'media',
      accessModes: ['ReadOnlyMany' as const],
      reclaimPolicy: 'Retain' as const,
    };
    const share = { server: 'files', path: '/export' };
    await addStaticVolume(cluster, { name: 'media', size: '1Gi', engine: 'nfs', share, registration });
    await answer(cluster, 'media', 3);
    const applied = await applyPlan(cluster, sharePlan('files:/export'));
    expect(actions(applied)).toEqual(['unchanged Volume media']);
    expect(applied.notices).toEqual([
      'share files:/export (volume media): was added by hand, and is registered by the same command with --wait: holdfast volume add',
    ]);
    const request = { name: 'media', size: '1Gi', engine: 'nfs' as const, share, registration };
    await addStaticVolume(cluster, request, { mayExist: true });
    const again = await applyPlan(cluster, sharePlan('files:/export'));
    expect(actions(again)).toEqual(['unchanged Volume media', 'unchanged PersistentVolume media']);
    expect(again.notices).toEqual([]);
  });

  test('a folder of the share is another volume', async () => {
    const cluster = await withClients();
    const spec = {
      ...{ size: '1Gi', engine: 'nfs', layout: 'single' },
      share: { server: 'files', path: '/export', subDir: 'a' },
    };
    await cluster.client.create('Volume', { metadata: { name: 'pv0' }, spec });
    expect(actions(await applyPlan(cluster, sharePlan('files:/export')))).toEqual(['create Volume pv1']);
  });

  test('contradict a volume that is going, and a PersistentVolume in the way', async () => {
    const cluster = await withClients();
    const { client } = cluster;
    const plan = sharePlan('files:/export');
    await applyPlan(cluster, plan);
    await answer(cluster, 'pv0', 3);
    await client.create('PersistentVolume', { metadata: { name: 'pv0' }, spec: { nfs: { server: 'x', path: '/x' } } });
    const inTheWay =
      'a PersistentVolume pv0 that is not for it is in the way; remove it: kubectl delete persistentvolume pv0';
    await expect(applyPlan(cluster, plan)).rejects.toMatchObject({
      faults: [{ field: 'share files:/export (volume pv0)', message: inTheWay }],
    });
    await client.delete('Volume', 'pv0');
    await expect(applyPlan(cluster, plan)).rejects.toMatchObject({
      faults: [
        { field: 'share files:/export (volume pv0)', message: 'is being deleted; apply the plan when it is gone' },
      ],
    });
  });

  test('are made once by two who apply the same plan at the same time', async () => {
    const cluster = await withClients();
    const { client } = cluster;
    let isFirst = true;
    const racing: ResourceClient = {
      ...client,
      create: async (kind, object, scope) => {
        if (isFirst) {
          isFirst = false;
          await applyPlan({ client }, sharePlan('files:/export'));
        }
        return client.create(kind, object, scope);
      },
    };
    await applyPlan({ client: racing }, sharePlan('files:/export'));
    expect((await client.list('Volume')).items.map(({ metadata }) => metadata.name)).toEqual(['pv0']);
  });
});
