/** `volume snapshot` and `volume clone` from the command line, over a cluster in memory: what is waited for, refused, told. */
import { describe, expect, test } from 'vitest';
import { GIB } from '../../src/domain/bytes.ts';
import type { VolumeSnapshotRecordStatus } from '../../src/schemas/volume-snapshot-record.ts';
import { createFakeCluster, type FakeCluster } from '../../src/usecases/cluster.fake.ts';
import { runAs } from './kismatic-cli.ts';

const NODES = ['kube1', 'kube2', 'kube3'];
const asStatus = { subresource: 'status' } as const;

/** Volume gv0, of which a snapshot can be taken. */
async function createCluster(): Promise<FakeCluster> {
  const cluster = await createFakeCluster();
  const pool = { name: 'default', path: '/pool', isReady: true, hasReflink: true, fsType: 'xfs' };
  const room = { capacityBytes: 20 * GIB, freeBytes: 20 * GIB };
  for (const name of NODES) await cluster.addNode(name, { pools: [{ ...pool, ...room }] });
  const { client } = cluster;
  const volume = await client.create('Volume', { metadata: { name: 'gv0' }, spec: { size: '1Gi', replicas: 3 } });
  await cluster.makeReady('gv0');
  for (const [index, node] of NODES.entries()) {
    const place = { node, pool: 'default', role: 'data', index, sizeBytes: GIB } as const;
    const of = { volume: 'gv0', volumeUid: volume.metadata.uid, engine: 'gluster', brick: 'image' } as const;
    await client.create('VolumeCopy', { metadata: { name: `gv0-${index}` }, spec: { ...place, ...of } });
    await client.patch('VolumeCopy', `gv0-${index}`, { status: { state: 'Ready' } }, asStatus);
  }
  return cluster;
}

async function setRedundant({ client }: FakeCluster, reason: string): Promise<void> {
  const conditions = (await client.get('Volume', 'gv0'))?.status?.conditions ?? [];
  const message = reason === 'Healing' ? '7 entries are being brought up to date' : 'down: kube3';
  const changed = conditions.map((each) => {
    return each.type === 'Redundant' ? { ...each, status: 'False' as const, reason, message } : each;
  });
  await client.patch('Volume', 'gv0', { status: { conditions: changed } }, asStatus);
}

/** Writes what the controller would, once the snapshot is asked for. */
async function report({ client, clock }: FakeCluster, name: string, status: VolumeSnapshotRecordStatus): Promise<void> {
  while ((await client.get('VolumeSnapshotRecord', name)) === undefined) await clock.settle();
  await clock.settle();
  await client.patch('VolumeSnapshotRecord', name, { status }, asStatus);
}

describe('volume snapshot', () => {
  test('is asked for while the volume heals, and tells what is waited for', async () => {
    const cluster = await createCluster();
    await setRedundant(cluster, 'Healing');
    const taking = runAs('holdfast', ['volume', 'snapshot', 'gv0', 's1'], { cluster });
    await report(cluster, 's1', { phase: 'Pending', message: 'waits: it is not redundant now: 7 entries are' });
    await report(cluster, 's1', { phase: 'Ready' });
    expect(await taking).toEqual({
      code: 0,
      stdout: 'snapshot s1 of volume gv0 is taken\n',
      stderr: 'waits: it is not redundant now: 7 entries are\n',
    });
  });

  test('says in a dry run that it would wait, and stores nothing', async () => {
    const cluster = await createCluster();
    const dry = ['volume', 'snapshot', 'gv0', 's1', '--dry-run'];
    const couldBe = 'snapshot s1 of volume gv0 could be taken\n';
    expect(await runAs('holdfast', dry, { cluster })).toEqual({ code: 0, stdout: couldBe, stderr: '' });
    await setRedundant(cluster, 'Healing');
    expect(await runAs('holdfast', dry, { cluster })).toEqual({
      code: 0,
      stdout: couldBe,
      stderr: 'it would wait: it is not redundant now: 7 entries are being brought up to date\n',
    });
    expect((await cluster.client.list('VolumeSnapshotRecord')).items).toEqual([]);
  });

  test('is refused for what does not end by itself, and stores nothing', async () => {
    const cluster = await createCluster();
    await setRedundant(cluster, 'CopiesDown');
    const run = await runAs('holdfast', ['volume', 'snapshot', 'gv0', 's1'], { cluster });
    expect(run).toMatchObject({ code: 5, stdout: '' });
    expect(run.stderr).toContain('no snapshot of volume gv0 can be taken: it is not redundant now: down: kube3\n');
    expect((await cluster.client.list('VolumeSnapshotRecord')).items).toEqual([]);
  });
});

