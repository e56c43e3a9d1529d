import { describe, expect, test } from 'vitest';
import { PlanFile } from '../../schemas/plan-file.ts';
import { checkPlan } from '../plan/check-plan.ts';
import { planAdoption } from './plan-adoption.ts';
import { GV0_ID, seenBrick, seenPool, seenVolume } from './pool.fake.ts';
import type { SeenPoolVolume } from './seen-pool.ts';

const adoptOne = (changes: Partial<SeenPoolVolume>, nodes = 6) => planAdoption(seenPool([seenVolume(changes)], nodes));
const bricksOn = (...hosts: readonly string[]) => hosts.map((host) => seenBrick(host, '/data/storage01'));
const ALL = ['kube1', 'kube2', 'kube3', 'kube4', 'kube5', 'kube6'];

describe('a pool becomes a plan', () => {
  test('with its machines, and the volume of the recipe as it is', () => {
    const found = planAdoption(seenPool([seenVolume()]));
    expect(found.nodes).toEqual([
      { host: 'kube1', ip: '10.91.0.1' },
      { host: 'kube2', ip: '10.91.0.2' },
      { host: 'kube3', ip: '10.91.0.3' },
    ]);
    expect(found.volumes).toEqual([
      {
        ...{ name: 'gv0', size: '10Gi', layout: 'replicated', replicas: 3 },
        adopted: {
          engineId: GV0_ID,
          bricks: ['kube1', 'kube2', 'kube3'].map((node) => ({ node, path: '/mnt/glusterVolume0' })),
        },
      },
    ]);
    expect(found.refusals).toEqual([]);
    const plan = { storage: { expected_count: 3, nodes: found.nodes }, volumes: found.volumes };
    expect(PlanFile.safeParse(plan).success).toBe(true);
    expect(checkPlan(plan)).toEqual([]);
  });

  test.each<[string, Partial<SeenPoolVolume>, object]>([
    [
      'one brick',
      { type: 'Distribute', replicaCount: 1, bricks: bricksOn('kube1') },
      { layout: 'single', size: '10Gi' },
    ],
    [
      'distributed',
      { type: 'Distribute', replicaCount: 1, bricks: bricksOn('kube1', 'kube2') },
      { layout: 'distributed', distribution: 2, size: '20Gi' },
    ],
    [
      "Kismatic's -r 2 -d 2 with a quota",
      {
        type: 'Distributed-Replicate',
        replicaCount: 2,
        bricks: bricksOn(...ALL.slice(0, 4)),
        limitBytes: 10 * 1024 ** 3,
      },
      { layout: 'distributed-replicated', replicas: 2, distribution: 2, allowSplitBrain: true, size: '10Gi' },
    ],
    [
      "Heketi's arbiter",
      {
        arbiterCount: 1,
        bricks: [...bricksOn('kube1', 'kube2'), seenBrick('kube3', '/var/lib/heketi/mounts/vg_1/brick_1/brick', true)],
      },
      { layout: 'arbiter', replicas: 2, size: '10Gi' },
    ],
    [
      'dispersed',
      { type: 'Disperse', replicaCount: 1, disperseCount: 6, redundancyCount: 2, bricks: bricksOn(...ALL) },
      { layout: 'dispersed', disperseData: 4, redundancy: 2, size: '40Gi' },
    ],
    [
      'two dispersed sets',
      { type: 'Distributed-Disperse', replicaCount: 1, disperseCount: 3, redundancyCount: 1, bricks: bricksOn(...ALL) },
      { layout: 'distributed-dispersed', disperseData: 2, redundancy: 1, distribution: 2, size: '40Gi' },
    ],
    [
      'shards',
      { options: { 'features.shard': 'on', 'features.shard-block-size': '16MB' } },
      { layout: 'replicated', shard: '16Mi' },
    ],
  ])('%s', (_, changes, wanted) => {
    const found = adoptOne(changes);
    expect(found.refusals).toEqual([]);
    expect(found.volumes[0]).toMatchObject(wanted);
    const plan = { storage: { expected_count: 6, nodes: found.nodes }, volumes: found.volumes };
    expect(PlanFile.safeParse(plan).error).toBeUndefined();
    expect(checkPlan(plan)).toEqual([]);
  });

  test('a limit is the size, and a volume with one can be grown', () => {
    const [volume] = adoptOne({ limitBytes: 104857600 }).volumes;
    expect(volume).toMatchObject({ size: '100Mi', adopted: { limit: '100Mi' } });
  });

  test('bricks in one file system share it', () => {
    const shared = [seenBrick('kube1', '/d/a'), seenBrick('kube1', '/d/b')].map((brick) => ({
      ...brick,
      device: '/d',
    }));
    expect(adoptOne({ type: 'Distribute', replicaCount: 1, bricks: shared }).volumes[0]?.size).toBe('10Gi');
  });

  test('what the plan has already is not written again, and names of the plan win', () => {
    const first = planAdoption(seenPool([seenVolume()]));
    const plan = { storage: { nodes: [...first.nodes] }, volumes: [...first.volumes] };
    expect(planAdoption(seenPool([seenVolume()]), plan)).toMatchObject({ nodes: [], volumes: [], known: ['gv0'] });
    const other = { storage: { nodes: [...first.nodes] }, volumes: [{ name: 'gv0', size: '1Gi' }] };
    expect(planAdoption(seenPool([seenVolume()]), other).refusals[0]?.reason).toContain(
      'the plan has another volume gv0',
    );
    const byAddress = { storage: { nodes: [{ host: 'kube1.example.com', ip: '10.91.0.1' }] } };
    expect(planAdoption(seenPool([seenVolume()]), byAddress).nodes.map((node) => node.host)).toEqual([
      'kube2',
      'kube3',
    ]);
  });

  test("Heketi's name stays the engine's, and the plan has one that Kubernetes takes", () => {
    const found = planAdoption({
      ...seenPool([seenVolume({ name: 'vol_8A7b' })]),
      mounts: [{ host: 'kube1', volume: 'vol_8A7b', path: '/data' }],
    });
    expect(found.refusals).toEqual([]);
    expect(found.volumes[0]).toMatchObject({
      name: 'vol-8a7b',
      adopted: { engineId: GV0_ID, engineName: 'vol_8A7b' },
    });
    expect(found.notices).toContainEqual(expect.stringContaining('vol_8A7b: is the volume vol-8a7b of the plan'));
    expect(found.notices).toContainEqual(expect.stringContaining('vol-8a7b: is mounted at /data on kube1'));
    const plan = { storage: { expected_count: 3, nodes: [...found.nodes] }, volumes: [...found.volumes] };
    expect(PlanFile.safeParse(plan).error).toBeUndefined();
    expect(checkPlan(plan)).toEqual([]);
    // Known by who it is, whatever the plan calls it.
    const volumes = found.volumes.map((volume) => ({ ...volume, name: 'photos' }));
    const again = planAdoption(seenPool([seenVolume({ name: 'vol_8A7b' })]), { ...plan, volumes });
    expect(again).toMatchObject({ volumes: [], known: ['photos'], refusals: [] });
  });

  test('bricks keep the names that the pool has for their machines: addresses, and names in full', () => {
    const bricks = ['kube1', '10.91.0.2', 'kube3.example.com'].map((host, at) => {
      return { ...seenBrick(host, '/data/gv0'), hostId: `id-kube${at + 1}` };
    });
    const pool = seenPool([seenVolume({ bricks })]);
    const names = [['kube1'], ['10.91.0.2', 'kube2'], ['kube3.example.com']];
    const peers = pool.peers.map((peer, at) => ({ ...peer, names: names[at] ?? [] }));
    const found = planAdoption({ ...pool, peers });
    expect(found.nodes.map(({ host }) => host)).toEqual(['kube1', 'kube2', 'kube3.example.com']);
    expect(found.volumes[0]?.adopted?.bricks).toEqual([
      { node: 'kube1', path: '/data/gv0' },
      { node: 'kube2', path: '/data/gv0', host: '10.91.0.2' },
      { node: 'kube3', path: '/data/gv0', host: 'kube3.example.com' },
    ]);
    const plan = { storage: { expected_count: 3, nodes: found.nodes }, volumes: found.volumes };
    expect(PlanFile.safeParse(plan).error).toBeUndefined();
    expect(checkPlan(plan)).toEqual([]);
  });

  test('a machine that the pool has no name for is the node of the plan with its address', () => {
    const pool = seenPool([
      seenVolume({ bricks: bricksOn('kube1', 'kube2').concat({ ...seenBrick('10.8.0.3', '/b'), hostId: 'id-kube3' }) }),
    ]);
    const peers = pool.peers.map((peer, at) =>
      at === 2 ? { ...peer, names: ['10.8.0.3'], address: '10.8.0.3' } : peer,
    );
    const planned = { host: 'storage3', ip: '10.91.0.3', internalip: '10.8.0.3' };
    const found = planAdoption({ ...pool, peers }, { storage: { nodes: [planned] } });
    expect(found.volumes[0]?.adopted?.bricks[2]).toEqual({ node: 'storage3', path: '/b', host: '10.8.0.3' });
    expect(planAdoption({ ...pool, peers }).notices[0]).toContain('write it into the plan first');
  });

  test('two machines of one first name are no two nodes', () => {
    const pool = seenPool([seenVolume()]);
    const names = [['kube1'], ['kube1.example.com'], ['kube3']];
    const peers = pool.peers.map((peer, at) => ({ ...peer, names: names[at] ?? [] }));
    const found = planAdoption({ ...pool, peers });
    expect(found.notices[0]).toContain('kube1.example.com would be the node kube1, and so would another machine');
    expect(found.nodes.map(({ host }) => host)).toEqual(['kube1', 'kube3']);
    expect(found.refusals[0]?.reason).toContain('cannot be a node');
  });

  test('a mount is told, not taken', () => {
    const pool = { ...seenPool([seenVolume()]), mounts: [{ host: 'kube1', volume: 'gv0', path: '/data' }] };
    const found = planAdoption(pool);
    expect(found.volumes[0]).not.toHaveProperty('mount');
    expect(found.notices.some((notice) => notice.includes('mount: { path: /data, nodes: all }'))).toBe(true);
  });
});

