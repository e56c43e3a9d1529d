import { describe, expect, test } from 'vitest';
import { GIB } from '../bytes.ts';
import { clusterOf, type NodeSketch, type VolumeSketch } from '../simulate/cluster.fake.ts';
import { type ClusterObjects, clusterSamples as tableOf } from './cluster-samples.ts';
import { METRICS, type Sample } from './definitions.ts';

function objectsOf(nodes: readonly NodeSketch[], volumes: readonly VolumeSketch[] = []): ClusterObjects {
  const { nodes: made, volumes: placed, copies, attachments } = clusterOf(nodes, volumes);
  const none = { snapshots: [], fences: [], lastBeat: () => undefined };
  return { nodes: made, volumes: placed, copies, attachments, ...none };
}

const clusterSamples = (objects: ClusterObjects) => [...tableOf(objects).values()].flatMap((read) => read());

/** As a scrape shows them. */
function told(objects: ClusterObjects, ...names: readonly Sample['name'][]): readonly string[] {
  return clusterSamples(objects)
    .filter(({ name }) => names.includes(name))
    .map(({ name, labels, value }) => {
      const pairs = Object.entries(labels).map(([label, each]) => `${label}="${each}"`);
      return `${name.replace('holdfast_', '')}{${pairs.join(',')}} ${value}`;
    });
}

const three = [{ name: 'n1' }, { name: 'n2' }, { name: 'n3' }];
const all = ['n1', 'n2', 'n3'];

test('every sample has exactly the labels of its metric, and no series comes twice', () => {
  const world = objectsOf(
    [...three, { name: 'n4', isReady: false }],
    [
      { name: 'gv0', nodes: all, mounts: [{ node: 'n1' }] },
      { name: 'gv1', nodes: all, down: [0], pendingHeals: 2 },
      { name: 'gv2' },
    ],
  );
  const fence = { apiVersion: 'holdfast.dev/v1alpha1', kind: 'FenceRecord' } as const;
  const spec = { node: 'n4', nodeUid: 'u', bootId: 'b', addresses: ['10.0.0.4'] };
  const snapshot = { apiVersion: 'holdfast.dev/v1alpha1', kind: 'VolumeSnapshotRecord' } as const;
  const samples = clusterSamples({
    ...world,
    fences: [{ ...fence, metadata: { name: 'n4' }, spec }],
    snapshots: [{ ...snapshot, metadata: { name: 's' }, spec: { volume: 'gv0', volumeUid: 'u' } }],
    lastBeat: () => 1_000,
  });
  for (const { name, labels, value } of samples) {
    expect(Object.keys(labels).toSorted(), name).toEqual([...METRICS[name].labels].toSorted());
    expect(Number.isFinite(value), name).toBe(true);
  }
  const series = samples.map(({ name, labels }) => `${name} ${JSON.stringify(labels)}`);
  expect(new Set(series).size).toBe(series.length);
  expect(new Set(samples.map(({ name }) => name)).size).toBeGreaterThan(15);
});

describe('volumes', () => {
  test('a copy is missing when its brick is down, its node away, or it has no place', () => {
    const world = objectsOf(
      [{ name: 'n1' }, { name: 'n2' }, { name: 'n3', isReady: false }],
      [
        { name: 'well', nodes: ['n1', 'n2'] },
        { name: 'down', nodes: ['n1', 'n2'], down: [1] },
        { name: 'away', nodes: all },
        { name: 'waits' },
      ],
    );
    expect(told(world, 'holdfast_volume_missing_copies')).toEqual([
      'volume_missing_copies{volume="well"} 0',
      'volume_missing_copies{volume="down"} 1',
      'volume_missing_copies{volume="away"} 1',
      'volume_missing_copies{volume="waits"} 3',
    ]);
  });

  test('the copy that joins is not counted for the one whose place it takes', () => {
    const world = objectsOf(three, [{ name: 'gv0', nodes: ['n1', 'n2'] }]);
    const [volume] = world.volumes;
    for (const placed of volume?.status?.placement ?? []) if (placed.node === 'n2') placed.isJoining = true;
    expect(told(world, 'holdfast_volume_missing_copies')).toEqual(['volume_missing_copies{volume="gv0"} 1']);
  });

  test('entries are told where the engine tells them', () => {
    const world = objectsOf(three, [{ name: 'gv0', nodes: all, pendingHeals: 4 }, { name: 'waits' }]);
    const names = ['holdfast_volume_heal_entries', 'holdfast_volume_split_brain_entries'] as const;
    expect(told(world, ...names)).toEqual(['volume_heal_entries{volume="gv0"} 4']);
    for (const brick of world.volumes[0]?.status?.engine?.bricks ?? []) brick.splitBrainEntries = 1;
    expect(told(world, names[1])).toEqual(['volume_split_brain_entries{volume="gv0"} 3']);
  });

  test('there is one phase for each volume, and a sum for each kind', () => {
    const world = objectsOf(three, [{ name: 'gv0' }, { name: 'gv1' }, { name: 'gone', nodes: all, isDeleting: true }]);
    expect(told(world, 'holdfast_volumes', 'holdfast_volume_phase', 'holdfast_volume_size_bytes')).toEqual([
      'volumes{engine="gluster",layout="replicated",phase="Pending"} 2',
      'volumes{engine="gluster",layout="replicated",phase="Deleting"} 1',
      ...['gv0', 'gv1'].map((name) => `volume_phase{volume="${name}",phase="Pending"} 1`),
      'volume_phase{volume="gone",phase="Deleting"} 1',
      ...['gv0', 'gv1', 'gone'].map((name) => `volume_size_bytes{volume="${name}"} ${GIB}`),
    ]);
  });

  test('a volume on a file server has no copies to miss, and tells of its server', () => {
    const world = objectsOf(three, [{ name: 'pv1', nodes: ['n1'] }]);
    for (const { spec, status } of world.volumes) {
      spec.engine = 'nfs';
      Object.assign(status?.engine ?? {}, { bricks: [], capacityBytes: 100, freeBytes: 40 });
    }
    const names = ['holdfast_volume_missing_copies', 'holdfast_volume_share_size_bytes'] as const;
    expect(told(world, ...names, 'holdfast_volume_share_free_bytes')).toEqual([
      'volume_share_size_bytes{volume="pv1"} 100',
      'volume_share_free_bytes{volume="pv1"} 40',
    ]);
  });
});

