import { describe, expect, test } from 'vitest';
import { GIB } from '../../domain/bytes.ts';
import type { AppError } from '../../domain/errors.ts';
import { createFakeCluster } from '../cluster.fake.ts';
import { addVolume } from './add-volume.ts';
import { deleteVolume } from './delete-volume.ts';
import { listServedVolumes, listVolumes, showVolume } from './read-volumes.ts';

const THREE = ['kube1', 'kube2', 'kube3'];
const yes = { confirm: async () => true };

async function failure(promise: Promise<unknown>): Promise<AppError> {
  return promise.then(
    () => {
      throw new Error('expected a failure');
    },
    (error: unknown) => error as AppError,
  );
}

describe('addVolume', () => {
  test('stores a volume with its finalizer and does not wait unless asked', async () => {
    const cluster = await createFakeCluster(THREE);
    const added = await addVolume(cluster, { name: 'gv0', size: '1024Mi' });
    expect(added).toMatchObject({ size: '1Gi', layout: 'replicated', replicas: 3, phase: 'Pending' });
    expect(added.notes).toEqual(['3 data on kube1, kube2, kube3']);
    const volume = await cluster.client.get('Volume', 'gv0');
    expect(volume?.metadata.finalizers).toEqual(['holdfast.dev/volume']);
    expect(volume?.spec).toMatchObject({ size: '1Gi', replicas: 3 });
  });

  test('two replicas become an arbiter volume and it says so', async () => {
    const cluster = await createFakeCluster(THREE);
    const added = await addVolume(cluster, { name: 'gv0', size: '1Gi', replicas: 2 });
    expect(added).toMatchObject({ layout: 'arbiter', replicas: 2 });
    expect(added.notes.join('\n')).toMatch(
      /a third node takes an arbiter[^]*2 data \+ 1 arbiter on kube1, kube2, kube3/,
    );
  });

  test('a dry run places and stores nothing', async () => {
    const cluster = await createFakeCluster(THREE);
    const before = cluster.client.version();
    const added = await addVolume(cluster, { name: 'gv0', size: '1Gi' }, { isDryRun: true });
    expect(added.placement.map((placed) => placed.node)).toEqual(THREE);
    expect(cluster.client.version()).toBe(before);
  });

  test.each([
    [{ name: '../x', size: '1Gi' }, 'invalid', 'volume name "../x" may hold only'],
    [{ name: 'gv0', size: '1Zi' }, 'invalid', '"1Zi" is not a size'],
    [{ name: 'gv0', size: '1Mi' }, 'range', 'too small'],
    [{ name: 'gv0', size: '1Gi', pool: 'A' }, 'invalid', 'pool name "A" may hold only'],
    [
      { name: 'gv0', size: '1Gi', allowFrom: ['10.0.0.*', 'x'] },
      'invalid',
      'Invalid address "x" in the list of allowed addresses',
    ],
    [{ name: 'gv0', size: '1Gi', replicas: 0 }, 'invalid', '0 is no number of replicas'],
    [
      { name: 'gv0', size: '1Gi', replicas: 4 },
      'capacity',
      'the requested volume configuration requires 4 storage nodes, but only 3 are usable',
    ],
    [
      { name: 'gv0', size: '1Gi', pool: 'fast' },
      'capacity',
      'but only 0 are usable (3 of 3 known nodes cannot be used now)',
    ],
    [{ name: 'gv0', size: '100Gi' }, 'capacity', 'volume gv0 needs 3 nodes; none fits'],
  ] as const)('%o is refused and nothing is stored', async (request, kind, message) => {
    const cluster = await createFakeCluster(THREE);
    const before = cluster.client.version();
    const error = await failure(addVolume(cluster, request));
    expect(error.kind).toBe(kind);
    expect(error.message).toContain(message);
    expect(cluster.client.version()).toBe(before);
  });

  test('a full pool is told with its numbers and the smallest change', async () => {
    const cluster = await createFakeCluster(['kube1', 'kube2']);
    const pools = [{ name: 'default', path: '/p', isReady: true, capacityBytes: 10 * GIB, freeBytes: GIB / 2 }];
    await cluster.addNode('kube3', { pools });
    const error = await failure(addVolume(cluster, { name: 'gv0', size: '1Gi' }));
    expect(error.faults).toEqual([{ field: 'node kube3', message: '512 MiB free < 1.2 GiB' }]);
    expect(error.hint).toMatch(/^add 6\d\d MiB to pool default of kube3, or add a node/);
  });

  test('a name that is taken is refused', async () => {
    const cluster = await createFakeCluster(THREE);
    await addVolume(cluster, { name: 'gv0', size: '1Gi' });
    expect(await failure(addVolume(cluster, { name: 'gv0', size: '1Gi' }))).toMatchObject({
      kind: 'exists',
      message: 'volume gv0 exists already',
    });
  });

  test('waiting ends when the volume is ready', async () => {
    const cluster = await createFakeCluster(THREE);
    const adding = addVolume(cluster, { name: 'gv0', size: '1Gi' }, { waitMs: 60_000 });
    await cluster.clock.settle();
    await cluster.makeReady('gv0');
    expect(await adding).toMatchObject({ phase: 'Ready' });
    expect(cluster.clock.timerCount()).toBe(0);
  });

  test('waiting survives a server that forgets and restarts', async () => {
    const cluster = await createFakeCluster(THREE);
    const adding = addVolume(cluster, { name: 'gv0', size: '1Gi' }, { waitMs: 60_000 });
    await cluster.clock.settle();
    cluster.client.endWatches();
    await cluster.clock.settle();
    cluster.client.forgetHistory();
    await cluster.makeReady('gv0');
    await cluster.clock.advance(1_000);
    expect(await adding).toMatchObject({ phase: 'Ready' });
  });

  test('waiting too long says what it waited for', async () => {
    const cluster = await createFakeCluster(THREE);
    const adding = failure(addVolume(cluster, { name: 'gv0', size: '1Gi' }, { waitMs: 60_000 }));
    await cluster.clock.advance(60_000);
    expect(await adding).toMatchObject({
      kind: 'timeout',
      message: 'volume gv0 is stored but not ready after 60 s: no controller has looked at it yet',
    });
  });

  test('a placement that the controller refuses ends the wait with its reasons', async () => {
    const cluster = await createFakeCluster(THREE);
    const adding = failure(addVolume(cluster, { name: 'gv0', size: '1Gi' }, { waitMs: 60_000 }));
    await cluster.clock.settle();
    const condition = {
      type: 'Ready',
      status: 'False',
      reason: 'NoPlaceForCopies',
      message: 'no room',
      lastTransitionTime: '',
    } as const;
    await cluster.makeReady('gv0', { phase: 'Pending', conditions: [condition], reasons: ['no room', 'kube1: full'] });
    expect(await adding).toMatchObject({
      kind: 'capacity',
      message: 'volume gv0 is stored but finds no place: no room',
      faults: [{ field: 'placement', message: 'kube1: full' }],
    });
  });

  test('an interrupt ends the wait at once', async () => {
    const cluster = await createFakeCluster(THREE);
    const stop = new AbortController();
    const options = { waitMs: 60_000, signal: stop.signal };
    const adding = failure(addVolume(cluster, { name: 'gv0', size: '1Gi' }, options));
    await cluster.clock.settle();
    stop.abort();
    expect(await adding).toMatchObject({ kind: 'cancelled' });
    expect(cluster.clock.timerCount()).toBe(0);
  });
});

