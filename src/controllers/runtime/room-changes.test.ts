import { expect, test } from 'vitest';
import type { Resource } from '../../ports/resource-client.ts';
import { isOfRoomOnly } from './room-changes.ts';

type StoredNode = Resource<'StorageNode'>;

const POOL = { name: 'default', path: '/mnt/pool', isReady: true, capacityBytes: 100, freeBytes: 60, copyBytes: 10 };
const NODE: StoredNode = {
  apiVersion: 'holdfast.dev/v1alpha1',
  kind: 'StorageNode',
  metadata: {
    name: 'kube1',
    uid: 'u1',
    resourceVersion: '1',
    generation: 1,
    creationTimestamp: '2026-01-01T00:00:00Z',
  },
  spec: { addresses: { ip: '10.0.0.1' }, pools: [{ name: 'default', path: '/mnt/pool' }] },
  status: { bootId: 'b1', pools: [POOL], engines: [{ name: 'gluster', isInstalled: true, isRunning: true }] },
};
const withStatus = (status: StoredNode['status']): StoredNode => ({
  ...NODE,
  metadata: { ...NODE.metadata, resourceVersion: '2' },
  status: { ...NODE.status, ...status },
});

test('the bytes of a pool are room, and nothing else is', () => {
  const isRoom = (after: StoredNode) => isOfRoomOnly({ before: NODE, after });
  expect(isRoom(withStatus({ pools: [{ ...POOL, freeBytes: 1, copyBytes: 90 }] }))).toBe(true);
  expect(isRoom(withStatus({ pools: [{ ...POOL, isReady: false }] }))).toBe(false);
  expect(isRoom(withStatus({ pools: [{ ...POOL, capacityBytes: 200 }] }))).toBe(false);
  expect(isRoom(withStatus({ pools: [POOL, { ...POOL, name: 'second' }] }))).toBe(false);
  expect(isRoom(withStatus({ bootId: 'b2' }))).toBe(false);
  expect(isRoom(withStatus({ engines: [{ name: 'gluster', isInstalled: true, isRunning: false }] }))).toBe(false);
  const since = { type: 'Ready', status: 'True', reason: 'r', message: 'm' } as const;
  expect(isRoom(withStatus({ conditions: [{ ...since, lastTransitionTime: '2026-01-01T00:00:00Z' }] }))).toBe(false);
  expect(isRoom({ ...NODE, spec: { ...NODE.spec, isCordoned: true } })).toBe(false);
  expect(isRoom({ ...NODE, metadata: { ...NODE.metadata, uid: 'u2' } })).toBe(false);
  expect(isRoom({ ...NODE, metadata: { ...NODE.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } })).toBe(false);
});
