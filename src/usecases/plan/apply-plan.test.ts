import { describe, expect, test } from 'vitest';
import { AppError } from '../../domain/errors.ts';
import { ATTACHMENT_FINALIZER, VOLUME_FINALIZER } from '../../domain/finalizers.ts';
import type { ResourceClient } from '../../ports/resource-client.ts';
import { PlanFile } from '../../schemas/plan-file.ts';
import { createFakeCluster } from '../cluster.fake.ts';
import { applyPlan } from './apply-plan.ts';

const pools = [{ name: 'default', path: '/mnt/glusterVolume0', device: '/dev/vdb' }];
const PLAN = {
  storage: {
    expected_count: 3,
    nodes: [
      { host: 'kube1.example.com', ip: '10.91.0.1', zone: 'a', labels: { disk: 'ssd' }, pools },
      { host: 'kube2', ip: '10.91.0.2', pools },
      { host: 'kube3', ip: '10.91.0.3', pools },
    ],
  },
  volumes: [{ name: 'gv0', size: '1Gi', mount: { path: '/data', nodes: 'all' } }],
};

type PlanInput = Record<string, unknown>;
const plan = (changes: PlanInput = {}) => PlanFile.parse({ ...structuredClone(PLAN), ...changes });
const actions = (applied: Awaited<ReturnType<typeof applyPlan>>) =>
  applied.changes.map(({ action, kind, name }) => `${action} ${kind} ${name}`);

