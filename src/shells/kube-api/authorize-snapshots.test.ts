import { expect, it } from 'vitest';
import type { KubeObject } from '../../usecases/resources/kube-object.ts';
import { type Action, authorize, type Identity } from './authorize.ts';

const AGENT: Identity = { user: 'holdfast:node:kube1', groups: ['holdfast:nodes'] };
const REPORT: Action = { verb: 'patch', kind: 'VolumeSnapshotRecord', subresource: 'status', name: 's' };
const WHY = 'an agent may report only the images on its node, and as leader the barrier';

const record = (leader: string, fields: object = {}, mine: object = {}, theirs: object = {}): KubeObject => {
  const copies = {
    a: { node: 'kube1', uid: 'ua', state: 'Waiting', ...mine },
    b: { node: 'kube2', state: 'Waiting', ...theirs },
  };
  const rest: Record<string, unknown> = { status: { phase: 'Freezing', leader, copies, ...fields } };
  return { apiVersion: 'v', kind: 'k', metadata: { name: 's' }, ...rest } as KubeObject;
};

/** What becomes of a report: undefined when it may be made. */
function fault(before: KubeObject, after: KubeObject): string | undefined {
  const verdict = authorize(AGENT, REPORT);
  return verdict.isAllowed ? verdict.rule?.(before, after) : verdict.message;
}

it('lets an agent say how far the image on its node is, and nothing about where it is', () => {
  const before = record('kube2');
  expect(fault(before, record('kube2', {}, { state: 'Taken', bytes: 5, message: 'm' }))).toBeUndefined();
  expect(fault(before, record('kube2', {}, { uid: 'another' }))).toBe(WHY);
  expect(fault(before, record('kube2', {}, { node: 'kube2' }))).toBe(WHY);
  expect(fault(before, record('kube2', {}, {}, { state: 'Taken' }))).toBe(WHY);
  expect(fault(before, record('kube2', {}, {}, { node: 'kube1', state: 'Taken' }))).toBe(WHY);
  expect(fault(before, record('kube2', { phase: 'Ready' }))).toBe(WHY);
});

it('lets only the leader speak of the barrier, as it was stored', () => {
  const barrier = { barrier: { state: 'Held' } };
  expect(fault(record('kube1'), record('kube1', barrier))).toBeUndefined();
  expect(fault(record('kube2'), record('kube2', barrier))).toBe(WHY);
  expect(fault(record('kube2'), record('kube1', barrier))).toBe(WHY);
});

it('lets an agent neither make nor end snapshots', () => {
  for (const verb of ['create', 'delete'] as const) {
    expect(authorize(AGENT, { verb, kind: 'VolumeSnapshotRecord', name: 's' }).isAllowed).toBe(false);
  }
  expect(authorize(AGENT, { verb: 'patch', kind: 'VolumeSnapshotRecord', name: 's' }).isAllowed).toBe(false);
});
