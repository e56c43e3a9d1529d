import { describe, expect, test } from 'vitest';
import type { StorageNode } from '../../schemas/storage-node.ts';
import type { VolumeCopy } from '../../schemas/volume-copy.ts';
import { GIB } from '../bytes.ts';
import { poolBytesOf } from '../volume/copy-size.ts';
import { choosePlacement } from './choose-placement.ts';
import { placementInput, placementNode, type VolumeToPlace } from './from-resources.ts';

function storageNode(name: string, status: StorageNode['status'] = {}): StorageNode {
  return {
    apiVersion: 'holdfast.dev/v1alpha1',
    kind: 'StorageNode',
    metadata: { name },
    spec: { addresses: { ip: '10.91.0.1' }, zone: 'a', pools: [{ name: 'default', path: '/mnt/glusterVolume0' }] },
    status: {
      engines: [{ name: 'gluster', isInstalled: true, isRunning: true }],
      pools: [
        { name: 'default', path: '/mnt/glusterVolume0', isReady: true, capacityBytes: 10 * GIB, freeBytes: 9 * GIB },
      ],
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'HeartbeatFresh',
          message: '',
          lastTransitionTime: '2026-01-01T00:00:00Z',
        },
      ],
      ...status,
    },
  };
}

function copy(name: string, spec: Partial<VolumeCopy['spec']>, state?: 'Preparing' | 'Ready'): VolumeCopy {
  return {
    apiVersion: 'holdfast.dev/v1alpha1',
    kind: 'VolumeCopy',
    metadata: { name },
    spec: {
      volume: 'gv0',
      volumeUid: 'u0',
      node: 'kube1',
      pool: 'default',
      role: 'data',
      index: 0,
      engine: 'gluster',
      brick: 'directory',
      sizeBytes: GIB,
      ...spec,
    },
    ...(state === undefined ? {} : { status: { state } }),
  };
}

const volume: VolumeToPlace = {
  name: 'gv0',
  uid: 'u0',
  spec: { size: '1Gi', engine: 'gluster', layout: 'replicated', pool: 'default', brick: 'image' },
};

describe('placementInput', () => {
  test('three fresh nodes take a new volume', () => {
    const input = placementInput(
      volume,
      ['kube1', 'kube2', 'kube3'].map((name) => storageNode(name)),
      [],
    );
    expect(input.request.sizeBytes.data).toBe(poolBytesOf({ brick: 'image' }, GIB));
    const result = choosePlacement(input);
    expect(result.ok && result.placed.map((placed) => placed.node)).toEqual(['kube1', 'kube2', 'kube3']);
  });

  test('only missing copies are wanted; the others hold their nodes', () => {
    const copies = [copy('gv0-0', { index: 0 }), copy('gv0-2', { index: 2, node: 'kube3' })];
    const input = placementInput(volume, [], copies);
    expect(input.request.copies).toEqual([{ index: 1, role: 'data' }]);
    expect(input.existing).toEqual([{ node: 'kube1' }, { node: 'kube3' }]);
  });

  test('copies of an earlier volume of the same name are not its copies', () => {
    const input = placementInput(volume, [], [copy('old', { volumeUid: 'u-before' })]);
    expect(input.existing).toEqual([]);
    expect(input.request.copies).toHaveLength(3);
  });

  test('an arbiter layout wants two data copies and a small third', () => {
    const input = placementInput({ ...volume, spec: { ...volume.spec, layout: 'arbiter' } }, [], []);
    expect(input.request.copies.map((wanted) => wanted.role)).toEqual(['data', 'data', 'arbiter']);
    expect(input.request.sizeBytes.arbiter).toBeLessThan(input.request.sizeBytes.data);
  });
});

describe('placementNode', () => {
  test('copies that are not ready are promised, all are committed', () => {
    const copies = [copy('a', {}), copy('b', {}, 'Preparing'), copy('c', {}, 'Ready'), copy('d', { node: 'kube2' })];
    const node = placementNode(storageNode('kube1'), copies, 'gluster');
    expect(node.copyCount).toBe(3);
    expect(node.pools[0]).toMatchObject({ promisedBytes: 2 * GIB, committedBytes: 3 * GIB });
  });

  test('what copies had not taken when the free space was looked at is promised, whatever they say now', () => {
    const copies = [copy('a', {}, 'Ready'), copy('b', {}, 'Ready'), copy('c', {}, 'Preparing')];
    const pool = { name: 'default', path: '/pool', isReady: true, capacityBytes: 10 * GIB, freeBytes: 4 * GIB };
    const promised = (copyBytes: number) => {
      const node = storageNode('kube1', { pools: [{ ...pool, copyBytes }] });
      return placementNode(node, copies, 'gluster').pools[0]?.promisedBytes;
    };
    expect(promised(GIB)).toBe(2 * GIB);
    expect(promised(3 * GIB)).toBe(0);
    // One is gone since; its room is given when the free space is reported anew.
    expect(promised(4 * GIB)).toBe(0);
  });

  test('a node that never reported is not ready and says so of its pools', () => {
    const silent: StorageNode = { ...storageNode('kube1'), status: undefined };
    const node = placementNode(silent, [], 'gluster');
    expect(node).toMatchObject({ isReady: false, engineRunning: false });
    expect(node.pools[0]).toMatchObject({ isReady: false, message: 'the agent has not reported it yet' });
  });

  test('a node whose heartbeat is lost, or that is being removed, is not ready', () => {
    const lost = storageNode('kube1', { conditions: [] });
    expect(placementNode(lost, [], 'gluster').isReady).toBe(false);
    const leaving = storageNode('kube1');
    leaving.metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
    expect(placementNode(leaving, [], 'gluster').isReady).toBe(false);
  });
});
