import { describe, expect, test } from 'vitest';
import { GIB } from '../../domain/bytes.ts';
import { createFakeCluster, type FakeCluster } from '../cluster.fake.ts';
import { addVolume } from './add-volume.ts';
import { growVolume } from './grow-volume.ts';
import { setProfile } from './set-profile.ts';

const THREE = ['kube1', 'kube2', 'kube3'];

/** A ready volume gv0 of 1 GiB with its recorded copies. */
async function withVolume(spec: object = {}): Promise<FakeCluster> {
  const cluster = await createFakeCluster(THREE);
  await addVolume(cluster, { name: 'gv0', size: '1Gi', ...spec });
  await cluster.makeReady('gv0', { grantedSize: '1Gi', size: '1Gi' });
  const volume = await cluster.client.get('Volume', 'gv0');
  for (const [index, placed] of (volume?.status?.placement ?? []).entries()) {
    const { copy: name, ...place } = placed;
    const { uid = '' } = volume?.metadata ?? {};
    const made = { index, engine: 'gluster', brick: 'image', sizeBytes: GIB };
    await cluster.client.create('VolumeCopy', {
      metadata: { name },
      spec: { volume: 'gv0', volumeUid: uid, ...place, ...made },
    });
    const status = { state: 'Ready', sizeBytes: GIB };
    await cluster.client.patch('VolumeCopy', name, { status }, { subresource: 'status' });
  }
  return cluster;
}

const specOf = async ({ client }: FakeCluster) => (await client.get('Volume', 'gv0'))?.spec;

describe('growVolume', () => {
  test.each([
    ['2Gi', '2Gi'],
    ['+512Mi', '1536Mi'],
  ])('stores the size (%s)', async (size, stored) => {
    const cluster = await withVolume();
    expect(await growVolume(cluster, { name: 'gv0', size })).toMatchObject({ from: '1Gi', to: stored, isDone: false });
    expect((await specOf(cluster))?.size).toBe(stored);
  });

  test('a dry run says what each copy takes, and stores nothing', async () => {
    const cluster = await withVolume();
    const before = cluster.client.version();
    const growth = await growVolume(cluster, { name: 'gv0', size: '2Gi' }, { isDryRun: true });
    expect(growth.copies.map(({ node, toBytes }) => ({ node, toBytes }))).toEqual(
      THREE.map((node) => ({ node, toBytes: 2 * GIB })),
    );
    for (const { poolBytes } of growth.copies) expect(poolBytes).toBeGreaterThan(GIB);
    expect(cluster.client.version()).toBe(before);
  });

  test('is refused with the numbers of each place without room, and stores nothing', async () => {
    const cluster = await withVolume();
    const before = cluster.client.version();
    await expect(growVolume(cluster, { name: 'gv0', size: '50Gi' })).rejects.toMatchObject({
      kind: 'capacity',
      faults: THREE.map((node) => ({ field: `node ${node}`, message: expect.stringMatching(/free < /) })),
    });
    expect(cluster.client.version()).toBe(before);
  });

  test.each([
    ['512Mi', 'precondition', /never shrink/],
    ['1Zi', 'invalid', /is not a size/],
    ['+x', 'invalid', /is not a size/],
  ])('refuses %s', async (size, kind, message) => {
    const cluster = await withVolume();
    await expect(growVolume(cluster, { name: 'gv0', size })).rejects.toMatchObject({
      kind,
      message: expect.stringMatching(message),
    });
  });

  test('waits until the size holds, and passes on how far it is', async () => {
    const cluster = await withVolume();
    const told: string[] = [];
    const growing = growVolume(
      cluster,
      { name: 'gv0', size: '2Gi' },
      { waitMs: 60_000, onProgress: (message) => told.push(message) },
    );
    await cluster.clock.settle();
    const generation = (await cluster.client.get('Volume', 'gv0'))?.metadata.generation;
    const sized = { type: 'Sized', status: 'False', reason: 'Growing', message: '1 of 3', lastTransitionTime: 't' };
    const say = (status: object) => cluster.client.patch('Volume', 'gv0', { status }, { subresource: 'status' });
    await say({ conditions: [{ ...sized, message: 'of before', observedGeneration: 1 }] });
    await say({ conditions: [{ ...sized, observedGeneration: generation }] });
    await cluster.clock.settle();
    await say({ size: '2Gi' });
    expect(await growing).toMatchObject({ isDone: true });
    expect(told).toEqual(['1 of 3']);
  });
});

describe('setProfile', () => {
  test('stores it, and none takes it away', async () => {
    const cluster = await withVolume();
    await setProfile(cluster, { name: 'gv0', profile: 'shared' });
    expect((await specOf(cluster))?.profile).toBe('shared');
    await setProfile(cluster, { name: 'gv0', profile: 'none' });
    expect((await specOf(cluster))?.profile).toBeUndefined();
  });

  test('a dry run names the mounts that are older, and stores nothing', async () => {
    const cluster = await withVolume();
    const spec = { volume: 'gv0', node: 'kube1', mountPath: '/data', isReadOnly: false };
    await cluster.client.create('VolumeAttachmentRecord', { metadata: { name: 'gv0.kube1' }, spec });
    const status = { state: 'Mounted' };
    await cluster.client.patch('VolumeAttachmentRecord', 'gv0.kube1', { status }, { subresource: 'status' });
    const before = cluster.client.version();
    const change = await setProfile(cluster, { name: 'gv0', profile: 'shared' }, { isDryRun: true });
    expect(change.oldMounts).toEqual([{ node: 'kube1', path: '/data' }]);
    expect(cluster.client.version()).toBe(before);
  });

  test.each([
    [{}, 'large-files'],
    [{ profile: 'large-files' }, 'none'],
    [{ profile: 'large-files' }, 'shared'],
  ] as const)('keeps files readable: %o does not become %s', async (spec, profile) => {
    const cluster = await withVolume(spec);
    await expect(setProfile(cluster, { name: 'gv0', profile })).rejects.toMatchObject({
      kind: 'precondition',
      reason: 'ProfileFixed',
    });
  });
});
