import { describe, expect, test } from 'vitest';
import { createFakeCluster, type FakeCluster } from '../cluster.fake.ts';
import { addVolume } from '../volumes/add-volume.ts';
import { sentenceOf, troubleOf } from './claim-words.ts';
import { explainClaimOf } from './explain-claim.ts';

const NODES = ['kube1', 'kube2', 'kube3'];
const ENGINES = { engines: ['gluster', 'local'].map((name) => ({ name, isInstalled: true, isRunning: true })) };

interface ClassWish {
  readonly parameters?: Record<string, string>;
  readonly provisioner?: string;
  readonly volumeBindingMode?: string;
  readonly annotations?: Record<string, string>;
}

interface ClaimWish {
  readonly spec?: Record<string, unknown>;
  readonly size?: string;
  readonly phase?: string;
  readonly annotations?: Record<string, string>;
}

async function createWorld() {
  const cluster = await createFakeCluster();
  for (const node of NODES) await cluster.addNode(node, ENGINES);
  const { client, clock } = cluster;
  return {
    ...cluster,
    addClass: (name: string, { annotations = {}, ...rest }: ClassWish = {}) =>
      client.create('StorageClass', { metadata: { name, annotations }, provisioner: 'csi.holdfast.dev', ...rest }),
    addClaim: async (storageClassName: string | undefined, wish: ClaimWish = {}) => {
      const { spec, size = '1Gi', phase = 'Pending', annotations = {} } = wish;
      const own = {
        ...{ accessModes: ['ReadWriteOnce'], resources: { requests: { storage: size } } },
        ...(storageClassName === undefined ? {} : { storageClassName }),
        ...spec,
      };
      const scope = { namespace: 'default' };
      const metadata = { name: 'data', namespace: 'default', annotations };
      const claim = await client.create('PersistentVolumeClaim', { metadata, spec: own }, scope);
      await client.patch('PersistentVolumeClaim', 'data', { status: { phase } }, { ...scope, subresource: 'status' });
      return `pvc-${claim.metadata.uid}`;
    },
    addPod: async (name: string, message?: string) => {
      const scope = { namespace: 'default' };
      const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }];
      await client.create('Pod', { metadata: { name, namespace: 'default' }, spec: { volumes } }, scope);
      const scheduled = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message };
      const conditions = message === undefined ? [] : [scheduled];
      const status = { phase: 'Pending', conditions };
      await client.patch('Pod', name, { status }, { ...scope, subresource: 'status' });
    },
    explain: () => explainClaimOf({ client, clock }, 'data'),
  };
}

async function addPersistentVolume({ client }: FakeCluster, name: string, spec: Record<string, unknown>) {
  await client.create('PersistentVolume', {
    metadata: { name },
    spec: {
      ...{ storageClassName: 'kismatic', accessModes: ['ReadWriteMany'], capacity: { storage: '10Gi' } },
      ...{ csi: { driver: 'csi.holdfast.dev', volumeHandle: name }, ...spec },
    },
  });
}

