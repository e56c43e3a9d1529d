import { describe, expect, test } from 'vitest';
import type { StorageCluster } from '../../schemas/storage-cluster.ts';
import type { StorageNode } from '../../schemas/storage-node.ts';
import type { Volume } from '../../schemas/volume.ts';
import { describeStatus } from './describe-status.ts';

const lastTransitionTime = '2026-01-01T00:00:00Z';

function node(name: string, isReady = true): StorageNode {
  return {
    apiVersion: 'holdfast.dev/v1alpha1',
    kind: 'StorageNode',
    metadata: { name },
    spec: { addresses: { ip: '10.0.0.1' }, pools: [] },
    status: {
      engines: [{ name: 'gluster', isInstalled: true, isRunning: true }],
      conditions: [
        {
          type: 'Ready',
          status: isReady ? 'True' : 'Unknown',
          reason: 'Heartbeat',
          message: 'no heartbeat for more than 3 s',
          lastTransitionTime,
        },
      ],
    },
  };
}

interface VolumeShape {
  readonly nodes: readonly string[];
  readonly down?: readonly string[];
  readonly pendingHeals?: number;
}

/** A volume as the controllers record it. */
function volume(name: string, { nodes, down = [], pendingHeals = 0 }: VolumeShape): Volume {
  const isCurrent = down.length === 0 && pendingHeals === 0 && nodes.length > 1;
  const reason = nodes.length === 1 ? 'SingleCopy' : isCurrent ? 'AllCopiesCurrent' : 'CopiesDown';
  const isServed = nodes.length - down.length > nodes.length / 2;
  return {
    apiVersion: 'holdfast.dev/v1alpha1',
    kind: 'Volume',
    metadata: { name },
    spec: { size: '1Gi', engine: 'gluster', layout: 'replicated', replicas: 3, pool: 'default', brick: 'image' },
    status: {
      phase: !isServed ? 'Unavailable' : isCurrent || nodes.length === 1 ? 'Ready' : 'Degraded',
      placement: nodes.map((at) => ({ copy: `${name}-${at}`, node: at, pool: 'default', role: 'data' })),
      engine: {
        observedBy: 'kube1',
        epoch: 1,
        state: 'Started',
        bricks: nodes.map((at) => ({
          copy: `${name}-${at}`,
          node: at,
          isOnline: !down.includes(at),
          isReadable: !down.includes(at),
          pendingHeals,
          nodeReadySince: lastTransitionTime,
        })),
      },
      conditions: [
        {
          type: 'Ready',
          status: isServed ? 'True' : 'False',
          reason: 'Served',
          message: 'only 1 of 3 copies serve',
          lastTransitionTime,
        },
        {
          type: 'Redundant',
          status: isCurrent ? 'True' : 'False',
          reason,
          message: `down: ${down.join(', ')}`,
          lastTransitionTime,
        },
      ],
    },
  };
}

function apart(volume: Volume): Volume {
  return { ...volume, spec: { ...volume.spec, replicas: 2, allowSplitBrain: true } };
}

/** Each copy is a set of its own. */
function spread({ spec, status, ...rest }: Volume): Volume {
  const placement = status?.placement?.map((placed, set) => ({ ...placed, set })) ?? [];
  return { ...rest, spec: { ...spec, layout: 'distributed', distribution: 3 }, status: { ...status, placement } };
}

const three = [node('kube1'), node('kube2'), node('kube3')];
const all = ['kube1', 'kube2', 'kube3'];