test.each<[string, Partial<SeenPoolVolume>]>([
  ['it is stopped', { state: 'stopped' }],
  ['striped', { type: 'Stripe', stripeCount: 2 }],
  ['type Tier', { type: 'Tier' }],
  ['thin arbiter', { hasThinArbiter: true, replicaCount: 2 }],
  ['RDMA', { isTcp: false }],
  ['geo-replication', { options: { 'geo-replication.indexing': 'on' } }],
  ['cannot be a node', { bricks: bricksOn('kube1', 'kube2', 'elsewhere') }],
  ['whose loss would take both', { bricks: bricksOn('kube1', 'kube1', 'kube2') }],
  ['form no sets of 3', { bricks: bricksOn('kube1', 'kube2', 'kube3', 'kube4') }],
  [
    'arbiters are not the last',
    { arbiterCount: 1, bricks: [seenBrick('kube1', '/b', true), ...bricksOn('kube2', 'kube3')] },
  ],
  [
    'its size is not known',
    { bricks: bricksOn('kube1', 'kube2', 'kube3').map(({ capacityBytes: _capacity, ...brick }) => brick) },
  ],
  ['its shards are of', { options: { 'features.shard': 'on', 'features.shard-block-size': 'big' } }],
])('refused, with the reason: %s', (reason, changes) => {
  const found = adoptOne(changes);
  expect(found.volumes).toEqual([]);
  expect(found.refusals).toEqual([{ volume: changes.name ?? 'gv0', reason: expect.stringContaining(reason) }]);
});

test('a machine without a usable name or address takes its volumes with it', () => {
  const pool = seenPool([seenVolume()]);
  const nameless = {
    ...pool,
    peers: pool.peers.map((peer, at) => (at === 2 ? { ...peer, names: ['10.91.0.3'] } : peer)),
  };
  expect(planAdoption(nameless).refusals[0]?.reason).toContain('kube3:/mnt/glusterVolume0');
  expect(planAdoption(nameless).notices[0]).toContain('by no host name');
  const lost = pool.peers.map(({ address, ...peer }, at) =>
    at === 0 || address === undefined ? peer : { ...peer, address },
  );
  expect(planAdoption({ ...pool, peers: lost }).notices[0]).toContain('resolves to no address');
});