describe('a claim of a class of ours', () => {
  test('that fits nowhere has each node with its reason, and the change that would help', async () => {
    const world = await createWorld();
    await world.addClass('fast', { parameters: { engine: 'local' } });
    await world.addClaim('fast', { size: '20Gi' });
    const explained = await world.explain();
    expect(explained).toMatchObject({ claim: 'default/data', phase: 'Pending', reason: 'NoPlaceForVolume' });
    expect(explained.details).toHaveLength(3);
    expect(explained.details[0]).toMatch(/^node kube1: .*20.*GiB/);
    expect(explained.message).not.toContain('nothing was created');
    expect(troubleOf(explained)).toBe('NoPlaceForVolume');
    expect(sentenceOf(explained)).toContain('node kube3: ');
  });

  test.each([
    ['a parameter that is none', { parameters: { replica: '3' } }, {}, /did you mean replicas/],
    ['what does not go together', { parameters: { engine: 'local' } }, { accessModes: ['ReadWriteMany'] }, /MultiNode/],
  ])('with %s says what', async (_what, wish, spec, expected) => {
    const world = await createWorld();
    await world.addClass('odd', wish);
    await world.addClaim('odd', { spec });
    const explained = await world.explain();
    expect(explained.reason).toBe('ClaimCannotBeFollowed');
    expect(sentenceOf(explained)).toMatch(expected);
  });

  test('waits for a pod, then for the scheduler, and says where it would fit', async () => {
    const world = await createWorld();
    await world.addClass('fast', { parameters: { engine: 'local' }, volumeBindingMode: 'WaitForFirstConsumer' });
    await world.addClaim('fast');
    expect(await world.explain()).toMatchObject({ reason: 'WaitsForPod', pods: [] });
    await world.addPod('web', '0/3 nodes are available');
    const explained = await world.explain();
    expect(explained).toMatchObject({ reason: 'PodNotScheduled', pods: ['web'] });
    expect(sentenceOf(explained)).toBe(
      'pod web is not scheduled: 0/3 nodes are available (a volume for the claim would fit on kube1, kube2, kube3: let the pod run there)',
    );
  });

  test('looks at the node that the scheduler has chosen, and at no other', async () => {
    const world = await createWorld();
    await world.addNode('kube4', { ...ENGINES, pools: [] });
    await world.addClass('fast', { parameters: { engine: 'local' }, volumeBindingMode: 'WaitForFirstConsumer' });
    await world.addClaim('fast', { annotations: { 'volume.kubernetes.io/selected-node': 'kube4' } });
    const { reason, details } = await world.explain();
    expect(reason).toBe('NoPlaceForVolume');
    expect(details.find((detail) => detail.startsWith('node kube4'))).toMatch(/pool/);
  });

  test('waits for external-provisioner while it would fit, and is told of as its volume after that', async () => {
    const world = await createWorld();
    await world.addClass('shared', { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } });
    const name = await world.addClaim(undefined);
    expect(await world.explain()).toMatchObject({ reason: 'WaitsForProvisioner', storageClass: 'shared' });
    await addVolume(world, { name, size: '1Gi' });
    expect(await world.explain()).toMatchObject({ reason: 'VolumeGettingReady', volume: name });
    await world.clock.advance(120_000);
    expect(troubleOf(await world.explain())).toBe('VolumeNotReady');
    await world.makeReady(name);
    expect(await world.explain()).toMatchObject({ reason: 'WaitsForBinder', volume: name });
  });

  test('has no place with a volume that has none', async () => {
    const world = await createWorld();
    await world.addClass('shared');
    const name = await world.addClaim('shared');
    await addVolume(world, { name, size: '1Gi' });
    const condition = { type: 'Ready', status: 'False', reason: 'NoPlaceForCopies', message: 'no node has room' };
    const conditions = [{ ...condition, lastTransitionTime: '2026-01-01T00:00:00Z' }];
    await world.client.patch(
      'Volume',
      name,
      { status: { phase: 'Pending', conditions } },
      {
        subresource: 'status',
      },
    );
    expect(sentenceOf(await world.explain())).toBe(
      `volume ${name} has no place: no node has room (for all of it see: holdfast explain volume ${name})`,
    );
  });
});

describe('a claim that is bound to what is there', () => {
  test('has each PersistentVolume of its class with what is in the way', async () => {
    const world = await createWorld();
    await addPersistentVolume(world, 'small', { capacity: { storage: '512Mi' } });
    await addPersistentVolume(world, 'taken', { claimRef: { namespace: 'shop', name: 'cart', uid: 'u' } });
    await addPersistentVolume(world, 'once', { accessModes: ['ReadWriteOnce'] });
    await addPersistentVolume(world, 'device', { volumeMode: 'Block' });
    await addPersistentVolume(world, 'stranger', { storageClassName: 'other' });
    await world.addClaim('kismatic', { spec: { accessModes: ['ReadWriteMany'] } });
    const explained = await world.explain();
    expect(explained.reason).toBe('NoVolumeMatches');
    expect([...explained.details].toSorted()).toEqual([
      'device is of volumeMode Block',
      'once cannot be used as ReadWriteMany',
      'small has 512Mi, less than 1Gi',
      'taken is kept for claim shop/cart',
    ]);
    await addPersistentVolume(world, 'fits', {});
    expect(await world.explain()).toMatchObject({ reason: 'WaitsForBinder' });
  });

  test.each<[what: string, of: string | undefined, reason: string, hint: RegExp]>([
    ['no class', undefined, 'NoClass', /fast/],
    ['an unknown class', 'fats', 'ClassNotFound', /did you mean fast/],
    ['a class of others', 'ceph', 'OtherProvisioner', /^$/],
  ])('with %s', async (_what, of, reason, hint) => {
    const world = await createWorld();
    await world.addClass('fast');
    await world.addClass('ceph', { provisioner: 'rbd.csi.ceph.com' });
    await world.addClaim(of);
    const explained = await world.explain();
    expect(explained.reason).toBe(reason);
    expect(explained.hint ?? '').toMatch(hint);
    expect(troubleOf(explained)).toBeUndefined();
  });

  test('leads to its volume when it is bound', async () => {
    const world = await createWorld();
    await addPersistentVolume(world, 'gv0', {});
    await world.addClaim('kismatic', { phase: 'Bound', spec: { volumeName: 'gv0' } });
    expect(await world.explain()).toMatchObject({ reason: 'Bound', volume: 'gv0' });
  });
});

test.each([
  ['daat', { kind: 'notFound', hint: 'did you mean default/data?' }],
  ['a/b/c', { kind: 'invalid' }],
  ['/data', { kind: 'invalid' }],
])('%s names no claim', async (name, expected) => {
  const world = await createWorld();
  await world.addClaim('any');
  await expect(explainClaimOf(world, name)).rejects.toMatchObject(expected);
});
