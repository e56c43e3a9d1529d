/** Fencing a node and letting it in again, from the command line, over a cluster in memory. */
import { expect, test } from 'vitest';
import type { FenceRecordStatus } from '../../src/schemas/fence-record.ts';
import { createFakeCluster, type FakeCluster } from '../../src/usecases/cluster.fake.ts';
import { runAs } from './kismatic-cli.ts';

const NODES = ['kube1', 'kube2', 'kube3'] as const;
const HELD: FenceRecordStatus = {
  ...{ phase: 'Held', message: 'kube3 is cut off from 1 volume', heldSince: '2026-01-01T00:00:07Z' },
  volumes: { gv0: { state: 'Held', message: 'each copy has cut it off' } },
};
const OPEN: FenceRecordStatus = {
  ...{ phase: 'Fencing', message: 'not proven of volume gv0: the copy on kube2 has not shown that kube3 is cut off' },
  volumes: { gv0: { state: 'Waiting', message: 'the copy on kube2 has not shown that kube3 is cut off' } },
};

async function says({ client, clock }: FakeCluster, status: FenceRecordStatus): Promise<void> {
  while ((await client.get('FenceRecord', 'kube3')) === undefined) await clock.settle();
  await client.patch('FenceRecord', 'kube3', { status }, { subresource: 'status' });
}

/** What the agent of kube3 reports of the fence. */
async function reports({ client }: FakeCluster, mounts: string[]): Promise<void> {
  const record = (await client.get('FenceRecord', 'kube3'))?.metadata.uid ?? '';
  const fence = { record, bootId: 'boot-kube3', mounts };
  await client.patch('StorageNode', 'kube3', { status: { fence } }, { subresource: 'status' });
}

const holdfast = (cluster: FakeCluster, args: readonly string[], input = '') =>
  runAs('holdfast', args, { cluster, input });

test('says what a fence would do, asks, and does nothing without a yes', async () => {
  const cluster = await createFakeCluster(NODES);
  const spec = { volume: 'gv0', node: 'kube3', mountPath: '/data' };
  await cluster.client.create('VolumeAttachmentRecord', { metadata: { name: 'gv0.kube3' }, spec });
  const dry = await holdfast(cluster, ['node', 'fence', 'kube3', '--dry-run']);
  expect(dry).toMatchObject({ code: 0, stderr: '' });
  expect(dry.stdout).toContain('every volume refuses 10.91.0.3');
  expect(dry.stdout).toContain('mounted there: /data');
  const kept = await holdfast(cluster, ['node', 'fence', 'kube3'], 'n\n');
  expect(kept.code).toBe(130);
  expect(kept.stderr).toContain('Fence kube3?');
  expect((await cluster.client.list('FenceRecord')).items).toEqual([]);
});

test('ends well only when it is held, and shows it everywhere', async () => {
  const cluster = await createFakeCluster(NODES);
  const fencing = holdfast(cluster, ['node', 'fence', 'kube3', '--yes', '--reason', 'it hangs']);
  await says(cluster, HELD);
  expect(await fencing).toMatchObject({
    code: 0,
    stdout: 'node kube3 is fenced since 2026-01-01T00:00:07Z: kube3 is cut off from 1 volume\n',
  });
  expect((await holdfast(cluster, ['node', 'list'])).stdout).toContain('yes, fenced ');
  const shown = (await holdfast(cluster, ['node', 'show', 'kube3'])).stdout;
  expect(shown).toContain('fenced since 2026-01-01T00:00:07Z (it hangs): kube3 is cut off from 1 volume');
  expect(shown).toContain('each copy has cut it off');
  const status = (await holdfast(cluster, ['status'])).stdout;
  expect(status).toContain('fenced: kube3');
  expect(status).toMatch(/fence +kube3 +fenced: kube3 is cut off from 1 volume/);
});

test('says that the node may still write while that is not proven', async () => {
  const cluster = await createFakeCluster(NODES);
  const fencing = holdfast(cluster, ['node', 'fence', 'kube3', '--yes', '--timeout', '30s']);
  await says(cluster, OPEN);
  await cluster.clock.settle();
  await cluster.clock.advance(31_000);
  const run = await fencing;
  expect(run).toMatchObject({ code: 124, stdout: '' });
  expect(run.stderr).toContain('error: kube3 may still write: not proven of volume gv0: the copy on kube2');
  expect((await holdfast(cluster, ['node', 'list'])).stdout).toContain('fence not proven');
  // What is asked for again is the same fence.
  const again = holdfast(cluster, ['node', 'fence', 'kube3']);
  await says(cluster, HELD);
  expect((await again).code).toBe(0);
});

test('is taken away only when nothing is mounted there', async () => {
  const cluster = await createFakeCluster(NODES);
  expect((await holdfast(cluster, ['node', 'unfence', 'kube3'])).stdout).toBe('node kube3 is not fenced\n');
  await holdfast(cluster, ['node', 'fence', 'kube3', '--yes', '--no-wait']);
  await says(cluster, HELD);
  await reports(cluster, ['/data']);
  const refused = await holdfast(cluster, ['node', 'unfence', 'kube3']);
  expect(refused).toMatchObject({ code: 5, stdout: '' });
  expect(refused.stderr).toContain(
    'kube3 stays fenced: kube3 has not been restarted, and /data is still mounted there',
  );
  await reports(cluster, []);
  const unfencing = holdfast(cluster, ['node', 'unfence', 'kube3']);
  const isAsked = async () => (await cluster.client.get('FenceRecord', 'kube3'))?.metadata.deletionTimestamp;
  while ((await isAsked()) === undefined) await cluster.clock.settle();
  expect((await holdfast(cluster, ['node', 'fence', 'kube3', '--yes'])).stderr).toContain('is being unfenced');
  await cluster.client.patch('FenceRecord', 'kube3', { metadata: { finalizers: [] } });
  expect(await unfencing).toMatchObject({ code: 0, stdout: 'node kube3 may use volumes again\n' });
});

test('of a node that there is not names the nearest one', async () => {
  const cluster = await createFakeCluster(NODES);
  for (const verb of ['fence', 'unfence']) {
    const run = await holdfast(cluster, ['node', verb, 'kube4', '--yes']);
    expect(run.stderr).toContain('there is no node "kube4"');
  }
});
