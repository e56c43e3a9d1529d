import { describe, expect, test } from 'vitest';
import { AppError } from '../../domain/errors.ts';
import type { ResourceClient } from '../../ports/resource-client.ts';
import { createFakeCluster, type FakeCluster } from '../cluster.fake.ts';
import { addStaticVolume, type StaticVolumeRequest } from './add-static-volume.ts';
import { addVolume } from './add-volume.ts';
import { deleteVolume } from './delete-volume.ts';
import { DEFAULT_VOLUME, ensureDefaultVolume } from './ensure-default.ts';

const THREE = ['kube1', 'kube2', 'kube3'];
const REQUEST: StaticVolumeRequest = {
  name: 'gv0',
  size: '1Gi',
  registration: { storageClass: 'kismatic', accessModes: ['ReadWriteMany'], reclaimPolicy: 'Retain' },
};
const yes = { confirm: async () => true };

const registered = async ({ client }: FakeCluster, name = 'gv0') => client.get('PersistentVolume', name);

const failure = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

/** A client whose call of this kind and verb never arrives. */
function failing({ client, clock }: FakeCluster, verb: 'create' | 'delete', kind: string) {
  const broken: ResourceClient = {
    ...client,
    [verb]: async (...args: readonly unknown[]) => {
      if (args[0] === kind) throw new AppError('unavailable', 'the API server does not answer');
      return (client[verb] as (...all: readonly unknown[]) => Promise<unknown>)(...args);
    },
  };
  return { client: broken, clock };
}

describe('addStaticVolume', () => {
  test('registers nothing before the volume is ready', async () => {
    const cluster = await createFakeCluster(THREE);
    expect(await addStaticVolume(cluster, REQUEST)).toMatchObject({ isRegistered: false, isResumed: false });
    expect(await registered(cluster)).toBeUndefined();
    await cluster.makeReady('gv0');
    const again = await addStaticVolume(cluster, REQUEST);
    expect(again).toMatchObject({ isRegistered: true, isResumed: true, phase: 'Ready', replicas: 3 });
    expect((await registered(cluster))?.spec.csi).toEqual({ driver: 'csi.holdfast.dev', volumeHandle: 'gv0' });
  });

  test('goes on after an API that went away before the PersistentVolume was stored', async () => {
    const cluster = await createFakeCluster(THREE);
    const broken = failing(cluster, 'create', 'PersistentVolume');
    const adding = addStaticVolume(broken, REQUEST, { waitMs: 60_000 });
    const failed = failure(adding);
    await cluster.clock.settle();
    await cluster.makeReady('gv0');
    expect(await failed).toMatchObject({ kind: 'unavailable' });
    expect(await addStaticVolume(cluster, REQUEST, { waitMs: 60_000 })).toMatchObject({ isRegistered: true });
  });

  test.each<[what: string, change: Partial<StaticVolumeRequest>]>([
    ['size', { size: '2Gi' }],
    ['number of replicas', { replicas: 2 }],
    ['class', { registration: { ...REQUEST.registration, storageClass: 'durable' } }],
    ['list of addresses', { allowFrom: ['10.0.0.1'] }],
  ])('another %s is another volume, whose name is taken', async (_, change) => {
    const cluster = await createFakeCluster(THREE);
    await addStaticVolume(cluster, REQUEST);
    const before = cluster.client.version();
    await expect(addStaticVolume(cluster, { ...REQUEST, ...change })).rejects.toMatchObject({ kind: 'exists' });
    expect(cluster.client.version()).toBe(before);
  });

  test('a volume that was made otherwise, is whole, or is going is not taken over', async () => {
    const cluster = await createFakeCluster(THREE);
    await addVolume(cluster, { name: 'gv0', size: '1Gi' });
    await expect(addStaticVolume(cluster, REQUEST)).rejects.toMatchObject({ message: 'volume gv0 exists already' });
    const other = { ...REQUEST, name: 'gv1' };
    await addStaticVolume(cluster, other);
    await cluster.makeReady('gv1');
    await addStaticVolume(cluster, other);
    await expect(addStaticVolume(cluster, other)).rejects.toMatchObject({ message: 'volume gv1 exists already' });
    await cluster.client.delete('Volume', 'gv1');
    await expect(addStaticVolume(cluster, other)).rejects.toMatchObject({
      message: 'volume gv1 exists already and is being deleted',
    });
  });

  test('a PersistentVolume of that name is told before anything is stored', async () => {
    const cluster = await createFakeCluster(THREE);
    await cluster.client.create('PersistentVolume', { metadata: { name: 'gv0' }, spec: { nfs: { path: '/x' } } });
    await expect(addStaticVolume(cluster, REQUEST)).rejects.toMatchObject({
      kind: 'exists',
      message: 'a PersistentVolume gv0 exists already, for something else',
    });
    expect((await cluster.client.list('Volume')).items).toEqual([]);
  });

  test('a PersistentVolume of an earlier volume is not taken for that of this one', async () => {
    const cluster = await createFakeCluster(THREE);
    await addStaticVolume(cluster, REQUEST);
    const csi = { driver: 'csi.holdfast.dev', volumeHandle: 'gv0' };
    const annotations = { 'holdfast.dev/volume-uid': 'earlier' };
    await cluster.client.create('PersistentVolume', { metadata: { name: 'gv0', annotations }, spec: { csi } });
    await cluster.makeReady('gv0');
    await expect(addStaticVolume(cluster, REQUEST, { mayExist: true })).rejects.toMatchObject({
      message: 'a PersistentVolume gv0 exists already, for an earlier volume of that name',
    });
  });

  test('a dry run stores nothing', async () => {
    const cluster = await createFakeCluster(THREE);
    const before = cluster.client.version();
    expect(await addStaticVolume(cluster, REQUEST, { isDryRun: true })).toMatchObject({ isRegistered: false });
    expect(cluster.client.version()).toBe(before);
  });
});

