import { expect, test } from 'vitest';
import { GIB } from '../bytes.ts';
import { growthFaults } from './growth-faults.ts';
import type { PlacementNode } from './model.ts';

const VOLUME = { name: 'gv0', engine: 'gluster' };

function node(name: string, freeGiB: number, overrides: Partial<PlacementNode> = {}): PlacementNode {
  const bytes = { capacityBytes: 100 * GIB, freeBytes: freeGiB * GIB, promisedBytes: 0, committedBytes: 0 };
  return {
    ...{ name, isReady: true, isCordoned: false, engineRunning: true, copyCount: 1 },
    pools: [{ name: 'default', isReady: true, ...bytes }],
    ...overrides,
  };
}

const grows = (name: string, fromGiB: number, toGiB: number) => {
  return { node: name, pool: 'default', fromBytes: fromGiB * GIB, toBytes: toGiB * GIB };
};

test('only what is added needs room', () => {
  expect(growthFaults(VOLUME, [grows('kube1', 10, 14)], [node('kube1', 4)])).toEqual([]);
});

test('each place without room is named with its numbers', () => {
  const copies = [grows('kube1', 10, 20), grows('kube2', 10, 20), grows('kube3', 10, 20)];
  const nodes = [node('kube1', 50), node('kube2', 4), node('kube3', 50, { isReady: false })];
  expect(growthFaults(VOLUME, copies, nodes)).toEqual(['kube2: 4 GiB free < 10 GiB', 'kube3: the node is not ready']);
});

test('copies in one pool grow together or not at all', () => {
  const copies = [grows('kube1', 10, 14), grows('kube1', 10, 14)];
  expect(growthFaults(VOLUME, copies, [node('kube1', 6)])).toEqual(['kube1: 6 GiB free < 8 GiB']);
});

test('a node that takes no new copies lets those grow that it has', () => {
  expect(growthFaults(VOLUME, [grows('kube1', 1, 2)], [node('kube1', 4, { isCordoned: true })])).toEqual([]);
});
