import { expect, test } from 'vitest';
import { exportName } from '../../domain/nfs-export/names.ts';
import { exportPlan } from '../../domain/plan/export-plan.ts';
import { PlanFile } from '../../schemas/plan-file.ts';
import { createFakeCluster, type FakeCluster } from '../cluster.fake.ts';
import { exportVolume } from '../volumes/export-volume.ts';
import { applyPlan } from './apply-plan.ts';
import { readStored } from './read-stored.ts';

const pools = [{ name: 'default', path: '/mnt/glusterVolume0' }];
const nodes = ['kube1', 'kube2', 'kube3'].map((host, at) => ({ host, ip: `10.91.0.${at + 1}`, pools }));
const wish = { nodes: ['kube1', 'kube2'], to: ['10.10.0.0/16'] };
const plan = (more: object = {}) =>
  PlanFile.parse({
    storage: { expected_count: 3, nodes },
    volumes: [
      { name: 'gv0', size: '1Gi', mount: { path: '/data', nodes: 'all' }, export: { ...wish, ...more } },
      { name: 'gv1', size: '1Gi', export: wish },
    ],
  });
const apply = ({ client }: FakeCluster, file: PlanFile) => applyPlan({ client }, file);
const recordOf = async ({ client }: FakeCluster, volume: string, node: string) =>
  client.get('VolumeAttachmentRecord', exportName(volume, node));

test('volumes are exported as the plan says, each under its own number', async () => {
  const cluster = await createFakeCluster();
  await apply(cluster, plan());
  const ids = new Map<string, Set<number | undefined>>();
  for (const volume of ['gv0', 'gv1']) {
    const found = await Promise.all(['kube1', 'kube2'].map((node) => recordOf(cluster, volume, node)));
    ids.set(volume, new Set(found.map((record) => record?.spec.export?.id)));
    expect(found[0]?.spec).toMatchObject({ mountPath: `/${volume}`, export: { clients: wish.to, squash: 'none' } });
  }
  const numbers = [...ids.values()].flatMap((each) => [...each]);
  expect(numbers).toHaveLength(2);
  expect(new Set(numbers).size).toBe(2);
  expect(await recordOf(cluster, 'gv0', 'kube3')).toBeUndefined();
});

test('applied again nothing changes; with other terms only those; without an export it stays', async () => {
  const cluster = await createFakeCluster();
  await apply(cluster, plan());
  const before = cluster.client.version();
  await apply(cluster, plan());
  expect(cluster.client.version()).toBe(before);

  const { changes } = await apply(cluster, plan({ readOnly: true, rootSquash: true }));
  expect(changes.filter(({ action }) => action === 'update').map(({ name }) => name)).toEqual([
    exportName('gv0', 'kube1'),
    exportName('gv0', 'kube2'),
  ]);
  const record = await recordOf(cluster, 'gv0', 'kube1');
  expect(record?.spec).toMatchObject({ isReadOnly: true, export: { squash: 'root' } });

  const file = plan();
  for (const volume of file.volumes ?? []) delete volume.export;
  await apply(cluster, file);
  expect(await recordOf(cluster, 'gv0', 'kube1')).toEqual(record);
});

test('what is exported comes into the plan that is exported, and is the same when that is applied', async () => {
  const cluster = await createFakeCluster();
  await apply(cluster, plan({ beyondAllowed: true }));
  const asked = { volume: 'gv1', to: ['10.20.1.1'], nodes: ['kube2'], squash: 'none', mayGoBeyond: false } as const;
  const confirm = () => Promise.resolve(true);
  await exportVolume(cluster, { ...asked, isReadOnly: true }, { confirm });
  const { plan: exported, notices } = exportPlan(await readStored(cluster.client, undefined));
  expect(exported.volumes?.map((volume) => volume.export)).toEqual([
    { ...wish, beyondAllowed: true },
    { ...wish, nodes: ['kube1'] },
  ]);
  expect(exported.volumes?.[0]?.mount).toEqual({ path: '/data', nodes: 'all' });
  expect(notices).toEqual([
    'volume gv1 is exported by kube2 on other terms than by kube1; a plan has one export per volume',
  ]);
  const before = cluster.client.version();
  await apply(cluster, PlanFile.parse(exported));
  expect(cluster.client.version()).toBe(before);
});

test('what a claim has for one writing node is not exported to writers', async () => {
  const cluster = await createFakeCluster();
  const [withoutExport, readers] = [plan(), plan({ readOnly: true })];
  for (const volume of withoutExport.volumes ?? []) delete volume.export;
  await apply(cluster, withoutExport);
  const spec = { volume: 'gv0', node: 'kube3', mountPath: '/var/lib/holdfast/mounts/gv0', isReadOnly: false };
  const claim = { metadata: { name: 'gv0.csi' }, spec: { ...spec, accessMode: 'SingleNodeSingleWriter' } } as const;
  await cluster.client.create('VolumeAttachmentRecord', claim);
  await expect(apply(cluster, plan())).rejects.toMatchObject({
    reason: 'PlanContradictsState',
    faults: ['kube1', 'kube2'].map((node) => ({
      field: `volume gv0 export on ${node}`,
      message: expect.stringContaining('kube3'),
    })),
  });
  await apply(cluster, readers);
  expect(await recordOf(cluster, 'gv0', 'kube1')).toMatchObject({ spec: { isReadOnly: true } });
  await expect(apply(cluster, plan())).rejects.toMatchObject({ reason: 'PlanContradictsState' });
});
