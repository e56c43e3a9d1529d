import { describe, expect, it } from 'vitest';
import type { StorageNode } from '../../schemas/storage-node.ts';
import type { VolumeSpec } from '../../schemas/volume.ts';
import type { VolumeSnapshotRecord } from '../../schemas/volume-snapshot-record.ts';
import { type CloneWorld, placeClone } from './clone-placement.ts';
import { snapshotPromises } from './snapshot-promises.ts';

const GIB = 1024 ** 3;
const NAMES = ['n1', 'n2', 'n3'];
const WAS: VolumeSpec = {
  size: '1Gi',
  engine: 'gluster',
  layout: 'replicated',
  replicas: 3,
  pool: 'default',
  brick: 'image',
};
const SPEC: VolumeSpec = { ...WAS, source: { snapshot: 's', snapshotUid: 'su' } };

const node = (name: string, freeBytes: number): StorageNode => ({
  ...{ apiVersion: 'holdfast.dev/v1alpha1', kind: 'StorageNode', metadata: { name } },
  spec: { addresses: { ip: '10.0.0.1' }, pools: [{ name: 'default', path: '/pool' }] },
  status: {
    pools: [{ name: 'default', path: '/pool', isReady: true, capacityBytes: 10 * GIB, freeBytes, copyBytes: 0 }],
  },
});
const SNAPSHOT: VolumeSnapshotRecord = {
  ...{ apiVersion: 'holdfast.dev/v1alpha1', kind: 'VolumeSnapshotRecord', metadata: { name: 's', uid: 'su' } },
  spec: { volume: 'gv0', volumeUid: 'u' },
  status: {
    phase: 'Ready',
    volumeSpec: WAS,
    // In another order than the engine's.
    copies: Object.fromEntries(
      [2, 0, 1].map((index) => {
        const place = { node: NAMES[index] ?? '', pool: 'default', uid: `uid-${index}`, role: 'data', index } as const;
        return [`c${index}`, { ...place, sizeBytes: GIB, state: 'Taken' as const }];
      }),
    ),
  },
};
const WORLD: CloneWorld = { snapshot: SNAPSHOT, nodes: NAMES.map((name) => node(name, 9 * GIB)), copies: [] };

describe('placeClone', () => {
  it("puts each copy beside its image, in the engine's order", () => {
    const outcome = placeClone('c', SPEC, WORLD);
    expect(outcome.ok && outcome.placed.map(({ index, node: where }) => [index, where])).toEqual([
      [0, 'n1'],
      [1, 'n2'],
      [2, 'n3'],
    ]);
  });

  it('refuses what is no snapshot to begin with', () => {
    const say = (spec: VolumeSpec, snapshot: VolumeSnapshotRecord | undefined) => {
      const outcome = placeClone('c', spec, { ...WORLD, snapshot });
      return outcome.ok ? 'placed' : outcome.message;
    };
    expect(say(SPEC, undefined)).toMatch(/there is none$/);
    expect(say(SPEC, { ...SNAPSHOT, metadata: { name: 's', uid: 'later' } })).toMatch(/another one of the same name/);
    expect(say(SPEC, { ...SNAPSHOT, status: { ...SNAPSHOT.status, phase: 'Deleting' } })).toMatch(/it is Deleting$/);
    // It waits for its clones before anything of it is erased.
    const awaited = { ...SNAPSHOT.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' };
    expect(say(SPEC, { ...SNAPSHOT, metadata: awaited })).toBe('placed');
    expect(say(SPEC, { ...SNAPSHOT, status: { ...SNAPSHOT.status, phase: 'Failed' } })).toMatch(/it is Failed$/);
    expect(say({ ...SPEC, size: '2Gi' }, SNAPSHOT)).toMatch(/it is of 1Gi, not 2Gi$/);
    expect(say({ ...SPEC, shard: true }, SNAPSHOT)).toMatch(/another kind of volume \(shard\)$/);
  });

  it('counts the whole image against the pool, and that of the snapshot too', () => {
    const nodes = [node('n1', 9 * GIB), node('n2', 2 * GIB), node('n3', 9 * GIB)];
    expect(placeClone('c', SPEC, { ...WORLD, nodes }).ok).toBe(true);
    const outcome = placeClone('c', SPEC, { ...WORLD, nodes, copies: snapshotPromises([SNAPSHOT]) });
    expect(outcome).toMatchObject({ ok: false });
    expect(outcome.reasons.join('\n')).toMatch(/n2: .* free < /);
    const gone = placeClone('c', SPEC, { ...WORLD, nodes: nodes.slice(0, 2) });
    expect(gone.reasons).toContain('n3: the node is gone, and its image with it');
  });
});
