import { describe, expect, test } from 'vitest';
import { createFakeVolumeWork, type FakeVolumeWork } from '../../../ports/volume-work.fake.ts';
import type { TaskPart, TaskSpec } from '../../../schemas/task.ts';
import { heal } from './heal.ts';
import { rebalance } from './rebalance.ts';
import type { TaskContext, TaskRunner } from './task-runner.ts';
import { undoSplitBrain } from './undo-split-brain.ts';

/** Runs an action pass by pass, as the loop does, and returns its parts until it is finished or `most` are made. */
function createRun(runner: TaskRunner, work: FakeVolumeWork, spec: Partial<TaskSpec> = {}, adopted?: object) {
  let part: TaskPart | undefined;
  const context = (): TaskContext => {
    const volume = { metadata: { name: 'gv0', uid: 'u' }, spec: { adopted }, status: { engine: { state: 'Started' } } };
    const task = { metadata: { name: 't' }, spec: { action: 'heal', volume: 'gv0', ...spec } };
    const given = { deps: { work }, task, volume, part, isLead: true, report: async () => undefined };
    // Of everything an agent has, these actions use no more.
    return { ...given, signal: new AbortController().signal } as unknown as TaskContext;
  };
  return {
    pass: async () => (part = (await runner.run(context())).part),
    cancel: async () => runner.cancel?.(context()),
  };
}

const state = (pending: number | undefined, splitBrain = 0) => ({ pending, splitBrain, silent: ['kube3'] });

describe('heal', () => {
  test('is begun once, counts what is left, and ends with nothing', async () => {
    const work = createFakeVolumeWork();
    const run = createRun(heal, work);
    work.heals.set('gv0', state(8));
    expect(await run.pass()).toMatchObject({ state: 'Running', progress: 0 });
    work.heals.set('gv0', state(2));
    expect(await run.pass()).toMatchObject({ state: 'Running', message: '2 entries left', progress: 75 });
    work.heals.set('gv0', state(undefined));
    expect(await run.pass()).toMatchObject({ state: 'Running', message: 'waits for the copy on kube3' });
    work.heals.set('gv0', state(0));
    expect(await run.pass()).toMatchObject({ state: 'Succeeded', progress: 100 });
    expect(work.calls).toEqual(['startHeal gv0']);
  });

  test('fails when what is left is in split-brain', async () => {
    const work = createFakeVolumeWork();
    work.heals.set('gv0', state(0, 1));
    const run = createRun(heal, work);
    await run.pass();
    for (let look = 1; look < 15; look += 1) {
      expect(await run.pass()).toMatchObject({
        state: 'Running',
        message: 'sees whether 1 entry in split-brain can be merged',
      });
    }
    expect(await run.pass()).toMatchObject({
      state: 'Failed',
      message: '1 entry in split-brain cannot be healed; see: holdfast volume split-brain list gv0',
    });
  });

  test('succeeds when a folder that was listed as in split-brain has been merged', async () => {
    const work = createFakeVolumeWork();
    work.heals.set('gv0', state(0, 1));
    const run = createRun(heal, work);
    await run.pass();
    await run.pass();
    work.heals.set('gv0', state(0));
    expect(await run.pass()).toMatchObject({ state: 'Succeeded' });
  });

  test('of everything is over when a look at everything has ended that began since', async () => {
    const work = createFakeVolumeWork();
    const run = createRun(heal, work, { isFull: true });
    const earlier = { id: 'brick no 0 Sat', isEnded: true };
    work.crawls.set('gv0', [earlier]);
    await run.pass();
    expect(work.calls).toEqual(['startHeal gv0 full']);
    expect(await run.pass()).toMatchObject({ state: 'Running', message: 'compares every entry' });
    work.crawls.set('gv0', [earlier, { id: 'brick no 0 Sun', isEnded: false }]);
    expect(await run.pass()).toMatchObject({ state: 'Running' });
    work.crawls.set('gv0', [earlier, { id: 'brick no 0 Sun', isEnded: true }]);
    expect(await run.pass()).toMatchObject({ state: 'Succeeded' });
  });
});

test('the engine is asked by the names that it has, and people are told theirs', async () => {
  const work = createFakeVolumeWork();
  const adopted = { engineName: 'vol_1', bricks: [{ node: 'storage3', path: '/b', host: 'kube3' }] };
  const run = createRun(heal, work, {}, adopted);
  await run.pass();
  work.heals.set('vol_1', state(undefined));
  expect(await run.pass()).toMatchObject({ message: 'waits for the copy on storage3' });
  expect(work.calls).toEqual(['startHeal vol_1']);
  work.heals.set('vol_1', state(0, 1));
  for (let look = 1; look < 15; look += 1) await run.pass();
  expect((await run.pass()).message).toContain('split-brain list gv0');
});