describe('volume clone', () => {
  /** The snapshots that the command has asked for, which is all but that one of the user's. */
  const own = async ({ client }: FakeCluster) => {
    const { items } = await client.list('VolumeSnapshotRecord');
    return items.filter((each) => each.metadata.name !== 'clone-for-twin').map((each) => each.metadata.name);
  };
  const ownOnce = async (cluster: FakeCluster, count: number) => {
    while ((await own(cluster)).length < count) await cluster.clock.settle();
    return own(cluster);
  };
  const ready = async ({ client }: FakeCluster): Promise<VolumeSnapshotRecordStatus> => {
    const spec = (await client.get('Volume', 'gv0'))?.spec;
    return { phase: 'Ready', takenAt: '2026-01-01T00:00:00Z', ...(spec === undefined ? {} : { volumeSpec: spec }) };
  };
  /** A snapshot of the user's, ready, with the name that clones gave theirs before. */
  const takeUsers = async (cluster: FakeCluster) => {
    const volumeUid = (await cluster.client.get('Volume', 'gv0'))?.metadata.uid ?? '';
    const record = { metadata: { name: 'clone-for-twin' }, spec: { volume: 'gv0', volumeUid } };
    await cluster.client.create('VolumeSnapshotRecord', record);
    await report(cluster, 'clone-for-twin', await ready(cluster));
  };
  let seed = 0;
  const clone = (cluster: FakeCluster, signal = new AbortController().signal) => {
    seed += 1;
    return runAs('holdfast', ['volume', 'clone', 'gv0', 'twin'], { cluster, signal, seed });
  };
  const make = async (cluster: FakeCluster) => {
    while ((await cluster.client.get('Volume', 'twin')) === undefined) await cluster.clock.settle();
    const engine = { observedBy: 'kube1', epoch: 1, state: 'Started' as const, engineId: 'e', bricks: [] };
    await cluster.makeReady('twin', { engine });
  };

  test('tries it dry: says what it would do only once it has found that it could', async () => {
    const cluster = await createCluster();
    const dry = (volume: string) => runAs('holdfast', ['volume', 'clone', volume, 'twin', '--dry-run'], { cluster });
    const missing = await dry('gone');
    expect(missing).toMatchObject({ code: 4, stdout: '' });
    expect(missing.stderr).not.toContain('snapshot');
    const could = await dry('gv0');
    expect(could).toMatchObject({ code: 0, stdout: expect.stringMatching(/^volume twin .* could be made\n$/) });
    expect(could.stderr).toContain('would take snapshot clone-for-twin-');
    expect((await cluster.client.list('VolumeSnapshotRecord')).items).toEqual([]);
  });

  test('begins with what the volume holds now, and leaves a snapshot alone that it did not take', async () => {
    const cluster = await createCluster();
    await takeUsers(cluster);
    const cloning = clone(cluster);
    const [name = ''] = await ownOnce(cluster, 1);
    expect(name).toMatch(/^clone-for-twin-[0-9a-f]{8}$/);
    await report(cluster, name, await ready(cluster));
    await make(cluster);
    expect(await cloning).toMatchObject({
      code: 0,
      stdout: `volume twin (1Gi) from snapshot ${name} of gv0 is ready\n`,
    });
    const left = (await cluster.client.list('VolumeSnapshotRecord')).items.map((each) => each.metadata.name);
    expect(left).toEqual(['clone-for-twin']);
  });

  test('goes on when it is repeated after an interruption, and removes what both have taken', async () => {
    const cluster = await createCluster();
    const stop = new AbortController();
    const cut = clone(cluster, stop.signal);
    const [stale = ''] = await ownOnce(cluster, 1);
    stop.abort();
    expect((await cut).code).toBe(130);
    await report(cluster, stale, await ready(cluster));

    const stopAgain = new AbortController();
    const cutLater = clone(cluster, stopAgain.signal);
    const [, name = ''] = await ownOnce(cluster, 2);
    await report(cluster, name, await ready(cluster));
    while ((await cluster.client.get('Volume', 'twin')) === undefined) await cluster.clock.settle();
    stopAgain.abort();
    expect((await cutLater).code).toBe(130);
    expect((await cluster.client.get('Volume', 'twin'))?.spec.source?.snapshot).toBe(name);

    await make(cluster);
    expect(await clone(cluster)).toMatchObject({
      code: 0,
      stdout: `volume twin (1Gi) from snapshot ${name} of gv0 is ready\n`,
    });
    expect(await own(cluster)).toEqual([]);
  });

  test('is refused when the volume of that name was made of something else', async () => {
    const cluster = await createCluster();
    await takeUsers(cluster);
    const snapshotUid = (await cluster.client.get('VolumeSnapshotRecord', 'clone-for-twin'))?.metadata.uid;
    const source = { snapshot: 'clone-for-twin', snapshotUid };
    await cluster.client.create('Volume', { metadata: { name: 'twin' }, spec: { size: '1Gi', replicas: 3, source } });
    const run = await clone(cluster);
    expect(run).toMatchObject({ code: 5, stdout: '' });
    expect(run.stderr).toContain('there is a volume twin already');
  });
});
