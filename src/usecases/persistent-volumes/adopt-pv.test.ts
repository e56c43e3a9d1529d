import { describe, expect, test } from 'vitest';
import { ADOPTED_AS_ANNOTATION, SAVED_CLAIM_ANNOTATION } from '../../domain/adopt/claim-move.ts';
import type { ResourceClient } from '../../ports/resource-client.ts';
import { createFakeCluster, type FakeCluster } from '../cluster.fake.ts';
import { adoptPv } from './adopt-pv.ts';

const SOURCES = {
  nfs: { nfs: { server: 'files', path: '/export' }, mountOptions: ['nfsvers=3'] },
  glusterfs: { glusterfs: { endpoints: 'pool', path: 'gv0' } },
} as const;
type Plugin = keyof typeof SOURCES;

const CLAIM = {
  metadata: {
    ...{ name: 'data', namespace: 'team', labels: { app: 'db' } },
    annotations: { 'pv.kubernetes.io/bind-completed': 'yes', note: 'ours' },
  },
  spec: {
    accessModes: ['ReadWriteMany'],
    resources: { requests: { storage: '1Gi' } },
    storageClassName: 'slow',
    volumeName: 'old',
  },
};

/** A cluster with a claim that is bound to a PersistentVolume of the plugin. */
async function withOld(plugin: Plugin, spec: object = {}): Promise<FakeCluster> {
  const cluster = await createFakeCluster();
  const { client } = cluster;
  const engine = plugin === 'nfs' ? 'nfs' : 'gluster';
  await cluster.addNode('kube1', { engines: [{ name: engine, isInstalled: true, isRunning: true }] });
  await client.create('PersistentVolume', {
    metadata: { name: 'old' },
    spec: {
      ...{ capacity: { storage: '1Gi' }, accessModes: ['ReadWriteMany'], storageClassName: 'slow' },
      ...{ persistentVolumeReclaimPolicy: 'Delete', claimRef: { namespace: 'team', name: 'data', uid: 'first' } },
      ...{ ...SOURCES[plugin], ...spec },
    },
  });
  await client.create('PersistentVolumeClaim', CLAIM, { namespace: 'team' });
  if (plugin === 'nfs') return cluster;
  await client.create('Volume', { metadata: { name: 'gv0' }, spec: { size: '1Gi', layout: 'single', replicas: 1 } });
  await cluster.makeReady('gv0');
  const endpoints = [{ addresses: ['10.91.0.1'] }];
  const labels = { 'kubernetes.io/service-name': 'pool' };
  await client.create(
    'EndpointSlice',
    { metadata: { name: 'pool-1', labels }, addressType: 'IPv4', endpoints },
    { namespace: 'team' },
  );
  return cluster;
}

/** Does what the controllers of Kubernetes and of Holdfast do, at once. */
function served({ client, makeReady }: FakeCluster): ResourceClient {
  return {
    ...client,
    create: async (kind, object, scope) => {
      const created = await client.create(kind, object, scope);
      if (kind === 'Volume') await makeReady(created.metadata.name, { placement: [] });
      if (kind === 'PersistentVolumeClaim') {
        const status = { status: { phase: 'Bound' } };
        await client.patch('PersistentVolumeClaim', created.metadata.name, status, {
          namespace: 'team',
          subresource: 'status',
        });
      }
      return created;
    },
  };
}

const OPTIONS = { isDryRun: false, isConfirmed: false, waitMs: 1000, signal: new AbortController().signal };
const claimOf = (client: ResourceClient) => client.get('PersistentVolumeClaim', 'data', { namespace: 'team' });

const TARGETS = { nfs: 'old-holdfast', glusterfs: 'gv0' } as const;
const PLUGINS = ['nfs', 'glusterfs'] as const;