describe('applyPlan', () => {
  test('creates everything in order, with finalizers', async () => {
    const { client } = await createFakeCluster();
    const applied = await applyPlan({ client }, plan());
    expect(actions(applied)).toEqual([
      'create StorageNode kube1',
      'create StorageNode kube2',
      'create StorageNode kube3',
      'create StorageCluster default',
      'create Volume gv0',
      'create VolumeAttachmentRecord gv0.kube1',
      'create VolumeAttachmentRecord gv0.kube2',
      'create VolumeAttachmentRecord gv0.kube3',
      'create Namespace kube-system',
      'create Service kismatic-storage',
      'create EndpointSlice kismatic-storage-ipv4',
    ]);
    const node = await client.get('StorageNode', 'kube1');
    expect(node?.spec).toEqual({ addresses: { ip: '10.91.0.1' }, zone: 'a', pools });
    expect(node?.metadata.annotations).toEqual({ 'holdfast.dev/host': 'kube1.example.com' });
    const volume = await client.get('Volume', 'gv0');
    expect(volume?.metadata.finalizers).toEqual([VOLUME_FINALIZER]);
    expect(volume?.spec).toMatchObject({ size: '1Gi', layout: 'replicated', replicas: 3, brick: 'image' });
    const record = await client.get('VolumeAttachmentRecord', 'gv0.kube2');
    expect(record?.metadata.finalizers).toEqual([ATTACHMENT_FINALIZER]);
    expect(record?.spec).toEqual({ volume: 'gv0', node: 'kube2', mountPath: '/data', isReadOnly: false });
  });

  test('a machine that is registered by its whole host name keeps it; one that has both names is the short one', async () => {
    const { client } = await createFakeCluster();
    const full = 'kube1.example.com';
    await client.create('StorageNode', {
      metadata: { name: full },
      spec: { addresses: { ip: '10.91.0.1' }, pools: [] },
    });
    const volumes = [{ ...PLAN.volumes[0], nodes: ['kube1.example.com', 'kube2', 'kube3'] }];
    const applied = await applyPlan({ client }, plan({ volumes }));
    expect(actions(applied).filter((each) => each.includes('kube1'))).toEqual([
      `update StorageNode ${full}`,
      `create VolumeAttachmentRecord gv0.node.${full}`,
    ]);
    expect((await client.get('Volume', 'gv0'))?.spec.nodes).toEqual([full, 'kube2', 'kube3']);
    expect((await client.get('StorageCluster', 'default'))?.spec.nodes).toEqual([full, 'kube2', 'kube3']);
    expect((await client.get('VolumeAttachmentRecord', `gv0.node.${full}`))?.spec.node).toBe(full);
    const both = await createFakeCluster();
    await applyPlan(both, plan());
    await both.client.create('StorageNode', {
      metadata: { name: full },
      spec: { addresses: { ip: '10.91.0.1' }, pools: [] },
    });
    const again = await applyPlan(both, plan());
    expect(new Set(again.changes.map(({ action }) => action))).toEqual(new Set(['unchanged']));
  });

  test('writes although the status of a node changes each time just before', async () => {
    const { client } = await createFakeCluster();
    await applyPlan({ client }, plan());
    let races = 12;
    const racing: ResourceClient = {
      ...client,
      patch: async (kind, name, patch, options) => {
        if (kind === 'StorageNode' && races > 0) {
          races -= 1;
          await client.patch(kind, name, { status: { bootId: `boot-${races}` } }, { subresource: 'status' });
        }
        return client.patch(kind, name, patch, options);
      },
    };
    const [first, ...others] = PLAN.storage.nodes;
    const nodes = [{ ...first, zone: 'b' }, ...others];
    const applied = await applyPlan({ client: racing }, plan({ storage: { ...PLAN.storage, nodes } }));
    expect(races).toBe(0);
    expect(actions(applied).filter((action) => action.startsWith('update'))).toEqual(['update StorageNode kube1']);
    expect(await client.get('StorageNode', 'kube1')).toMatchObject({
      spec: { zone: 'b' },
      status: { bootId: 'boot-0' },
    });
  });

  test('decides anew about a node whose spec was changed by somebody else just before', async () => {
    const { client } = await createFakeCluster();
    await applyPlan({ client }, plan());
    let isRaced = false;
    const racing: ResourceClient = {
      ...client,
      patch: async (kind, name, patch, options) => {
        if (kind === 'StorageNode' && !isRaced) {
          isRaced = true;
          await client.patch(kind, name, { spec: { zone: 'b', isCordoned: true } });
        }
        return client.patch(kind, name, patch, options);
      },
    };
    const [first, ...others] = PLAN.storage.nodes;
    const nodes = [{ ...first, zone: 'b' }, ...others];
    const applied = await applyPlan({ client: racing }, plan({ storage: { ...PLAN.storage, nodes } }));
    expect(actions(applied).filter((action) => action.startsWith('update'))).toEqual([]);
    expect((await client.get('StorageNode', 'kube1'))?.spec).toMatchObject({ zone: 'b', isCordoned: true });
  });

  test('applied again it changes nothing', async () => {
    const { client } = await createFakeCluster();
    await applyPlan({ client }, plan());
    const before = client.version();
    const again = await applyPlan({ client }, plan());
    expect(new Set(again.changes.map((change) => change.action))).toEqual(new Set(['unchanged']));
    expect(client.version()).toBe(before);
  });

  test('a dry run tells the same and writes nothing', async () => {
    const { client } = await createFakeCluster();
    const before = client.version();
    const dry = await applyPlan({ client }, plan(), { isDryRun: true });
    expect(client.version()).toBe(before);
    expect(actions(dry)).toEqual(actions(await applyPlan({ client }, plan())));
  });

  test('updates what differs and keeps what the plan does not name', async () => {
    const { client } = await createFakeCluster();
    await applyPlan({ client }, plan());
    const extra = { name: 'fast', path: '/mnt/fast' };
    await client.patch('StorageNode', 'kube2', { spec: { isCordoned: true, pools: [...pools, extra] } });
    const [first, second] = PLAN.storage.nodes;
    const nodes = [
      { ...first, zone: undefined },
      { ...second, ip: '10.91.0.22' },
      { host: 'kube4', ip: '10.91.0.4', pools },
    ];
    const volumes = [{ ...PLAN.volumes[0], allow: ['10.10.*.*'], replicas: 3 }];
    const applied = await applyPlan({ client }, plan({ storage: { expected_count: 3, nodes }, volumes }));
    expect(actions(applied)).toEqual([
      'update StorageNode kube1',
      'update StorageNode kube2',
      'create StorageNode kube4',
      'update StorageCluster default',
      'update Volume gv0',
      'unchanged VolumeAttachmentRecord gv0.kube1',
      'unchanged VolumeAttachmentRecord gv0.kube2',
      'create VolumeAttachmentRecord gv0.kube4',
      'unchanged Service kismatic-storage',
      'update EndpointSlice kismatic-storage-ipv4',
    ]);
    expect(applied.changes[0]?.fields).toEqual([{ field: 'spec.zone', from: 'a', to: undefined }]);
    expect(applied.changes[2]?.fields).toEqual([]);
    expect((await client.get('StorageNode', 'kube1'))?.spec.zone).toBeUndefined();
    expect((await client.get('StorageNode', 'kube2'))?.spec).toEqual({
      addresses: { ip: '10.91.0.22' },
      isCordoned: true,
      pools: [...pools, extra],
    });
    expect((await client.get('StorageCluster', 'default'))?.spec.nodes).toEqual(['kube1', 'kube2', 'kube3', 'kube4']);
    expect((await client.get('Volume', 'gv0'))?.spec.allowFrom).toEqual(['10.10.*.*']);
  });

  test('what cannot be changed is refused, all of it at once, before anything is written', async () => {
    const { client } = await createFakeCluster();
    await applyPlan({ client }, plan());
    await client.create('VolumeCopy', {
      metadata: { name: 'c' },
      spec: {
        volume: 'gv0',
        volumeUid: 'u',
        node: 'kube3',
        pool: 'default',
        role: 'data',
        index: 0,
        engine: 'gluster',
        brick: 'image',
        sizeBytes: 1,
      },
    });
    const before = client.version();
    const moved = [{ name: 'default', path: '/elsewhere' }];
    const [first, second, third] = PLAN.storage.nodes;
    const nodes = [{ ...first, zone: 'z' }, second, { ...third, pools: moved }];
    const volumes = [{ name: 'gv0', size: '512Mi', layout: 'arbiter', mount: { path: '/other', nodes: ['kube1'] } }];
    const attempt = applyPlan({ client }, plan({ storage: { expected_count: 3, nodes }, volumes }));
    const error = await attempt.then(
      () => undefined,
      (thrown: unknown) => thrown as AppError,
    );
    expect(error?.kind).toBe('precondition');
    expect(error?.faults.map((fault) => `${fault.field}: ${fault.message}`)).toEqual([
      'node kube3 pool default: holds 1 copy at /mnt/glusterVolume0 (/dev/vdb) and cannot be moved to /elsewhere; keep the pool as it is, or add another one',
      'volume gv0 layout: is replicated and the plan says arbiter; this version does not change that, keep replicated in the plan',
      'volume gv0 replicas: is 3 and the plan says 2; this version does not change that, keep 3 in the plan',
      'volume gv0 size: is 1Gi and the plan says 512Mi; volumes grow and never shrink, keep 1Gi in the plan',
      'volume gv0 mount on kube1: is at /data and the plan says /other; unmount it there first',
    ]);
    expect(client.version()).toBe(before);
  });

  test('a plan that says more grows a volume, and a profile is set and taken away, but for large-files', async () => {
    const { client } = await createFakeCluster();
    await applyPlan({ client }, plan());
    const [volume] = PLAN.volumes;
    const said = (changes: object) => applyPlan({ client }, plan({ volumes: [{ ...volume, ...changes }] }));
    await said({ size: '2Gi', profile: 'shared' });
    expect((await client.get('Volume', 'gv0'))?.spec).toMatchObject({ size: '2Gi', profile: 'shared' });
    await said({ size: '2Gi' });
    expect((await client.get('Volume', 'gv0'))?.spec.profile).toBeUndefined();
    await expect(said({ size: '2Gi', profile: 'large-files' })).rejects.toMatchObject({
      faults: [{ field: 'volume gv0 profile', message: expect.stringContaining('from the creation of a volume on') }],
    });
  });

  test('a pool without copies may move: a typing error in a device can be corrected', async () => {
    const { client } = await createFakeCluster();
    await applyPlan({ client }, plan());
    const nodes = PLAN.storage.nodes.map((node) => ({ ...node, pools: [{ ...pools[0], device: '/dev/vdc' }] }));
    await applyPlan({ client }, plan({ storage: { expected_count: 3, nodes } }));
    expect((await client.get('StorageNode', 'kube1'))?.spec.pools[0]?.device).toBe('/dev/vdc');
  });

  test('what is being deleted is not written to', async () => {
    const { client } = await createFakeCluster();
    await applyPlan({ client }, plan());
    await client.delete('Volume', 'gv0');
    await expect(applyPlan({ client }, plan())).rejects.toMatchObject({
      faults: [{ field: 'volume gv0', message: 'is being deleted; apply the plan when it is gone' }],
    });
  });

  test('somebody who writes the same plan at the same time is no failure', async () => {
    const { client } = await createFakeCluster();
    let isFirst = true;
    const racing: ResourceClient = {
      ...client,
      create: async (kind, object, scope) => {
        if (isFirst) {
          isFirst = false;
          await applyPlan({ client }, plan());
        }
        return client.create(kind, object, scope);
      },
    };
    const applied = await applyPlan({ client: racing }, plan());
    expect(new Set(applied.changes.map((change) => change.action))).toEqual(new Set(['unchanged']));
  });

  test('a server that goes away half way is told, and applying again finishes', async () => {
    const { client } = await createFakeCluster();
    const failing: ResourceClient = {
      ...client,
      create: async (kind, object, scope) => {
        if (kind === 'Volume') throw new AppError('unavailable', 'the API server does not answer');
        return client.create(kind, object, scope);
      },
    };
    await expect(applyPlan({ client: failing }, plan())).rejects.toMatchObject({ kind: 'unavailable' });
    const again = await applyPlan({ client }, plan());
    expect(actions(again).filter((action) => action.startsWith('create'))).toHaveLength(7);
  });
});

