import { describe, expect, test } from 'vitest';
import type { NodeFacts } from '../../schemas/node-facts.ts';
import type { StorageNode } from '../../schemas/storage-node.ts';
import type { Volume } from '../../schemas/volume.ts';
import { GIB } from '../bytes.ts';
import type { Finding } from './finding.ts';
import { CHECKS, judge } from './judge.ts';
import { healthyFacts, healthyWorld } from './world.fake.ts';
import type { DoctorWorld, Judged } from './world.ts';

type Engine = NodeFacts['engine'];
type Status = NonNullable<StorageNode['status']>;
type Case = readonly [what: string, world: DoctorWorld, wanted: Partial<Finding>, repair?: Judged['remedy']];

const wrong = (world: DoctorWorld) => judge(world).filter(({ finding }) => finding.status !== 'ok');
/** Something about the facts of kube2. */
const seen = (change: Partial<NodeFacts>) =>
  healthyWorld((facts, node) => (node === 'kube2' ? { ...facts, ...change } : facts));
const engine = (change: Partial<Engine>) => seen({ engine: { ...healthyFacts('kube2').engine, ...change } });
const peer = (name: string, change: Partial<Engine['peers'][number]>) =>
  engine({
    peers: healthyFacts('kube2').engine.peers.map((each) => (each.names[0] === name ? { ...each, ...change } : each)),
  });
/** Something about the status of the object of kube2. */
const node = (change: Partial<Status>): DoctorWorld => {
  const world = healthyWorld();
  const nodes = world.nodes.map((each) =>
    each.metadata.name === 'kube2' ? { ...each, status: { ...each.status, ...change } } : each,
  );
  return { ...world, nodes };
};
const pool = (change: Partial<NonNullable<Status['pools']>[number]>) =>
  node({
    pools: [
      { name: 'default', path: '/pool', isReady: true, capacityBytes: 100 * GIB, freeBytes: 50 * GIB, ...change },
    ],
  });
const volume = (change: Partial<NonNullable<Volume['status']>>): DoctorWorld => {
  const world = healthyWorld();
  return { ...world, volumes: world.volumes.map((each) => ({ ...each, status: { ...each.status, ...change } })) };
};
const condition = (type: string, reason: string, message: string) => {
  return { type, status: 'False' as const, reason, message, lastTransitionTime: '2026-05-01T00:00:00Z' };
};
const brick = (change: Partial<Engine['bricks'][number]>) =>
  engine({ bricks: [{ volume: 'gv0', path: '/b', isOnline: true, ...change }] });
const mount = (state: 'silent' | 'dead') =>
  engine({ mounts: [{ path: '/data', source: 'kube1:/gv0', state, message: 'why' }] });
const attachment = (status: NonNullable<DoctorWorld['attachments'][number]['status']>): DoctorWorld => {
  const world = healthyWorld();
  return { ...world, attachments: world.attachments.slice(0, 1).map((each) => ({ ...each, status })) };
};
const away = (): DoctorWorld => {
  const world = node({
    conditions: [{ ...condition('Ready', 'HeartbeatLost', 'no heartbeat for 9 s'), status: 'Unknown' }],
  });
  const examinations = new Map(world.examinations).set('kube2', { failure: 'its agent is not heard' });
  return { ...world, examinations };
};
const oldOpVersion = () => healthyWorld((facts) => ({ ...facts, engine: { ...facts.engine, opVersion: 90000 } }));

const withDirectories = ({ copies }: DoctorWorld): DoctorWorld['copies'] =>
  copies.map((copy) => ({ ...copy, spec: { ...copy.spec, brick: 'directory' } }));

