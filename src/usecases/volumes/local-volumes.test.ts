import { expect, test } from 'vitest';
import { createFakeCluster } from '../cluster.fake.ts';
import { addStaticVolume, type StaticVolumeRequest } from './add-static-volume.ts';

const ENGINES = ['gluster', 'local'].map((name) => ({ name, isInstalled: true, isRunning: true }));
const REQUEST: StaticVolumeRequest = {
  ...{ name: 'fast', size: '1Gi', engine: 'local', nodes: ['kube2'] },
  registration: { storageClass: 'kismatic', accessModes: ['ReadWriteOnce'], reclaimPolicy: 'Retain' },
};

async function twoNodes() {
  const cluster = await createFakeCluster();
  for (const name of ['kube1', 'kube2']) await cluster.addNode(name, { engines: ENGINES });
  return cluster;
}

test('a local volume is one copy on the node that is named, and offered to pods on that node only', async () => {
  const cluster = await twoNodes();
  const added = await addStaticVolume(cluster, REQUEST);
  expect(added).toMatchObject({ layout: 'single', placement: [{ node: 'kube2' }] });
  expect((await cluster.client.get('Volume', 'fast'))?.spec).toMatchObject({ engine: 'local', nodes: ['kube2'] });
  const placement = [{ copy: 'fast-0', node: 'kube2', pool: 'default', role: 'data' as const }];
  await cluster.makeReady('fast', { placement });
  expect(await addStaticVolume(cluster, REQUEST)).toMatchObject({ isRegistered: true });
  expect((await cluster.client.get('PersistentVolume', 'fast'))?.spec).toMatchObject({
    accessModes: ['ReadWriteOnce'],
    nodeAffinity: {
      required: {
        nodeSelectorTerms: [
          { matchExpressions: [{ key: 'topology.holdfast.dev/node', operator: 'In', values: ['kube2'] }] },
        ],
      },
    },
  });
});

test.each<[what: string, change: Partial<StaticVolumeRequest>]>([
  ['several copies', { replicas: 3 }],
  ['a profile', { profile: 'shared' }],
  ['allowed clients', { allowFrom: ['10.0.0.1'] }],
  ['a file system for a folder', { brick: 'directory', fsType: 'ext4' }],
  ['copies that may diverge', { allowSplitBrain: true }],
  ['an encrypted folder', { brick: 'directory', encryption: true }],
  ['an encrypted brick of GlusterFS in a folder', { engine: 'gluster', brick: 'directory', encryption: true }],
  ['pods on several nodes', { registration: { ...REQUEST.registration, accessModes: ['ReadWriteMany'] } }],
])('%s are refused, and nothing is created', async (_what, change) => {
  const cluster = await twoNodes();
  await expect(addStaticVolume(cluster, { ...REQUEST, ...change })).rejects.toMatchObject({
    kind: 'invalid',
    reason: 'EngineMismatch',
  });
  expect((await cluster.client.list('Volume')).items).toEqual([]);
});

test.each([
  ['XFS', { encryption: true, fsType: 'xfs' }, ['fscrypt']],
  ['a device', { encryption: true, brick: 'block' }, ['fscrypt']],
  ['what any node with encryption takes', { encryption: true }, []],
] as const)('%s that is to be encrypted names what its node lacks', async (_what, change, abilities) => {
  const cluster = await createFakeCluster();
  await cluster.addNode('kube2', {
    engines: [{ name: 'local', isInstalled: true, isRunning: true, abilities: [...abilities] }],
  });
  await expect(addStaticVolume(cluster, { ...REQUEST, ...change })).rejects.toMatchObject({
    kind: 'capacity',
    faults: [{ field: 'node kube2', message: expect.stringContaining('LUKS') }],
  });
  expect((await cluster.client.list('Volume')).items).toEqual([]);
});

test.each([
  [{ encryption: true }, ['fscrypt']],
  [{ encryption: true }, ['luks']],
  [{ encryption: true, brick: 'block' }, ['luks', 'fscrypt']],
  [{ encryption: true, fsType: 'btrfs' }, ['luks', 'btrfs']],
] as const)('%o is placed on a node that has %o', async (change, abilities) => {
  const cluster = await createFakeCluster();
  await cluster.addNode('kube2', {
    engines: [{ name: 'local', isInstalled: true, isRunning: true, abilities: [...abilities] }],
  });
  expect(await addStaticVolume(cluster, { ...REQUEST, ...change })).toMatchObject({ placement: [{ node: 'kube2' }] });
});

test.each<[field: string, change: Partial<StaticVolumeRequest>]>([
  ['brick', { brick: 'image' }],
  ['pool', { pool: 'default' }],
  ['zones', { zones: ['a'] }],
  ['layout', { layout: 'single' }],
  ['replicas', { replicas: 1 }],
  ['distribution', { distribution: 1 }],
  ['profile', { profile: 'shared' }],
  ['fsType', { fsType: 'ext4' }],
  ['encryption', { encryption: true }],
  ['allowSplitBrain', { allowSplitBrain: true }],
])('a share takes no %s: its file server decides that', async (field, change) => {
  const cluster = await createFakeCluster();
  await cluster.addNode('kube1', { engines: [{ name: 'nfs', isInstalled: true, isRunning: true }] });
  const { registration } = REQUEST;
  const request: StaticVolumeRequest = {
    ...{ name: 'files', size: '1Gi', engine: 'nfs', share: { server: 'files.example.com', path: '/export' } },
    registration: { ...registration, accessModes: ['ReadWriteMany'] },
  };
  await expect(addStaticVolume(cluster, { ...request, ...change })).rejects.toMatchObject({
    reason: 'EngineMismatch',
    message: expect.stringContaining(`${field} does not go with engine nfs`),
  });
  expect((await cluster.client.list('Volume')).items).toEqual([]);
  expect(await addStaticVolume(cluster, request)).toMatchObject({ name: 'files' });
});
