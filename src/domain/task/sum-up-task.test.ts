import { describe, expect, test } from 'vitest';
import type { TaskPart, TaskSpec, TaskStatus } from '../../schemas/task.ts';
import { keptMs, sumUpTask, TASK_NODE_DEADLINE_MS, type TaskLook, type TaskVolume } from './sum-up-task.ts';

const NOW = Date.parse('2026-01-01T00:10:00Z');
const spec: TaskSpec = { action: 'heal', volume: 'gv0', volumeUid: 'u' };
const volume: TaskVolume = { uid: 'u', isDeleting: false, anchor: 'kube1', dataNodes: ['kube1', 'kube2'] };

function look(parts: Record<string, TaskPart> | undefined, changes: Partial<TaskLook> = {}): TaskLook {
  const status: TaskStatus | undefined = parts && { startedAt: '2026-01-01T00:09:00Z', parts };
  return { spec, status, createdAt: NOW, volume, node: () => ({ isReady: true, since: 0 }), now: NOW, ...changes };
}

describe('a task', () => {
  test('waits for the node that leads', () => {
    expect(sumUpTask(look(undefined))).toEqual({
      status: { state: 'Waiting', message: 'waits for kube1', startedAt: undefined },
      requeueAfterMs: TASK_NODE_DEADLINE_MS,
    });
  });

  test('tells what its lead says', () => {
    const parts = { kube1: { state: 'Running', isLead: true, message: '3 entries left', progress: 40 } as const };
    expect(sumUpTask(look(parts)).status).toMatchObject({ state: 'Running', message: '3 entries left', progress: 40 });
  });

  test('is done with its lead, and then stays as it is', () => {
    const parts = { kube1: { state: 'Succeeded', isLead: true, message: 'all the same' } as const };
    const { status } = sumUpTask(look(parts));
    expect(status).toMatchObject({ state: 'Succeeded', progress: 100, finishedAt: '2026-01-01T00:10:00Z' });
    const later = look({ kube1: { state: 'Failed' } });
    const finished = { ...later, status: { ...later.status, ...status } };
    expect(sumUpTask(finished).status.state).toBe('Succeeded');
  });

  test('goes on with the next anchor when the one that led is no anchor any more', () => {
    const parts = { kube1: { state: 'Succeeded', isLead: true } as const };
    const moved = look(parts, { volume: { ...volume, anchor: 'kube2' } });
    expect(sumUpTask(moved).status).toMatchObject({ state: 'Running', startedAt: '2026-01-01T00:09:00Z' });
  });

  test('is not done by a node that only helped the lead before it', () => {
    expect(sumUpTask(look({ kube1: { state: 'Succeeded' } })).status.state).toBe('Running');
  });
});

describe('a task fails', () => {
  const failing = (changes: Partial<TaskLook>, parts?: Record<string, TaskPart>) => {
    const { status } = sumUpTask(look(parts, changes));
    expect(status).toMatchObject({ state: 'Failed', finishedAt: '2026-01-01T00:10:00Z' });
    return status.message;
  };

  test('with the words of the part that failed', () => {
    expect(failing({}, { kube1: { state: 'Failed', message: 'no quorum' } })).toBe('no quorum');
  });

  test.each([
    ['is gone', undefined, 'volume gv0 is not there any more'],
    ['is another of that name', { ...volume, uid: 'v' }, 'volume gv0 is not there any more'],
    ['is being deleted', { ...volume, isDeleting: true }, 'volume gv0 is being deleted'],
  ])('when its volume %s', (_, seen, message) => {
    expect(failing({ volume: seen })).toBe(message);
  });

  test('when a node that it needs is not there', () => {
    expect(failing({ node: () => undefined })).toBe('there is no node kube1');
  });

  test('when that node stays away, but not at once', () => {
    const away = (since: number) => ({ createdAt: 0, node: () => ({ isReady: false, since }) });
    expect(failing(away(NOW - TASK_NODE_DEADLINE_MS))).toContain('node kube1 has been away for 60 s');
    const soon = sumUpTask(look(undefined, away(NOW - TASK_NODE_DEADLINE_MS + 5)));
    expect(soon).toMatchObject({ status: { state: 'Waiting' }, requeueAfterMs: 5 });
  });

  test('when its agent never begins', () => {
    expect(failing({ createdAt: NOW - TASK_NODE_DEADLINE_MS })).toContain('has not begun within 60 s');
  });
});

test.each([
  ['heal', 1],
  ['showSplitBrain', 1],
  ['resolveSplitBrain', 7],
  ['undoSplitBrain', 7],
] as const)('%s is kept for %i days when it is finished', (action, days) => {
  expect(keptMs({ action })).toBe(days * 24 * 3_600_000);
});
