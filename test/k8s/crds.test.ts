/** Holdfast's kinds on a real API server: the definitions are taken, and judge as the embedded API does. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isAppError } from '../../src/domain/errors.ts';
import { KINDS } from '../../src/schemas/kinds.ts';
import { GROUP } from '../../src/schemas/own-kind.ts';
import { type Cluster, startCluster } from './cluster.ts';

const CRDS = join(import.meta.dirname, '../../deploy/crds.yaml');
let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ name: 'k8scrds', nodes: 0 });
  await cluster.kubectl.applyFile(CRDS);
  await cluster.kubectl.until('crd/volumes.holdfast.dev', 'condition=Established');
});
afterAll(() => cluster?.remove());

test('every kind is served, with its columns and short names', async () => {
  const kinds = await cluster.kubectl.run('api-resources', '--api-group=holdfast.dev', '-o', 'name');
  const own = Object.values(KINDS).filter(({ group }) => group === GROUP);
  expect(kinds.trim().split('\n').sort()).toEqual(own.map(({ plural }) => `${plural}.${GROUP}`).sort());
  await cluster.client.create('Volume', { metadata: { name: 'shown' }, spec: { size: '1Gi' } });
  expect(await cluster.kubectl.run('get', 'vol', 'shown')).toMatch(
    /^NAME +PHASE +SIZE +LAYOUT +READY +REDUNDANT +AGE\nshown/,
  );
});

const uuid = '0d8ad2c2-1f6b-4f5d-9c3a-5f0a6a1b2c3d';
const bricks = (count: number) => Array.from({ length: count }, (_, at) => ({ node: `n${at}`, path: `/b/${at}` }));
const adopted = (count: number) => ({ engineId: uuid, bricks: bricks(count) });
const share = { server: 'files.example.com', path: '/export' };
const nfs = { engine: 'nfs', layout: 'single' };
const local = { engine: 'local', layout: 'single' };

describe('a new volume is judged as by the embedded API', () => {
  const specs: readonly object[] = [
    ...[
      {},
      { replicas: 3 },
      { replicas: 2 },
      { replicas: 2, allowSplitBrain: true },
      { replicas: 1 },
      { replicas: 10 },
    ],
    ...[{ size: 'huge' }, { size: '1.5Gi' }, { size: 5 }, { size: '9Pi' }, { size: '' }, { layout: 'striped' }],
    ...[
      { layout: 'single', replicas: 2 },
      { layout: 'arbiter', replicas: 3 },
      { layout: 'arbiter', replicas: 2 },
    ],
    ...[{ layout: 'dispersed', replicas: 2 }, { layout: 'dispersed' }, { layout: 'dispersed', redundancy: 2 }],
    ...[{ layout: 'dispersed', disperseData: 4, redundancy: 2 }, { redundancy: 1 }, { disperseData: 2 }],
    ...[
      { layout: 'distributed' },
      { layout: 'distributed', distribution: 2 },
      { distribution: 2 },
      { distribution: 1 },
    ],
    ...[
      { shard: true },
      { shard: '64Mi' },
      { shard: 5 },
      { shard: 'x' },
      { shard: '1Mi' },
      { shard: [] },
      { shard: {} },
    ],
    ...[local, { engine: 'local' }, { ...local, fsType: 'ext4' }, { ...local, brick: 'block' }, { brick: 'block' }],
    ...[{ ...local, brick: 'directory', fsType: 'ext4' }, { fsType: 'xfs' }, { ...local, profile: 'shared' }],
    ...[{ ...local, allowFrom: ['10.0.0.1'] }, { ...local, allowFrom: [] }, { share }, nfs, { ...nfs, share }],
    ...[
      { ...nfs, share, profile: 'shared' },
      { ...nfs, share, brick: 'directory' },
      { engine: 'nfs', share },
    ],
    ...[
      { pool: 'fast' },
      { pool: 'default' },
      { zones: ['a'] },
      { allowSplitBrain: true },
      { allowSplitBrain: false },
    ].flatMap((said) => [{ ...nfs, share, ...said }, { ...local, ...said }, said]),
    { ...nfs, share, restoreFrom: { snapshot: 's', snapshotUid: uuid, safetySnapshot: 't' } },
    ...['../x', 'a/b', '/a', 'a//b', 'a/'].map((subDir) => ({ ...nfs, share: { ...share, subDir } })),
    ...['/', '/a/../b', '/a/./b', '/...', 'a', '/a/'].map((path) => ({ ...nfs, share: { ...share, path } })),
    ...['0777', '777', '9', '4777'].map((permissions) => ({ ...nfs, share: { ...share, permissions } })),
    ...['fd00::1', 'a b', '-x', 'x:y'].map((server) => ({ ...nfs, share: { ...share, server } })),
    ...[{ encryption: true }, { encryption: true, brick: 'directory' }, { keyIsGiven: true }],
    ...[
      { ...local, encryption: true, fsType: 'xfs' },
      { encryption: true, keyIsGiven: true },
    ],
    ...[
      { brick: 'directory', adopted: adopted(3) },
      { brick: 'directory', adopted: adopted(2) },
      { adopted: adopted(3) },
    ],
    ...[{ pool: 'A' }, { pool: 'a-b' }, { nodes: [] }, { nodes: ['n1'] }, { zones: ['z.1'] }, { profile: 'fast' }],
  ];
  test.each(specs.map((spec) => ({ said: JSON.stringify(spec), spec: { size: '1Gi', ...spec } })))(
    '$said',
    async ({ spec }) => {
      const object = { apiVersion: 'holdfast.dev/v1alpha1', kind: 'Volume', metadata: { name: 'judged' }, spec };
      const isTaken = await cluster.client.create('Volume', object as never).then(
        () => true,
        (error: unknown) => {
          if (!isAppError(error, 'invalid')) throw error;
          return false;
        },
      );
      if (isTaken) await cluster.client.delete('Volume', 'judged');
      expect(isTaken).toBe(KINDS.Volume.schema.safeParse(object).success);
    },
  );
});

test('what has its copies keeps what cannot be changed', async () => {
  const { client } = cluster;
  await client.create('Volume', { metadata: { name: 'placed' }, spec: { size: '2Gi' } });
  const placement = [{ copy: 'c', node: 'n1', pool: 'default', role: 'data' }];
  await client.patch('Volume', 'placed', { status: { placement, grantedSize: '2Gi' } }, { subresource: 'status' });
  for (const spec of [
    { size: '1Gi' },
    { pool: 'other' },
    { brick: 'directory' },
    { layout: 'dispersed' },
    { encryption: true },
  ]) {
    await expect(client.patch('Volume', 'placed', { spec }), JSON.stringify(spec)).rejects.toMatchObject({
      kind: 'invalid',
    });
  }
  for (const spec of [{ size: '3Gi' }, { replicas: 5 }, { profile: 'shared' }, { zones: null }]) {
    await client.patch('Volume', 'placed', { spec });
  }
  await expect(client.patch('Volume', 'placed', { spec: { profile: 'large-files' } })).rejects.toMatchObject({
    kind: 'invalid',
  });
});

test('a share that an agent knows is not exchanged for another', async () => {
  const { client } = cluster;
  await client.create('Volume', { metadata: { name: 'shared' }, spec: { size: '1Gi', ...nfs, share } });
  await client.patch('Volume', 'shared', { spec: { share: { subDir: 'a' } } });
  await client.patch('Volume', 'shared', { status: { anchor: 'n1' } }, { subresource: 'status' });
  for (const spec of [{ share: { subDir: 'b' } }, { size: '2Gi' }, { engine: 'gluster', share: null }]) {
    await expect(client.patch('Volume', 'shared', { spec }), JSON.stringify(spec)).rejects.toMatchObject({
      kind: 'invalid',
    });
  }
  await client.patch('Volume', 'shared', { spec: { nodes: ['n1'] } });
});

test.each([
  { kind: 'VolumeSnapshotRecord', spec: { volume: 'v', volumeUid: 'u' }, other: { volume: 'w' } },
  {
    kind: 'FenceRecord',
    spec: { node: 'n', nodeUid: 'u', bootId: 'b', addresses: ['10.0.0.1'] },
    other: { addresses: ['10.0.0.2'] },
  },
  {
    kind: 'VolumeGroupSnapshotRecord',
    spec: { members: [{ volume: 'v', volumeUid: 'u', snapshot: 's' }] },
    other: { members: [{ volume: 'v', volumeUid: 'u', snapshot: 't' }] },
  },
] as const)('a $kind is of what it was made of', async ({ kind, spec, other }) => {
  const { client } = cluster;
  await client.create(kind, { metadata: { name: 'moment' }, spec });
  await expect(client.patch(kind, 'moment', { spec: other })).rejects.toMatchObject({ kind: 'invalid' });
  await client.patch(kind, 'moment', { spec });
});

test.each([
  '10.1.2.3',
  '10.1.0.0/16',
  '0.0.0.0/0',
  '10.1.2.3/16',
  '10.1.2.300',
  '010.1.2.3',
  '10.1.*.*',
  'fd00::1',
  '*',
  '',
])('client %j of an export is judged as by the embedded API', async (text) => {
  const spec = { volume: 'v', node: 'n1', mountPath: '/v', export: { id: 1, clients: [text] } };
  const object = { apiVersion: 'holdfast.dev/v1alpha1', kind: 'VolumeAttachmentRecord', metadata: { name: 'e' }, spec };
  const made = cluster.client.create('VolumeAttachmentRecord', object);
  if (!KINDS.VolumeAttachmentRecord.schema.safeParse(object).success) {
    await expect(made).rejects.toMatchObject({ kind: 'invalid' });
    return;
  }
  await made;
  await cluster.client.delete('VolumeAttachmentRecord', 'e');
});