const CASES: readonly Case[] = [
  [
    'an agent that does not answer',
    { ...healthyWorld(), examinations: new Map([['kube2', { failure: 'it did not look' }]]) },
    { id: 'HF002', status: 'unknown', evidence: 'it did not look' },
  ],
  [
    'a part of a machine that nobody could look at',
    engine({ blind: ['mounts: timeout'] }),
    { id: 'HF002', status: 'unknown', subject: 'node kube2' },
  ],
  [
    'glusterd that is down',
    engine({ isAnswering: false, message: 'glusterd does not answer' }),
    { id: 'HF003', status: 'failed', evidence: 'glusterd does not answer' },
  ],
  ['glusterd without ping-timeout', engine({ noticesLostPeers: false }), { id: 'HF003', status: 'failed' }],
  [
    'a clock that is behind',
    seen({ startedAt: healthyFacts('kube2').startedAt - 5_100 }),
    { id: 'HF004', status: 'warning', evidence: expect.stringContaining('at least 5.0 s behind') },
  ],
  [
    'a clock that is far ahead',
    seen({ finishedAt: healthyFacts('kube2').finishedAt + 60_000 }),
    { id: 'HF004', status: 'failed', evidence: expect.stringContaining('58.9 s ahead of') },
  ],
  [
    'a port that is closed',
    seen({ unreachable: [{ node: 'kube3', port: 24007, serves: 'glusterd', why: 'ECONNREFUSED' }] }),
    { id: 'HF005', subject: 'node kube2 to node kube3', evidence: 'port 24007 (glusterd): ECONNREFUSED' },
  ],
  [
    'a peer that is not connected',
    peer('kube3', { isConnected: false }),
    { id: 'HF006', status: 'failed', evidence: 'kube2 is not connected to kube3' },
  ],
  [
    'a peer that was rejected',
    peer('kube1', { isMember: false, stateText: 'Peer Rejected' }),
    { id: 'HF006', evidence: 'kube2 knows kube1 as "Peer Rejected"' },
  ],
  [
    'a peer that is stuck in the middle of joining',
    peer('kube3', { isMember: false, stateText: 'Sent and Received peer request' }),
    {
      id: 'HF006',
      evidence: 'kube2 knows kube3 as "Sent and Received peer request"',
      meaning: expect.stringContaining('state 5: kube2 and kube3 have both begun to join'),
      fix: expect.stringContaining('on kube3: systemctl restart glusterd'),
    },
  ],
  [
    'a list of peers that lacks one',
    engine({ peers: healthyFacts('kube2').engine.peers.slice(1) }),
    { id: 'HF006', evidence: 'kube2 does not know kube1' },
  ],
  [
    'a peer that is a stranger',
    engine({
      peers: [
        ...healthyFacts('kube2').engine.peers,
        { uuid: 'x', names: ['old9'], isConnected: false, isMember: true, stateText: '' },
      ],
    }),
    { id: 'HF006', status: 'warning' },
  ],
  [
    'an op-version that was not raised',
    oldOpVersion(),
    { id: 'HF008', status: 'warning', isFixable: true },
    { node: 'kube2', repair: { repair: 'raiseOpVersion', version: 100000 } },
  ],
  [
    'op-versions that differ',
    engine({ opVersion: 90000 }),
    { id: 'HF008', status: 'failed', evidence: expect.stringContaining('90000 on kube2') },
  ],
  [
    'too few copies',
    volume({ phase: 'Unavailable', conditions: [condition('Ready', 'TooFewCopies', 'only 1 of 3 copies serve')] }),
    { id: 'HF010', status: 'failed', evidence: 'Unavailable: only 1 of 3 copies serve' },
  ],
  ['a volume that is degraded', volume({ phase: 'Degraded' }), { id: 'HF010', status: 'warning' }],
  [
    'split brain',
    volume({ phase: 'Degraded', conditions: [condition('Redundant', 'SplitBrain', '2 entries differ')] }),
    { id: 'HF011', status: 'failed', evidence: '2 entries differ' },
  ],
  [
    'a brick that is down',
    brick({ isOnline: false }),
    { id: 'HF012', isFixable: true },
    { node: 'kube2', repair: { repair: 'startBricks', volume: 'gv0' } },
  ],
  [
    'a dead disk that counts as online',
    brick({ diskError: 'Input/output error' }),
    { id: 'HF013', isFixable: false, evidence: expect.stringContaining('still calls it online') },
  ],
  [
    'a dead disk whose brick has ended',
    brick({ diskError: 'Input/output error', isOnline: false }),
    { id: 'HF013', evidence: '/b cannot be read: Input/output error' },
  ],
  [
    'a description of 0 bytes',
    engine({ emptyVolumeFiles: ['gv0'] }),
    { id: 'HF014', subject: 'volume gv0 on node kube2' },
    { node: 'kube2', repair: { repair: 'rewriteVolumeFiles', volume: 'gv0' } },
  ],
  [
    'a mount that is dead',
    mount('dead'),
    { id: 'HF015', subject: 'mount /data on node kube2' },
    { node: 'kube2', repair: { repair: 'detachMount', path: '/data' } },
  ],
  ['a mount that hangs', mount('silent'), { id: 'HF015', isFixable: false, evidence: 'kube1:/gv0: why' }],
  [
    'a mount that failed',
    attachment({ state: 'Failed', message: 'refused' }),
    { id: 'HF016', status: 'failed', evidence: 'Failed at /data: refused' },
  ],
  [
    'a mount that lacks a copy',
    attachment({ state: 'Mounted', connectedCopies: 2, copies: 3 }),
    { id: 'HF016', status: 'warning', evidence: 'Mounted at /data: reaches 2 of 3 copies' },
  ],
  [
    'a pool that is not ready',
    pool({ isReady: false, message: 'holds ext4' }),
    { id: 'HF017', evidence: '/pool: holds ext4' },
  ],
  [
    'a pool that is nearly full',
    pool({ freeBytes: 9 * GIB }),
    { id: 'HF018', status: 'warning', evidence: '9 GiB of 100 GiB are free' },
  ],
  [
    'a pool without room for anything',
    pool({ freeBytes: GIB / 32 }),
    { id: 'HF018', status: 'failed', subject: 'pool default on node kube2' },
  ],
  ['a pool that images have filled by plan', pool({ freeBytes: GIB }), { id: 'HF018', status: 'warning' }],
  [
    'a pool in which copies in directories run out of room',
    { ...pool({ freeBytes: GIB }), copies: withDirectories(healthyWorld()) },
    { id: 'HF018', status: 'failed', subject: 'pool default on node kube2' },
  ],
  [
    'a folder of no copy',
    engine({ copyFolders: [{ pool: 'default', path: '/pool/x', copyUid: 'nobody' }] }),
    { id: 'HF019', status: 'warning', isFixable: false },
  ],
  [
    'a leftover on an empty directory',
    engine({ leftovers: [{ path: '/pool/x', isEmpty: true }] }),
    { id: 'HF020', subject: '/pool/x on node kube2' },
    { node: 'kube2', repair: { repair: 'removeVolumeId', path: '/pool/x' } },
  ],
  [
    'a leftover on a directory with data',
    engine({ leftovers: [{ path: '/pool/x', isEmpty: false }] }),
    { id: 'HF020', isFixable: false },
  ],
  [
    'a kernel without loop devices',
    seen({ kernel: { ...healthyFacts('kube2').kernel, hasLoop: false } }),
    { id: 'HF021', status: 'failed', evidence: expect.stringContaining('lacks loop') },
  ],
  ['a pool without reflink', pool({ hasReflink: false, fsType: 'xfs' }), { id: 'HF021', status: 'warning' }],
  [
    'an agent of another version',
    node({ agentVersion: '1.0.0' }),
    { id: 'HF022', evidence: 'its agent is 1.0.0, the controller is 1.2.3' },
  ],
  [
    'a program of another version than controller and agents',
    { ...healthyWorld(), version: '1.3.0' },
    { id: 'HF022', subject: 'cluster', evidence: 'this program is 1.3.0, the controller is 1.2.3' },
  ],
  [
    'GlusterFS of another version',
    seen({ packages: { glusterfs: '11.1', xfsprogs: '6.1.0' } }),
    { id: 'HF023', evidence: '10.3 on kube1, kube3; 11.1 on kube2' },
  ],
  [
    'a certificate that ends soon',
    seen({ certificates: [{ name: 'c', notAfter: healthyWorld().now + 86_400_000 }] }),
    { id: 'HF024', status: 'warning' },
  ],
  [
    'a certificate that has ended',
    seen({ certificates: [{ name: 'c', notAfter: healthyWorld().now - 1 }] }),
    { id: 'HF024', status: 'failed' },
  ],
  [
    'entries to heal',
    volume({
      engine: {
        observedBy: 'kube1',
        epoch: 1,
        state: 'Started',
        bricks: [{ copy: 'a', node: 'kube1', isOnline: true, isReadable: true, pendingHeals: 7 }],
      },
    }),
    { id: 'HF025', evidence: expect.stringContaining('7 entries') },
    { node: 'kube1', repair: { repair: 'healVolume', volume: 'gv0' } },
  ],
];

