/** `holdfast volume accept-folder` over a cluster in memory: what it shows, asks and refuses. */
import { expect, test } from 'vitest';
import type { Resource } from '../../src/ports/resource-client.ts';
import type { TaskStatus } from '../../src/schemas/task.ts';
import { createFakeCluster, type FakeCluster } from '../../src/usecases/cluster.fake.ts';
import { runAs } from './kismatic-cli.ts';

const LOOK = {
  ...{ identity: 'inode 9 handle 1:b', before: 'inode 7 handle 1:a', names: ['a', 'b'], hasMore: true },
  ...{ capacityBytes: 10 * 2 ** 30, freeBytes: 2 ** 30 },
};
const SHARE = { server: 'files', path: '/export', subDir: 'team/db', onDelete: 'delete' };

async function createCluster(spec: object = {}, isServed = true): Promise<FakeCluster> {
  const cluster = await createFakeCluster(['kube1']);
  const volume = { size: '1Gi', engine: 'nfs', layout: 'single', share: SHARE, ...spec };
  await cluster.client.create('Volume', { metadata: { name: 'db' }, spec: volume });
  const engine = { observedBy: 'kube1', epoch: 1, state: 'Absent', ...(isServed ? { engineId: 'u' } : {}) };
  const status = { anchor: 'kube1', placement: [], engine };
  await cluster.client.patch('Volume', 'db', { status }, { subresource: 'status' });
  return cluster;
}

/** Ends the unfinished Tasks of these actions as controller and agents would. */
async function finish(cluster: FakeCluster, result: object): Promise<Resource<'Task'>> {
  for (;;) {
    await cluster.clock.settle();
    const { items } = await cluster.client.list('Task');
    const task = items.find(({ status }) => status?.state === undefined);
    if (task === undefined) continue;
    const status = { state: 'Succeeded', parts: { kube1: { state: 'Succeeded', isLead: true, result } } } as TaskStatus;
    return cluster.client.patch('Task', task.metadata.name, { status }, { subresource: 'status' });
  }
}
const run = (cluster: FakeCluster, ...args: string[]) =>
  // Names of Tasks are drawn: two of one seed would be the same.
  runAs('holdfast', ['volume', 'accept-folder', 'db', ...args], { cluster, seed: args.length });

test('a dry run has a node look, and shows what is there', async () => {
  const cluster = await createCluster();
  const running = run(cluster, '--dry-run');
  expect((await finish(cluster, LOOK)).spec.action).toBe('lookAtFolder');
  expect(await running).toEqual({
    code: 0,
    stdout: 'files:/export/team/db could be accepted as the folder of volume db\n',
    stderr:
      'files:/export/team/db has inode 9 handle 1:b, and that of the volume had inode 7 handle 1:a\n' +
      'in it: a, b and more\nof the share 1 GiB of 10 GiB are free\n',
  });
  expect((await cluster.client.list('Task')).items).toHaveLength(1);
});

test('the very folder that was shown is asked for', async () => {
  const cluster = await createCluster();
  const running = run(cluster, '--yes');
  await finish(cluster, LOOK);
  const { spec } = await finish(cluster, {});
  expect(spec).toMatchObject({ action: 'acceptFolder', volume: 'db', folder: 'inode 9 handle 1:b' });
  expect(await running).toMatchObject({ code: 0, stdout: 'files:/export/team/db is the folder of volume db now\n' });
});

test('without an answer nothing is asked for, and nothing where it is that folder already', async () => {
  const cluster = await createCluster();
  const running = run(cluster);
  await finish(cluster, LOOK);
  expect((await running).code).not.toBe(0);
  expect((await cluster.client.list('Task')).items).toHaveLength(1);
  const known = run(cluster, '--yes');
  await finish(cluster, { ...LOOK, before: LOOK.identity });
  expect(await known).toMatchObject({ code: 0, stdout: 'files:/export/team/db is the folder of volume db already\n' });
});

test.each([
  [
    'of another engine',
    { engine: 'gluster', layout: 'replicated', replicas: 3, share: undefined },
    true,
    'only a folder of a share',
  ],
  ['that is a whole share', { share: { ...SHARE, subDir: undefined } }, true, 'is a whole share'],
  ['whose folder is retained', { share: { ...SHARE, onDelete: 'retain' } }, true, 'retains its folder'],
  ['that never had its folder', {}, false, 'never had a folder'],
])('refuses a volume %s', async (_, spec, isServed, words) => {
  const cluster = await createCluster(spec, isServed);
  const { code, stderr } = await run(cluster, '--yes');
  expect(code).not.toBe(0);
  expect(stderr).toContain(words);
  expect((await cluster.client.list('Task')).items).toEqual([]);
});