describe('rebalance', () => {
  const moved = { movedFiles: 3, movedBytes: 30, lookedAt: 9, failures: 0, skipped: 0 };

  test('is begun once and followed to its end', async () => {
    const work = createFakeVolumeWork();
    const run = createRun(rebalance, work);
    await run.pass();
    expect(await run.pass()).toMatchObject({ state: 'Running' });
    work.rebalances.set('gv0', { ...moved, state: 'done' });
    expect(await run.pass()).toMatchObject({
      state: 'Succeeded',
      message: '3 files moved (30 bytes), 9 looked at',
      result: { movedFiles: 3 },
    });
    expect(work.calls).toEqual(['startRebalance gv0']);
  });

  test('joins one that runs already', async () => {
    const work = createFakeVolumeWork();
    work.rebalances.set('gv0', { ...moved, state: 'running' });
    await createRun(rebalance, work).pass();
    expect(work.calls).toEqual([]);
  });

  test('fails when files could not be moved, and when somebody stopped it', async () => {
    const work = createFakeVolumeWork();
    const run = createRun(rebalance, work);
    await run.pass();
    work.rebalances.set('gv0', { ...moved, failures: 2, state: 'done' });
    expect(await run.pass()).toMatchObject({ state: 'Failed', message: expect.stringContaining('2 files could not') });
    work.rebalances.set('gv0', { ...moved, state: 'stopped' });
    await expect(run.pass()).rejects.toThrow('has been stopped by somebody else');
  });

  test('is started again when GlusterFS gives it up, and not for ever', async () => {
    const work = createFakeVolumeWork();
    const run = createRun(rebalance, work);
    await run.pass();
    const fail = () => work.rebalances.set('gv0', { ...moved, lookedAt: 0, failures: 1, state: 'failed' });
    fail();
    expect(await run.pass()).toMatchObject({ state: 'Running', message: expect.stringContaining('(2 of 5)') });
    work.rebalances.set('gv0', { ...moved, state: 'done' });
    expect(await run.pass()).toMatchObject({ state: 'Succeeded' });
    const doomed = createRun(rebalance, work);
    for (let start = 1; start <= 5; start += 1) {
      expect(await doomed.pass()).toMatchObject({ state: 'Running' });
      fail();
    }
    await expect(doomed.pass()).rejects.toThrow('has failed');
    expect(work.calls).toHaveLength(2 + 5);
  });

  test('stops with its task', async () => {
    const work = createFakeVolumeWork();
    const run = createRun(rebalance, work);
    await run.cancel();
    expect(work.calls).toEqual(['stopRebalance gv0']);
  });
});

describe('taking a choice back', () => {
  const version = (sha256: string) => ({
    ...{
      type: 'file' as const,
      gfid: 'g',
      sizeBytes: 5,
      modifiedAt: '2026-01-01 00:00:00',
      owner: '0:0',
      mode: '0644',
    },
    ...{ sha256, firstLines: [] },
  });

  /** Two copies of different sets on this node; a file lies in one of them. */
  function context(work: FakeVolumeWork): TaskContext {
    const places = ['c0', 'c1'].map((copy) => ({ copy, node: 'kube1', pool: 'default', role: 'data' }));
    const status = { placement: places, engine: { state: 'Started' } };
    const volume = { metadata: { name: 'gv0', uid: 'u' }, spec: {}, status };
    const copies = new Map(
      ['c0', 'c1'].map((copy) => [
        copy,
        { metadata: { name: copy, uid: `uid-${copy}` }, spec: { pool: 'default' }, status: { path: `/${copy}` } },
      ]),
    );
    const informers = { VolumeCopy: { get: (name: string) => copies.get(name) } };
    const deps = { work, node: 'kube1', readyPools: new Map([['default', '/pool']]), informers };
    const task = { metadata: { uid: 'undo' }, spec: { volume: 'gv0', path: '/f', undoes: 'choice' } };
    return { deps, task, volume, signal: new AbortController().signal } as unknown as TaskContext;
  }

  test.each(['c0', 'c1'])('puts back what was put aside of copy %s of the two on this node', async (copy) => {
    const work = createFakeVolumeWork();
    work.versions.set(`/${copy}/f`, version('chosen'));
    work.saved.set(`choice uid-${copy} /f`, { ...version('lost'), savedIn: '/saved' });
    expect((await undoSplitBrain.run(context(work))).part).toMatchObject({ state: 'Succeeded' });
    expect(work.versions.get(`/${copy}/f`)?.sha256).toBe('lost');
    expect(work.saved.get(`undo uid-${copy} /f`)?.sha256).toBe('chosen');
  });

  test('says so when nothing was put aside', async () => {
    await expect(undoSplitBrain.run(context(createFakeVolumeWork()))).rejects.toThrow('nothing of /f is put aside');
  });
});