describe('judge', () => {
  test('finds nothing wrong where nothing is: one ok for each check', () => {
    const judged = judge(healthyWorld());
    expect(judged.map(({ finding }) => [finding.id, finding.status])).toEqual(CHECKS.map(({ id }) => [id, 'ok']));
  });

  test('numbers are unique', () => {
    expect(new Set(CHECKS.map(({ id }) => id)).size).toBe(CHECKS.length);
  });

  test.for(CASES)('finds %s, and nothing else', ([, world, wanted, remedy]) => {
    const found = wrong(world);
    expect(found.map(({ finding }) => finding)).toEqual([expect.objectContaining(wanted)]);
    expect(found[0]?.remedy).toEqual(remedy);
  });

  test('a node that is away is failed by its heartbeat and unknown in everything else', () => {
    const found = wrong(away()).map(({ finding }) => [finding.id, finding.status, finding.subject]);
    expect(found).toEqual([
      ['HF001', 'failed', 'node kube2'],
      ['HF002', 'unknown', 'node kube2'],
    ]);
  });

  test('a machine that was installed anew is told to rejoin', () => {
    const found = wrong(engine({ id: 'new', peers: [] })).map(({ finding }) => finding);
    expect(found).toContainEqual(
      expect.objectContaining({
        ...{ id: 'HF007', subject: 'node kube2', fix: 'holdfast node rejoin kube2' },
        evidence: 'glusterd on kube2 is new, but kube1, kube3 know kube2 as uuid-of-kube2',
      }),
    );
  });

  test('a node that sees half of the pool or less is without quorum', () => {
    const cut = healthyFacts('kube2').engine.peers.map((each) => ({ ...each, isConnected: false }));
    const found = wrong(engine({ peers: cut })).map(({ finding }) => [finding.id, finding.subject]);
    expect(found).toEqual([
      ['HF006', 'node kube2'],
      ['HF009', 'node kube2'],
    ]);
  });

  test('ports of a node whose own glusterd is down are not a matter of the way to it', () => {
    const world = healthyWorld((facts, name) =>
      name === 'kube2'
        ? { ...facts, engine: { ...facts.engine, isAnswering: false } }
        : { ...facts, unreachable: [{ node: 'kube2', port: 24007, serves: 'glusterd', why: 'ECONNREFUSED' }] },
    );
    expect(wrong(world).map(({ finding }) => finding.id)).toEqual(['HF003']);
  });
});