describe.for(PLUGINS)('a PersistentVolume of %s', (plugin) => {
  const target = TARGETS[plugin];

  test('is adopted: its claim is the same by its words, on a new one that leads to the same data', async () => {
    const cluster = await withOld(plugin);
    const client = served(cluster);
    const adopted = await adoptPv({ client, clock: cluster.clock }, 'old', OPTIONS);
    expect(adopted).toMatchObject({ adoptedAs: target, claim: 'team/data', isOldDeleted: false });
    const { metadata, spec } = (await claimOf(client)) ?? {};
    expect(spec).toEqual({ ...CLAIM.spec, volumeName: target });
    expect(metadata).toMatchObject({ labels: { app: 'db' }, annotations: { note: 'ours' } });
    expect((await client.get('PersistentVolume', target))?.spec).toMatchObject({
      ...{ csi: { driver: 'csi.holdfast.dev', volumeHandle: target }, storageClassName: 'slow' },
      ...{ persistentVolumeReclaimPolicy: 'Retain', claimRef: { namespace: 'team', name: 'data' } },
    });
    expect((await client.get('PersistentVolume', 'old'))?.spec.persistentVolumeReclaimPolicy).toBe('Retain');
    if (plugin === 'nfs') {
      const share = { server: 'files', path: '/export', mountOptions: ['nfsvers=3'] };
      expect((await client.get('Volume', target))?.spec.share).toEqual(share);
    }
  });

  test('a dry run says the steps and changes nothing; confirmed, the old one goes, and not before', async () => {
    const cluster = await withOld(plugin);
    const deps = { client: served(cluster), clock: cluster.clock };
    const before = cluster.client.version();
    const { steps } = await adoptPv(deps, 'old', { ...OPTIONS, isDryRun: true });
    expect(steps.at(0)).toBe('keepOld');
    expect(steps.at(-1)).toBe('awaitBinding');
    await expect(adoptPv(deps, 'old', { ...OPTIONS, isConfirmed: true })).rejects.toMatchObject({
      reason: 'NotAdoptedYet',
    });
    expect(cluster.client.version()).toBe(before);
    await adoptPv(deps, 'old', OPTIONS);
    expect((await adoptPv(deps, 'old', { ...OPTIONS, isDryRun: true })).steps).toEqual([]);
    expect(await adoptPv(deps, 'old', { ...OPTIONS, isConfirmed: true })).toMatchObject({
      isOldDeleted: true,
      steps: [],
    });
    expect(await deps.client.get('PersistentVolume', 'old')).toBeUndefined();
    expect((await claimOf(deps.client))?.spec.volumeName).toBe(target);
  });

  test('is left alone while a pod has its claim; ended and waiting pods do not count', async () => {
    const cluster = await withOld(plugin);
    const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }];
    const pod = async (name: string, nodeName: object, phase: string) => {
      const spec = { volumes, ...nodeName };
      await cluster.client.create('Pod', { metadata: { name }, spec }, { namespace: 'team' });
      const status = { status: { phase } };
      await cluster.client.patch('Pod', name, status, { namespace: 'team', subresource: 'status' });
    };
    await pod('ended', { nodeName: 'kube1' }, 'Succeeded');
    await pod('waiting', {}, 'Pending');
    await pod('writer', { nodeName: 'kube1' }, 'Running');
    const deps = { client: served(cluster), clock: cluster.clock };
    const before = cluster.client.version();
    await expect(adoptPv(deps, 'old', OPTIONS)).rejects.toThrow(
      'its claim team/data is in use by writer; nothing was changed',
    );
    expect(cluster.client.version()).toBe(before);
    await cluster.client.delete('Pod', 'writer', { namespace: 'team' });
    await adoptPv(deps, 'old', OPTIONS);
  });

  test.for(['before', 'after'] as const)('goes on wherever it stopped: %s each change', async (when) => {
    let changes = 1;
    for (let stop = 1; stop <= changes; stop += 1) {
      const cluster = await withOld(plugin);
      const client = served(cluster);
      const crashing = crashAt(client, { stop, when }, async () => expectSafe(client));
      await expect(adoptPv({ client: crashing, clock: cluster.clock }, 'old', OPTIONS)).rejects.toThrow('crash');
      await expectSafe(client);
      const rest = crashAt(client, { stop: Number.POSITIVE_INFINITY, when }, async () => expectSafe(client));
      await adoptPv({ client: rest, clock: cluster.clock }, 'old', OPTIONS);
      expect((await claimOf(client))?.spec).toEqual({ ...CLAIM.spec, volumeName: target });
      const whole = await countChanges(plugin);
      changes = whole;
    }
    expect(changes).toBeGreaterThanOrEqual(4);
  });

  /** What is true at every moment. */
  async function expectSafe(client: ResourceClient): Promise<void> {
    const [old, claim, offered] = await Promise.all([
      client.get('PersistentVolume', 'old'),
      claimOf(client),
      client.get('PersistentVolume', target),
    ]);
    expect(old).toBeDefined();
    if (claim?.spec.volumeName === 'old') return;
    expect(old?.spec.persistentVolumeReclaimPolicy).toBe('Retain');
    expect(old?.metadata.annotations?.[ADOPTED_AS_ANNOTATION]).toBe(target);
    expect(JSON.parse(offered?.metadata.annotations?.[SAVED_CLAIM_ANNOTATION] ?? '{}')).toMatchObject({
      metadata: { name: 'data' },
    });
  }
});

