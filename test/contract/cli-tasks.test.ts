/** Heal, rebalance and split-brain from the command line, over a cluster in memory: flags, dry runs, refusals, results. */
import { describe, expect, test } from 'vitest';
import type { Resource } from '../../src/ports/resource-client.ts';
import type { TaskStatus } from '../../src/schemas/task.ts';
import { createFakeCluster, type FakeCluster } from '../../src/usecases/cluster.fake.ts';
import { runAs } from './kismatic-cli.ts';

const version = (node: string, changes: object = {}) => ({
  ...{ copy: `gv0-${node}`, node, brickPath: `/p/${node}`, savedIn: `/pool/.holdfast/saved/${node}` },
  ...{ type: 'file', gfid: 'g', sizeBytes: 5, modifiedAt: '2026-01-01 00:00:00', owner: '0:0', mode: '0644' },
  ...{ sha256: `of ${node}`, firstLines: [`from ${node}`] },
  ...changes,
});

async function createCluster(spec: object = { replicas: 3 }): Promise<FakeCluster> {
  const cluster = await createFakeCluster(['kube1', 'kube2', 'kube3']);
  await cluster.client.create('Volume', { metadata: { name: 'gv0' }, spec: { size: '1Gi', ...spec } });
  await cluster.makeReady('gv0');
  return cluster;
}

async function tasks(cluster: FakeCluster): Promise<readonly Resource<'Task'>[]> {
  return (await cluster.client.list('Task')).items;
}

/** Ends the first unfinished Task as controller and agents would. */
async function finish(cluster: FakeCluster, status: TaskStatus): Promise<Resource<'Task'>> {
  for (;;) {
    await cluster.clock.settle();
    const task = (await tasks(cluster)).find((each) => each.status?.state === undefined);
    if (task !== undefined) {
      return cluster.client.patch('Task', task.metadata.name, { status }, { subresource: 'status' });
    }
  }
}

const done = (result: Record<string, unknown>): TaskStatus => ({
  ...{ state: 'Succeeded', message: 'the version of kube1 is kept', finishedAt: '2026-01-01T00:00:00Z' },
  parts: { kube1: { state: 'Succeeded', isLead: true, result } },
});

describe('volume heal', () => {
  test('asks for a heal of this very volume, tells the progress and the end', async () => {
    const cluster = await createCluster();
    const healing = runAs('holdfast', ['volume', 'heal', 'gv0', '--full'], { cluster });
    const running = await finish(cluster, { state: 'Running', message: '3 entries left', progress: 40 });
    const volume = await cluster.client.get('Volume', 'gv0');
    const about = { volume: 'gv0', volumeUid: volume?.metadata.uid };
    expect(running.spec).toEqual({ action: 'heal', ...about, isFull: true });
    const { name } = running.metadata;
    await cluster.clock.settle();
    const status = { state: 'Succeeded', message: '3 entries healed' };
    await cluster.client.patch('Task', name, { status }, { subresource: 'status' });
    expect(await healing).toEqual({
      code: 0,
      stdout: 'heal of volume gv0 done: 3 entries healed\n',
      stderr: `${name}: 40 %, 3 entries left\n`,
    });
  });

  test('follows the heal that runs already instead of asking for another', async () => {
    const cluster = await createCluster();
    await runAs('holdfast', ['volume', 'heal', 'gv0', '--no-wait'], { cluster });
    const again = await runAs('holdfast', ['volume', 'heal', 'gv0', '--no-wait'], { cluster });
    const [task, ...others] = await tasks(cluster);
    expect(others).toEqual([]);
    expect(again.stdout).toBe(`heal of volume gv0 started (task ${task?.metadata.name})\n`);
  });

  test('tells what failed, and fails', async () => {
    const cluster = await createCluster();
    const healing = runAs('holdfast', ['volume', 'heal', 'gv0'], { cluster });
    await finish(cluster, { state: 'Failed', message: 'node kube1 has been away for 60 s' });
    expect(await healing).toEqual({ code: 5, stdout: '', stderr: 'error: node kube1 has been away for 60 s\n' });
  });

  test('leaves the task running on Ctrl-C, and says so', async () => {
    const cluster = await createCluster();
    const stop = new AbortController();
    const healing = runAs('holdfast', ['volume', 'heal', 'gv0'], { cluster, signal: stop.signal });
    const task = await finish(cluster, { state: 'Running' });
    stop.abort();
    const { code, stderr } = await healing;
    expect(code).toBe(130);
    expect(stderr).toContain(`${task.metadata.name} goes on by itself; repeat the command to follow it\n`);
    expect((await tasks(cluster))[0]?.spec.isCancelled).toBeUndefined();
  });

  test('is cancelled by name', async () => {
    const cluster = await createCluster();
    const none = await runAs('holdfast', ['volume', 'heal', 'gv0', '--cancel'], { cluster });
    expect(none).toMatchObject({ code: 4, stderr: 'error: no heal of volume gv0 is running\n' });
    await runAs('holdfast', ['volume', 'heal', 'gv0', '--no-wait'], { cluster });
    expect(await runAs('holdfast', ['volume', 'heal', 'gv0', '--cancel'], { cluster })).toMatchObject({ code: 0 });
    expect((await tasks(cluster))[0]?.spec.isCancelled).toBe(true);
  });
});