describe('the Service of the storage nodes', () => {
  const inSystem = { namespace: 'kube-system' };
  const addresses = async (client: ResourceClient, name: string) =>
    (await client.get('EndpointSlice', name, inSystem))?.endpoints.flatMap((endpoint) => endpoint.addresses);

  test("has Kismatic's name and ports and leads to every storage node", async () => {
    const { client } = await createFakeCluster();
    await applyPlan({ client }, plan());
    const service = await client.get('Service', 'kismatic-storage', inSystem);
    expect(service?.spec.ports?.map(({ port }) => port)).toEqual([111, 2049, 38465, 38466, 38468, 38469]);
    expect(service?.spec.selector).toBeUndefined();
    const slice = await client.get('EndpointSlice', 'kismatic-storage-ipv4', inSystem);
    expect(slice?.metadata.labels).toMatchObject({ 'kubernetes.io/service-name': 'kismatic-storage' });
    expect(slice?.ports).toEqual(service?.spec.ports);
    expect(await addresses(client, 'kismatic-storage-ipv4')).toEqual(['10.91.0.1', '10.91.0.2', '10.91.0.3']);
  });

  test('has a slice per address family, prefers the address between nodes, and keeps nodes that no plan names', async () => {
    const { client } = await createFakeCluster(['kube9']);
    const [first, second] = PLAN.storage.nodes;
    const nodes = [
      { ...first, internalip: '192.168.0.1' },
      { ...second, ip: 'fd00::2' },
    ];
    await applyPlan({ client }, plan({ storage: { expected_count: 2, nodes }, volumes: [] }));
    expect(await addresses(client, 'kismatic-storage-ipv4')).toEqual(['10.91.0.9', '192.168.0.1']);
    expect(await addresses(client, 'kismatic-storage-ipv6')).toEqual(['fd00::2']);
  });

  test('what the API server adds to it is no difference', async () => {
    const { client } = await createFakeCluster();
    await applyPlan({ client }, plan());
    const service = await client.get('Service', 'kismatic-storage', inSystem);
    const ports = service?.spec.ports?.map((port) => ({ ...port, targetPort: port.port }));
    const spec = { clusterIP: '10.3.0.7', sessionAffinity: 'None', ports };
    await client.patch('Service', 'kismatic-storage', { spec }, inSystem);
    const before = client.version();
    await applyPlan({ client }, plan());
    expect(client.version()).toBe(before);
  });

  test("Kismatic's own is taken over only when somebody says so", async () => {
    const { client } = await createFakeCluster();
    const spec = { selector: { app: 'gluster-healthz' }, ports: [{ name: 'nfs', port: 2049 }] };
    await client.create('Service', { metadata: { name: 'kismatic-storage' }, spec }, inSystem);
    const before = client.version();
    await expect(applyPlan({ client }, plan())).rejects.toMatchObject({
      kind: 'precondition',
      faults: [
        {
          field: 'service kube-system/kismatic-storage',
          message:
            'exists and was not made by Holdfast; delete it, or let Holdfast take it over: kubectl -n kube-system label service kismatic-storage app.kubernetes.io/managed-by=holdfast --overwrite',
        },
      ],
    });
    expect(client.version()).toBe(before);
    const labels = { 'app.kubernetes.io/managed-by': 'holdfast' };
    await client.patch('Service', 'kismatic-storage', { metadata: { labels } }, inSystem);
    await applyPlan({ client }, plan());
    const taken = await client.get('Service', 'kismatic-storage', inSystem);
    expect(taken?.spec.selector).toBeUndefined();
    expect(taken?.spec.ports).toHaveLength(6);
  });

  test('a plan without machines for a cluster without machines makes none', async () => {
    const { client } = await createFakeCluster();
    expect((await applyPlan({ client }, PlanFile.parse({}))).changes).toEqual([]);
  });
});