describe('describeStatus', () => {
  test.each<[name: string, nodes: StorageNode[], volumes: Volume[], sentence: string]>([
    ['nothing at all', [], [], 'no nodes yet; no volumes yet'],
    ['nodes only', three, [], '3 nodes ready; no volumes yet'],
    [
      'all well',
      three,
      [volume('gv0', { nodes: all })],
      '3 nodes ready; 1 volume, all copies current; safe to lose: any 1 node',
    ],
    [
      'five copies',
      [...three, node('kube4'), node('kube5')],
      [volume('gv0', { nodes: [...all, 'kube4', 'kube5'] })],
      '5 nodes ready; 1 volume, all copies current; safe to lose: any 2 nodes',
    ],
    [
      'a node away',
      [node('kube1'), node('kube2', false), node('kube3')],
      [volume('gv0', { nodes: all, down: ['kube2'] })],
      '2 of 3 nodes ready (not ready: kube2); 1 volume, 1 not as designed (gv0); safe to lose: no node',
    ],
    [
      'half of the pool away: one more and GlusterFS stops every volume with copies',
      [...three, node('kube4', false), node('kube5', false)],
      [volume('gv0', { nodes: all })],
      '3 of 5 nodes ready (not ready: kube4, kube5); 1 volume, all copies current; safe to lose: no node',
    ],
    [
      'healing: no copy can be said to be spare',
      three,
      [volume('gv0', { nodes: all, pendingHeals: 4 })],
      '3 nodes ready; 1 volume, 1 not as designed (gv0); safe to lose: no node',
    ],
    [
      'one volume with a single copy',
      three,
      [volume('gv0', { nodes: all }), volume('scratch', { nodes: ['kube2'] })],
      '3 nodes ready; 2 volumes, all copies current; safe to lose: only one of kube1, kube3',
    ],
    [
      'two copies that may diverge: either goes on alone, whatever becomes of the pool',
      [node('kube1'), node('kube2'), node('kube3', false)],
      [apart(volume('gv0', { nodes: ['kube1', 'kube2'] }))],
      '2 of 3 nodes ready (not ready: kube3); 1 volume, all copies current; safe to lose: any 1 node',
    ],
    [
      'files spread over single copies',
      three,
      [spread(volume('gv0', { nodes: all }))],
      '3 nodes ready; 1 volume, all copies current; safe to lose: no node',
    ],
    [
      'not placed yet',
      three,
      [{ ...volume('new', { nodes: [] }), status: undefined }],
      '3 nodes ready; 1 volume, 1 not as designed (new); safe to lose: only one of kube1, kube2, kube3',
    ],
  ])('%s', (_, nodes, volumes, sentence) => {
    expect(describeStatus(nodes, volumes).sentence).toBe(sentence);
  });

  test('a copy that was online when its node was last heard of is not counted as spare', () => {
    const nodes = [node('kube1'), node('kube2', false), ...['kube3', 'kube4', 'kube5'].map((name) => node(name))];
    const stale = volume('gv0', { nodes: all, down: ['kube2'] });
    for (const brick of stale.status?.engine?.bricks ?? []) Object.assign(brick, { isOnline: true, isReadable: true });
    expect(describeStatus(nodes, [stale]).safeToLose).toEqual({ anyNodes: 0, onlyOneOf: ['kube4', 'kube5'] });
  });

  test('problems carry the reasons', () => {
    const status = describeStatus([node('kube1', false)], [volume('gv0', { nodes: all, down: ['kube1', 'kube2'] })]);
    expect(status.isHealthy).toBe(false);
    expect(status.nodes.problems).toEqual([{ name: 'kube1', message: 'no heartbeat for more than 3 s' }]);
    expect(status.volumes.problems).toEqual([{ name: 'gv0', message: 'Unavailable: only 1 of 3 copies serve' }]);
  });

  test('a stopped engine and a pool that is not ready are problems of the node', () => {
    const stopped = node('a');
    stopped.status = { ...stopped.status, engines: [{ name: 'gluster', isInstalled: true, isRunning: false }] };
    const noPool = node('b');
    const pool = { name: 'default', path: '/p', isReady: false, capacityBytes: 0, freeBytes: 0, message: 'holds data' };
    noPool.status = { ...noPool.status, pools: [pool] };
    expect(describeStatus([stopped, noPool], []).nodes.problems).toEqual([
      { name: 'a', message: 'gluster is not running' },
      { name: 'b', message: 'pool default: holds data' },
    ]);
  });

  test('nodes that report but are not joined are a problem of the cluster, told unless a node tells why', () => {
    const ready = { type: 'Ready', status: 'False' as const, reason: 'NodesMissing', lastTransitionTime };
    const cluster: StorageCluster = {
      apiVersion: 'holdfast.dev/v1alpha1',
      kind: 'StorageCluster',
      metadata: { name: 'default' },
      spec: { nodes: [...all] },
      status: { conditions: [{ ...ready, message: 'kube1 waits for kube3' }] },
    };
    const status = describeStatus(three, [], [cluster]);
    expect(status).toMatchObject({ sentence: '3 nodes ready; not all joined; no volumes yet', isHealthy: false });
    expect(status.cluster.problems[0]?.message).toBe('nodes are not all joined: kube1 waits for kube3');
    expect(describeStatus([node('kube3', false)], [], [cluster]).cluster.problems).toEqual([]);
  });

  test('many names are counted', () => {
    const nodes = Array.from({ length: 9 }, (_, at) => node(`n${at}`, false));
    expect(describeStatus(nodes, []).sentence).toBe(
      '0 of 9 nodes ready (not ready: n0, n1, n2, n3, n4 and 4 more); no volumes yet',
    );
  });
});
