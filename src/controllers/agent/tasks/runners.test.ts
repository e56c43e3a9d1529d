import { describe, expect, test } from 'vitest';
import { AppError } from '../../../domain/errors.ts';
import { createFakeVolumeWork, type FakeVolumeWork } from '../../../ports/volume-work.fake.ts';
import { NOT_IN_SPLIT_BRAIN } from '../../../ports/volume-work.ts';
import type { TaskPart, TaskSpec } from '../../../schemas/task.ts';
import { heal } from './heal.ts';
import { rebalance } from './rebalance.ts';
import { resolveSplitBrain } from './resolve-split-brain.ts';
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

const version = (sha256: string) => ({
  ...{ type: 'file' as const, gfid: 'g', sizeBytes: 5, modifiedAt: '2026-01-01 00:00:00', owner: '0:0', mode: '0644' },
  ...{ sha256, firstLines: [] },
});

describe('choosing a version', () => {
  const VERSIONS = ['kube1', 'kube2'].map((node, at) => ({
    ...version(`of ${node}`),
    ...{ copy: `c${at}`, node, brickPath: `/c${at}`, savedIn: '/saved' },
  }));

  /** Both nodes have put their versions aside; this one leads, and remembers what its part says. */
  function createChoice(work: FakeVolumeWork) {
    const volume = {
      metadata: { name: 'gv0', uid: 'u' },
      spec: {},
      status: {
        placement: VERSIONS.map(({ copy, node }) => ({ copy, node, role: 'data' })),
        engine: { state: 'Started' },
      },
    };
    const parts: Record<string, TaskPart> = Object.fromEntries(
      VERSIONS.map((each) => [each.node, { state: 'Running', result: { versions: [each] } }]),
    );
    const task = {
      metadata: { name: 't', uid: 'choice' },
      spec: { action: 'resolveSplitBrain', node: 'kube1', volume: 'gv0', path: '/f', keep: 'kube1' },
      status: { parts },
    };
    const deps = { work, node: 'kube1', client: { get: async () => task }, informers: { VolumeCopy: new Map() } };
    const report = async (part: TaskPart) => void (parts['kube1'] = part);
    return async () => {
      const context = { deps, task, volume, part: parts['kube1'], isLead: true, report };
      const given = { ...context, signal: new AbortController().signal } as unknown as TaskContext;
      const { part } = await resolveSplitBrain.run(given);
      parts['kube1'] = part;
      return part;
    };
  }

  function createSplit(): FakeVolumeWork {
    const work = createFakeVolumeWork();
    work.splitBrains.set('gv0', [{ path: '/f', kind: 'content' }]);
    for (const { brickPath, node } of VERSIONS) work.versions.set(`${brickPath}/f`, version(`of ${node}`));
    return work;
  }

  test('waits for a copy out of reach, without which nothing looks to be in split-brain', async () => {
    const work = createSplit();
    const pass = createChoice(work);
    work.silent.add('kube2');
    expect(await pass()).toMatchObject({ state: 'Running', message: 'waits for the copy on kube2' });
    work.silent.clear();
    expect(await pass()).toMatchObject({ state: 'Succeeded' });
    expect(work.calls).toEqual(['keepVersion gv0 /f kube1']);
  });

  test('waits also when the copy is lost between the look and the choice', async () => {
    const work = createSplit();
    let looks = 0;
    const listSplitBrain: FakeVolumeWork['listSplitBrain'] = async (...args) => {
      const look = await work.listSplitBrain(...args);
      looks += 1;
      if (looks === 1) work.silent.add('kube2');
      return look;
    };
    const pass = createChoice({ ...work, listSplitBrain });
    expect(await pass()).toMatchObject({ state: 'Running', message: 'waits for the copy on kube2' });
    work.silent.clear();
    expect(await pass()).toMatchObject({ state: 'Succeeded' });
  });

  test('asks again when the engine finds nothing to choose, and lists the entry all the same', async () => {
    const work = createSplit();
    let asked = 0;
    const keepVersion: FakeVolumeWork['keepVersion'] = async (...args) => {
      asked += 1;
      if (asked > 1) return work.keepVersion(...args);
      throw new AppError('precondition', '/f is not in split-brain', { reason: NOT_IN_SPLIT_BRAIN });
    };
    const pass = createChoice({ ...work, keepVersion });
    expect(await pass()).toMatchObject({ state: 'Running', message: 'waits until the copies are the same' });
    expect(await pass()).toMatchObject({ state: 'Succeeded' });
  });

  test('says so when the entry is not in split-brain', async () => {
    const work = createSplit();
    work.splitBrains.clear();
    await expect(createChoice(work)()).rejects.toThrow('/f is not in split-brain');
  });
});

describe('taking a choice back', () => {
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
