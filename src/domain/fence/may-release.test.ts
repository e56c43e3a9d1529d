import { expect, it } from 'vitest';
import type { NodeFenceStatus, StorageNode } from '../../schemas/storage-node.ts';
import { mayRelease } from './may-release.ts';

const FENCE = { uid: 'f', spec: { node: 'kube3', nodeUid: 'n', bootId: 'boot-1', addresses: ['10.0.0.3'] } };

function node(bootId: string, fence?: NodeFenceStatus, isReady = true, uid = 'n'): StorageNode {
  const at = { lastTransitionTime: '2026-01-01T00:00:00Z', reason: 'x', message: '' };
  return {
    ...{ apiVersion: 'holdfast.dev/v1alpha1', kind: 'StorageNode', metadata: { name: 'kube3', uid } },
    spec: { addresses: { ip: '10.0.0.3' }, pools: [] },
    status: {
      ...{ bootId, conditions: [{ type: 'Ready', status: isReady ? 'True' : 'Unknown', ...at }] },
      ...(fence === undefined ? {} : { fence }),
    },
  };
}
const said = (mounts: string[], record = 'f', bootId = 'boot-1') => ({ record, bootId, mounts });

it.each([
  ['a node that is away', node('boot-1', said([]), false), 'is not heard from'],
  ['a node that was restarted and is away again', node('boot-2', undefined, false), 'is not heard from'],
  ['what has said nothing', node('boot-1'), 'has not said yet'],
  ['what was said of another fence', node('boot-1', said([], 'g')), 'has not said yet'],
  ['what was said in another boot', node('boot-1', said([], 'f', 'boot-0')), 'has not said yet'],
  ['what has volumes mounted', node('boot-1', said(['/a', '/b'])), '/a and 1 more is still mounted there'],
])('keeps %s fenced', (_what, seen, reason) => {
  expect(mayRelease(FENCE, seen)).toEqual({ ok: false, reason: expect.stringContaining(reason) });
});

it.each([
  ['was restarted', node('boot-2')],
  ['has nothing mounted', node('boot-1', said([]))],
  ['is no more', undefined],
  ['is another one of the same name', node('boot-1', undefined, true, 'm')],
])('lets a node in that %s', (_what, seen) => {
  expect(mayRelease(FENCE, seen)).toEqual({ ok: true });
});
