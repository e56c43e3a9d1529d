import { expect, test } from 'vitest';
import type { StorageNode } from '../../schemas/storage-node.ts';
import type { Volume } from '../../schemas/volume.ts';
import { servingCopies } from './serving-copies.ts';

const SINCE = '2026-01-01T00:00:00Z';

function node(name: string, isReady: boolean, since = SINCE): StorageNode {
  const status = isReady ? ('True' as const) : ('False' as const);
  return {
    apiVersion: 'holdfast.dev/v1alpha1',
    kind: 'StorageNode',
    metadata: { name },
    spec: { addresses: { ip: '10.91.0.1' }, pools: [] },
    status: {
      engines: [{ name: 'gluster', isInstalled: true, isRunning: true }],
      conditions: [{ type: 'Ready', status, reason: 'R', message: 'm', lastTransitionTime: since }],
    },
  };
}

function volume(bricks: NonNullable<NonNullable<Volume['status']>['engine']>['bricks']): Volume {
  const placement = ['kube1', 'kube2', 'kube3'].map((name, index) => {
    return { copy: `gv0-${index}`, node: name, pool: 'default', role: 'data' as const };
  });
  return {
    apiVersion: 'holdfast.dev/v1alpha1',
    kind: 'Volume',
    metadata: { name: 'gv0' },
    spec: { size: '1Gi', engine: 'gluster', layout: 'replicated', replicas: 3, pool: 'default', brick: 'image' },
    status: { placement, engine: { observedBy: 'kube1', epoch: 1, state: 'Started', bricks } },
  };
}

const brick = (index: number, more: object = {}) => {
  const seen = { isOnline: true, isReadable: true, nodeReadySince: SINCE };
  return { copy: `gv0-${index}`, node: `kube${index + 1}`, ...seen, ...more };
};

test('a copy that was online when its node was last heard of does not serve once the node is away', () => {
  const nodes = [node('kube1', true), node('kube2', false), node('kube3', true, '2026-01-01T00:01:00Z')];
  expect([...servingCopies(volume([brick(0), brick(1), brick(2)]), nodes)]).toEqual([
    ['gv0-0', 'yes'],
    ['gv0-1', 'node away'],
    ['gv0-2', 'not checked yet'],
  ]);
});

test('what the engine said of a copy is told as it is, and nothing of a copy that it was never asked about', () => {
  const nodes = ['kube1', 'kube2', 'kube3'].map((name) => node(name, true));
  const bricks = [brick(0, { isOnline: false, isReadable: false }), brick(1, { isReadable: false })];
  expect([...servingCopies(volume(bricks), nodes)]).toEqual([
    ['gv0-0', 'no'],
    ['gv0-1', 'does not answer'],
  ]);
});