describe('deleteVolume', () => {
  const attach = { metadata: { name: 'gv0.kube2' }, spec: { volume: 'gv0', node: 'kube2', mountPath: '/data' } };

  test('waits until the volume is wholly gone', async () => {
    const cluster = await createFakeCluster(THREE);
    await addVolume(cluster, { name: 'gv0', size: '1Gi' });
    const deleting = deleteVolume(cluster, 'gv0', { ...yes, waitMs: 60_000 });
    await cluster.clock.settle();
    await cluster.client.patch('Volume', 'gv0', { metadata: { finalizers: null } });
    expect(await deleting).toEqual({ name: 'gv0', outcome: 'gone', detachedFrom: [] });
    expect(await cluster.client.get('Volume', 'gv0')).toBeUndefined();
  });

  test('a volume that is mounted is kept, and where is told', async () => {
    const cluster = await createFakeCluster(THREE);
    await addVolume(cluster, { name: 'gv0', size: '1Gi' });
    await cluster.client.create('VolumeAttachmentRecord', attach);
    const error = await failure(deleteVolume(cluster, 'gv0', yes));
    expect(error).toMatchObject({
      kind: 'precondition',
      message: 'volume gv0 is mounted on kube2 at /data; nothing was deleted',
    });
    expect((await cluster.client.get('Volume', 'gv0'))?.metadata.deletionTimestamp).toBeUndefined();
  });

  test('detach removes the mounts first', async () => {
    const cluster = await createFakeCluster(THREE);
    await addVolume(cluster, { name: 'gv0', size: '1Gi' });
    await cluster.client.create('VolumeAttachmentRecord', attach);
    const deleted = await deleteVolume(cluster, 'gv0', { ...yes, detach: true });
    expect(deleted).toEqual({ name: 'gv0', outcome: 'marked', detachedFrom: ['kube2'] });
    expect(await cluster.client.get('VolumeAttachmentRecord', 'gv0.kube2')).toBeUndefined();
  });

  test('without a yes nothing happens', async () => {
    const cluster = await createFakeCluster(THREE);
    await addVolume(cluster, { name: 'gv0', size: '1Gi' });
    const before = cluster.client.version();
    expect(await deleteVolume(cluster, 'gv0', { confirm: async () => false })).toMatchObject({ outcome: 'kept' });
    expect(cluster.client.version()).toBe(before);
  });

  test('a missing volume is an error that names the nearest', async () => {
    const cluster = await createFakeCluster(THREE);
    await addVolume(cluster, { name: 'storage01', size: '1Gi' });
    expect(await failure(deleteVolume(cluster, 'storage1', yes))).toMatchObject({
      kind: 'notFound',
      message: 'there is no volume "storage1"',
      hint: 'did you mean storage01?',
    });
  });

  test('taking too long says what it waits for', async () => {
    const cluster = await createFakeCluster(THREE);
    await addVolume(cluster, { name: 'gv0', size: '1Gi' });
    const deleting = failure(deleteVolume(cluster, 'gv0', { ...yes, waitMs: 5_000 }));
    await cluster.clock.advance(5_000);
    expect((await deleting).message).toMatch(/^volume gv0 is marked for deletion but still there after 5 s: /);
  });
});