async function countChanges(plugin: Plugin): Promise<number> {
  const cluster = await withOld(plugin);
  let count = 0;
  const counting = crashAt(served(cluster), { stop: Number.POSITIVE_INFINITY, when: 'after' }, async () => {
    count += 1;
  });
  await adoptPv({ client: counting, clock: cluster.clock }, 'old', OPTIONS);
  return count;
}

/** Ends with an error before or after the change of this number. */
function crashAt(
  client: ResourceClient,
  { stop, when }: { readonly stop: number; readonly when: 'before' | 'after' },
  changed: () => Promise<void>,
): ResourceClient {
  let count = 0;
  const change = async <T>(work: () => Promise<T>): Promise<T> => {
    count += 1;
    if (count === stop && when === 'before') throw new Error('crash');
    const result = await work();
    await changed();
    if (count === stop) throw new Error('crash');
    return result;
  };
  return {
    ...client,
    create: (...args) => change(() => client.create(...args)),
    patch: (...args) => change(() => client.patch(...args)),
    delete: (...args) => change(() => client.delete(...args)),
  };
}

describe('what cannot be adopted', () => {
  test.for([
    ['no claim', { claimRef: undefined }, 'no claim is bound to it'],
    ['read-only', { nfs: { server: 'files', path: '/export', readOnly: true } }, 'it is read-only'],
    ['another plugin', { nfs: undefined, hostPath: { path: '/x' } }, 'it is neither'],
    [
      'an access mode that only CSI has',
      { accessModes: ['ReadWriteOncePod'] },
      'its access modes or its size cannot be kept',
    ],
  ] as const)('%s', async ([, spec, why]) => {
    const cluster = await withOld('nfs', spec);
    await expect(adoptPv(cluster, 'old', OPTIONS)).rejects.toThrow(why);
  });

  test('a volume of GlusterFS that is no Volume, or of which it is not proven', async () => {
    const unknown = await withOld('glusterfs', { glusterfs: { endpoints: 'pool', path: 'gv1' } });
    await expect(adoptPv(unknown, 'old', OPTIONS)).rejects.toThrow('no Volume is the volume gv1 of GlusterFS');
    const folder = await withOld('glusterfs', { glusterfs: { endpoints: 'pool', path: 'gv0/team' } });
    await expect(adoptPv(folder, 'old', OPTIONS)).rejects.toThrow('is not a whole volume');
    const elsewhere = await withOld('glusterfs', { glusterfs: { endpoints: 'other', path: 'gv0' } });
    await expect(adoptPv(elsewhere, 'old', OPTIONS)).rejects.toThrow('its endpoints team/other are not there');
    const said = { client: served(elsewhere), clock: elsewhere.clock };
    expect(await adoptPv(said, 'old', { ...OPTIONS, volume: 'gv0' })).toMatchObject({ adoptedAs: 'gv0' });
  });
});