describe('deleting a registered volume', () => {
  async function withVolume(): Promise<FakeCluster> {
    const cluster = await createFakeCluster(THREE);
    await addStaticVolume(cluster, REQUEST);
    await cluster.makeReady('gv0');
    await addStaticVolume(cluster, REQUEST);
    return cluster;
  }

  test('takes the PersistentVolume first; stopped after that, the same call does the rest', async () => {
    const cluster = await withVolume();
    await expect(deleteVolume(failing(cluster, 'delete', 'Volume'), 'gv0', yes)).rejects.toMatchObject({
      kind: 'unavailable',
    });
    expect(await registered(cluster)).toBeUndefined();
    expect((await cluster.client.get('Volume', 'gv0'))?.metadata.deletionTimestamp).toBeUndefined();
    expect(await deleteVolume(cluster, 'gv0', yes)).toMatchObject({ outcome: 'marked' });
    expect((await cluster.client.get('Volume', 'gv0'))?.metadata.deletionTimestamp).toBeDefined();
  });

  test('keeps the volume as long as the PersistentVolume is held', async () => {
    const cluster = await withVolume();
    const finalizers = ['kubernetes.io/pv-protection'];
    await cluster.client.patch('PersistentVolume', 'gv0', { metadata: { finalizers } });
    const deleting = deleteVolume(cluster, 'gv0', { ...yes, waitMs: 5_000 });
    const failed = failure(deleting);
    await cluster.clock.advance(5_000);
    expect(await failed).toMatchObject({
      kind: 'timeout',
      message:
        'PersistentVolume gv0 is marked for deletion but still there after 5 s, held by kubernetes.io/pv-protection; the volume is kept until then',
    });
    expect((await cluster.client.get('Volume', 'gv0'))?.metadata.deletionTimestamp).toBeUndefined();
  });

  test('removes a PersistentVolume that was left behind without asking: there is no data any more', async () => {
    const cluster = await withVolume();
    await cluster.client.patch('Volume', 'gv0', { metadata: { finalizers: null } });
    await cluster.client.delete('Volume', 'gv0');
    const confirm = async () => Promise.reject(new Error('nobody should be asked'));
    expect(await deleteVolume(cluster, 'gv0', { confirm, waitMs: 5_000 })).toMatchObject({ outcome: 'gone' });
    expect(await registered(cluster)).toBeUndefined();
    await expect(deleteVolume(cluster, 'gv0', yes)).rejects.toMatchObject({ kind: 'notFound' });
  });

  test('leaves a PersistentVolume alone that leads elsewhere', async () => {
    const cluster = await createFakeCluster(THREE);
    await addVolume(cluster, { name: 'gv0', size: '1Gi' });
    await cluster.client.create('PersistentVolume', { metadata: { name: 'gv0' }, spec: { nfs: { path: '/x' } } });
    await deleteVolume(cluster, 'gv0', yes);
    expect(await registered(cluster)).toBeDefined();
  });
});

describe('ensureDefaultVolume', () => {
  const ROOMY = { name: 'default', path: '/p', isReady: true, capacityBytes: 2 ** 36, freeBytes: 2 ** 36 };
  async function roomyCluster(): Promise<FakeCluster> {
    const cluster = await createFakeCluster();
    for (const name of THREE) await cluster.addNode(name, { pools: [ROOMY] });
    return cluster;
  }

  test('makes one share of 10 GB with two copies and an arbiter, however many ask at once', async () => {
    const cluster = await roomyCluster();
    const asking = Array.from({ length: 5 }, async () => ensureDefaultVolume(cluster, { waitMs: 60_000 }));
    await cluster.clock.settle();
    await cluster.makeReady(DEFAULT_VOLUME);
    const shares = await Promise.all(asking);
    expect(new Set(shares.map(({ name }) => name))).toEqual(new Set(['kismatic-default']));
    expect(shares.filter(({ isResumed }) => !isResumed)).toHaveLength(1);
    expect(shares.every(({ isRegistered }) => isRegistered)).toBe(true);
    const { items } = await cluster.client.list('Volume');
    expect(items.map(({ spec }) => [spec.size, spec.layout])).toEqual([['10Gi', 'arbiter']]);
    expect((await registered(cluster, DEFAULT_VOLUME))?.spec.claimRef).toMatchObject({
      kind: 'PersistentVolumeClaim',
      namespace: 'kube-system',
      name: 'kismatic-default',
    });
  });

  test('asked again it changes nothing', async () => {
    const cluster = await roomyCluster();
    await ensureDefaultVolume(cluster);
    await cluster.makeReady(DEFAULT_VOLUME);
    await ensureDefaultVolume(cluster);
    const before = cluster.client.version();
    expect(await ensureDefaultVolume(cluster, { waitMs: 1 })).toMatchObject({ isResumed: true, isRegistered: true });
    expect(cluster.client.version()).toBe(before);
  });

  test("somebody's volume of that name is not taken", async () => {
    const cluster = await roomyCluster();
    await addVolume(cluster, { name: DEFAULT_VOLUME, size: '10Gi' });
    await expect(ensureDefaultVolume(cluster)).rejects.toMatchObject({ kind: 'exists' });
    expect(await registered(cluster, DEFAULT_VOLUME)).toBeUndefined();
  });
});