describe('nodes', () => {
  test('a node is ready or not, and says when it last beat', () => {
    const world = objectsOf([{ name: 'n1' }, { name: 'n2', isReady: false }]);
    const lastBeat = (node: string) => (node === 'n1' ? 1_500 : undefined);
    const names = ['holdfast_node_ready', 'holdfast_node_heartbeat_timestamp_seconds'] as const;
    expect(told({ ...world, lastBeat }, ...names)).toEqual([
      'node_ready{node="n1"} 1',
      'node_ready{node="n2"} 0',
      'node_heartbeat_timestamp_seconds{node="n1"} 1.5',
    ]);
  });

  test('until when its certificate is valid, where it has one', () => {
    const world = objectsOf([{ name: 'n1' }, { name: 'n2' }]);
    const [first] = world.nodes;
    Object.assign(first?.status ?? {}, { tls: { mode: 'encrypted', notAfter: '2026-01-01T00:00:10Z' } });
    expect(told(world, 'holdfast_node_certificate_expiry_timestamp_seconds')).toEqual([
      `node_certificate_expiry_timestamp_seconds{node="n1"} ${Date.parse('2026-01-01T00:00:10Z') / 1000}`,
    ]);
  });

  test('copies and mounts are counted by state', () => {
    const world = objectsOf(three, [
      { name: 'gv0', nodes: ['n1', 'n2'], mounts: [{ node: 'n1' }] },
      { name: 'gv1', nodes: ['n1'] },
    ]);
    for (const { spec, status } of world.copies) if (spec.volume === 'gv1' && status) status.state = 'Lost';
    expect(told(world, 'holdfast_copies', 'holdfast_attachments')).toEqual([
      'copies{node="n1",state="Ready"} 1',
      'copies{node="n1",state="Lost"} 1',
      'copies{node="n2",state="Ready"} 1',
      'attachments{node="n1",state="Mounted"} 1',
    ]);
  });
});

describe('pools', () => {
  const names = [
    ...['holdfast_pool_size_bytes', 'holdfast_pool_free_bytes', 'holdfast_pool_promised_bytes'],
    'holdfast_pool_room_bytes',
  ] as readonly Sample['name'][];

  test('a copy takes room from the moment it is placed', () => {
    const world = objectsOf([{ name: 'n1', capacityGib: 10 }], [{ name: 'gv0', layout: 'single', nodes: ['n1'] }]);
    const taken = Object.fromEntries(told(world, ...names).map((line) => line.split(' ') as [string, string]));
    const promised = Number(taken['pool_promised_bytes{node="n1",pool="default"}']);
    expect(promised).toBeGreaterThan(GIB);
    expect(Number(taken['pool_room_bytes{node="n1",pool="default"}'])).toBeLessThanOrEqual(10 * GIB - promised);
    // The same before the copy is recorded.
    expect(told({ ...world, copies: [] }, 'holdfast_pool_promised_bytes')).toEqual([
      `pool_promised_bytes{node="n1",pool="default"} ${promised}`,
    ]);
  });

  test('of a pool that no agent has told of there is only that it is not ready', () => {
    const world = objectsOf([{ name: 'n1' }]);
    for (const { status } of world.nodes) if (status) status.pools = [];
    expect(told(world, 'holdfast_pool_ready', ...names)).toEqual(['pool_ready{node="n1",pool="default"} 0']);
  });
});