test('volumes are listed by name, and shown with their copies in order', async () => {
  const cluster = await createFakeCluster(THREE);
  for (const name of ['b', 'a']) await addVolume(cluster, { name, size: '1Gi' });
  expect((await listVolumes(cluster)).map((volume) => volume.metadata.name)).toEqual(['a', 'b']);
  const uid = (await cluster.client.get('Volume', 'a'))?.metadata.uid ?? '';
  const spec = {
    volume: 'a',
    node: 'kube1',
    pool: 'default',
    role: 'data',
    engine: 'gluster',
    brick: 'image',
    sizeBytes: 1,
  };
  for (const [index, volumeUid] of [
    [1, uid],
    [0, uid],
    [2, 'of an earlier a'],
  ] as const) {
    await cluster.client.create('VolumeCopy', {
      metadata: { name: `a-${index}` },
      spec: { ...spec, index, volumeUid },
    });
  }
  const shown = await showVolume(cluster, 'a');
  expect(shown.copies.map((copy) => copy.spec.index)).toEqual([0, 1]);
});

test('a copy on a node that went away is not counted as serving, whatever was reported of it before', async () => {
  const cluster = await createFakeCluster(THREE);
  await addVolume(cluster, { name: 'gv0', size: '1Gi' });
  const lastTransitionTime = '2026-01-01T00:00:00Z';
  await cluster.makeReady('gv0');
  expect(await listServedVolumes(cluster)).toMatchObject([{ servingCount: 3 }]);

  const lost = { type: 'Ready', status: 'False', reason: 'HeartbeatLost', message: 'no heartbeat', lastTransitionTime };
  await cluster.client.patch('StorageNode', 'kube2', { status: { conditions: [lost] } }, { subresource: 'status' });
  expect(await listServedVolumes(cluster)).toMatchObject([{ servingCount: 2 }]);
  expect((await showVolume(cluster, 'gv0')).serving).toEqual({ 'gv0-0': 'yes', 'gv0-1': 'node away', 'gv0-2': 'yes' });
});