describe('refusals', () => {
  test.each([
    [['heal', 'gone'], {}, 4, 'gone'],
    [['heal', 'gv0'], { layout: 'single' }, 2, 'has one copy of everything'],
    [['rebalance', 'gv0'], { replicas: 3 }, 2, 'volume gv0 (replicated) has one set of copies'],
    [['split-brain', 'list', 'gv0'], { layout: 'single' }, 2, 'has no copies that could contradict each other'],
    [['split-brain', 'show', 'gv0', '/../etc/passwd'], { replicas: 3 }, 2, 'is no entry of a volume'],
    [['split-brain', 'show', 'gv0', '/.glusterfs/00'], { replicas: 3 }, 2, 'is no entry of a volume'],
    [['split-brain', 'show', 'gv0', 'notes'], { replicas: 3 }, 2, 'is no entry of a volume'],
    [
      ['split-brain', 'resolve', 'gv0', '/f', '--keep', 'kube9', '--yes'],
      { replicas: 3 },
      2,
      'node kube9 holds no data',
    ],
    [['split-brain', 'resolve', 'gv0', '/f'], { replicas: 3 }, 2, '--keep'],
    [['split-brain', 'undo', 'gv0', '/f', '--yes'], { replicas: 3 }, 4, 'no choice for /f of volume gv0 is recorded'],
  ])('volume %j', async (args, spec, code, words) => {
    const cluster = await createCluster(spec);
    const result = await runAs('holdfast', ['volume', ...args], { cluster });
    expect(result).toMatchObject({ code, stdout: '' });
    expect(result.stderr).toContain(words);
    expect(await tasks(cluster)).toEqual([]);
  });

  test('of a volume that is not served yet', async () => {
    const cluster = await createFakeCluster(['kube1']);
    await cluster.client.create('Volume', { metadata: { name: 'gv0' }, spec: { size: '1Gi', replicas: 3 } });
    const result = await runAs('holdfast', ['volume', 'heal', 'gv0'], { cluster });
    expect(result).toMatchObject({ code: 5, stdout: '' });
    expect(result.stderr).toContain('volume gv0 is not served yet\nhint: see why: holdfast explain volume gv0');
  });
});

test.each([
  [['heal', 'gv0'], 'heal of volume gv0 would be started\n'],
  [
    ['split-brain', 'resolve', 'gv0', '/f', '--keep', 'kube1'],
    'the version of kube1 of /f would be kept, and every version put aside first\n',
  ],
])('a dry run of %j asks for nothing', async (args, stdout) => {
  const cluster = await createCluster();
  const result = await runAs('holdfast', ['volume', ...args, '--dry-run'], { cluster });
  expect(result).toEqual({ code: 0, stdout, stderr: '' });
  expect(await tasks(cluster)).toEqual([]);
});

describe('volume split-brain', () => {
  test('lists entries, and copies that could not be asked', async () => {
    const cluster = await createCluster();
    const listing = runAs('holdfast', ['volume', 'split-brain', 'list', 'gv0'], { cluster });
    const entries = [{ path: '/f', kind: 'content' }];
    await finish(cluster, done({ entries, silent: ['kube3'] }));
    expect(await listing).toEqual({
      code: 0,
      stdout: 'PATH   WHAT\n/f     the same entry, changed on several nodes\n',
      stderr: 'the copy on kube3 could not be asked; there may be more\n',
    });
  });

  test('shows versions side by side', async () => {
    const cluster = await createCluster();
    const showing = runAs('holdfast', ['volume', 'split-brain', 'show', 'gv0', '/f'], { cluster });
    await finish(cluster, done({ versions: [version('kube1'), version('kube2')], isListed: true }));
    const { code, stdout, stderr } = await showing;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^- +KUBE1 +KUBE2\n|^ +KUBE1 +KUBE2\n/);
    expect(stdout).toMatch(/sha256 +of kube1 +of kube2\n/);
    expect(stdout).toMatch(/line 1 +from kube1 +from kube2\n/);
    expect(stderr).toContain('/f holds other data on each\n');
    expect(stderr).toContain('holdfast volume split-brain resolve gv0 /f --keep NODE\n');
  });

  test('chooses nothing without a yes', async () => {
    const cluster = await createCluster();
    const args = ['volume', 'split-brain', 'resolve', 'gv0', '/f', '--keep', 'kube1'];
    const kept = await runAs('holdfast', args, { cluster, input: 'n\n' });
    expect(kept.code).toBe(130);
    expect(kept.stderr).toContain('/f of volume gv0 was not changed');
    expect(await tasks(cluster)).toEqual([]);
  });

  test('chooses, says where every version is, and takes it back', async () => {
    const cluster = await createCluster();
    const args = ['volume', 'split-brain', 'resolve', 'gv0', '/f', '--keep', 'kube1', '--yes'];
    const choosing = runAs('holdfast', args, { cluster });
    const versions = [version('kube1'), version('kube2')];
    const chosen = await finish(cluster, done({ kept: 'kube1', versions }));
    expect((await choosing).stdout).toBe(
      '/f: the version of kube1 is kept\n  kube1:/pool/.holdfast/saved/kube1\n  kube2:/pool/.holdfast/saved/kube2\n',
    );
    const undoing = runAs('holdfast', ['volume', 'split-brain', 'undo', 'gv0', '/f', '--yes'], { cluster });
    const undone = await finish(cluster, { state: 'Succeeded', message: 'the version of kube2 is back' });
    expect(await undoing).toMatchObject({ code: 0, stdout: '/f: the version of kube2 is back\n' });
    expect(undone.spec).toMatchObject({ action: 'undoSplitBrain', node: 'kube2', undoes: chosen.metadata.uid });
  });

  test('asks which version comes back when several lost', async () => {
    const cluster = await createCluster();
    const args = ['volume', 'split-brain', 'resolve', 'gv0', '/f', '--keep', 'kube1', '--yes'];
    const choosing = runAs('holdfast', args, { cluster });
    await finish(cluster, done({ kept: 'kube1', versions: ['kube1', 'kube2', 'kube3'].map((node) => version(node)) }));
    await choosing;
    const undo = ['volume', 'split-brain', 'undo', 'gv0', '/f', '--dry-run'];
    const unclear = await runAs('holdfast', undo, { cluster });
    expect(unclear).toMatchObject({ code: 2, stdout: '' });
    expect(unclear.stderr).toContain('versions are put aside on: kube2, kube3; choose with --node');
    expect(await runAs('holdfast', [...undo, '--node', 'kube3'], { cluster })).toMatchObject({ code: 0 });
  });
});
