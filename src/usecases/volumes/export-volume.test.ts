import { describe, expect, test, vi } from 'vitest';
import { exportName } from '../../domain/nfs-export/names.ts';
import { createFakeCluster, type FakeCluster } from '../cluster.fake.ts';
import { addVolume } from './add-volume.ts';
import { deleteVolume } from './delete-volume.ts';
import { type ExportRequest, exportVolume } from './export-volume.ts';
import { unexportVolume } from './unexport-volume.ts';

const ASKED = { volume: 'gv0', to: ['10.10.0.0/16'], isReadOnly: false, squash: 'none', mayGoBeyond: false } as const;

async function withVolume(spec: object = {}): Promise<FakeCluster> {
  const cluster = await createFakeCluster(['kube1', 'kube2', 'kube3']);
  await addVolume(cluster, { name: 'gv0', size: '1Gi', ...spec });
  await cluster.makeReady('gv0');
  return cluster;
}

const ask = (cluster: FakeCluster, request: Partial<ExportRequest> = {}, isDryRun = false) => {
  const confirm = vi.fn<() => Promise<boolean>>().mockResolvedValue(true);
  return exportVolume(cluster, { ...ASKED, ...request }, { isDryRun, confirm }).then((done) => ({ ...done, confirm }));
};
const recordOn = ({ client }: FakeCluster, node: string, volume = 'gv0') =>
  client.get('VolumeAttachmentRecord', exportName(volume, node));

describe('exportVolume', () => {
  test('is served by the anchor; asked again nothing changes', async () => {
    const cluster = await withVolume();
    expect(await ask(cluster)).toMatchObject({ outcome: 'stored', exports: [{ node: 'kube1', action: 'create' }] });
    const before = await recordOn(cluster, 'kube1');
    expect(before?.spec).toMatchObject({
      mountPath: '/gv0',
      export: { clients: ['10.10.0.0/16'], mayGoBeyond: false },
    });
    expect(await ask(cluster)).toMatchObject({ exports: [{ node: 'kube1', action: 'unchanged' }] });
    expect(await recordOn(cluster, 'kube1')).toEqual(before);
  });

  test('has the same number on each node, and another than other volumes', async () => {
    const cluster = await withVolume();
    await ask(cluster, { nodes: ['kube1'] });
    await ask(cluster, { nodes: ['kube2', 'kube3'] });
    await addVolume(cluster, { name: 'gv1', size: '1Gi' });
    await ask(cluster, { volume: 'gv1', nodes: ['kube1'] });
    const ids = await Promise.all(
      ['kube1', 'kube2', 'kube3'].map(async (node) => (await recordOn(cluster, node))?.spec.export?.id),
    );
    expect(new Set(ids).size).toBe(1);
    expect(ids).not.toContain((await recordOn(cluster, 'kube1', 'gv1'))?.spec.export?.id);
  });

  test('asks before clients lose something, and not where they only gain', async () => {
    const cluster = await withVolume();
    await ask(cluster);
    expect((await ask(cluster, { to: ['10.0.0.0/8'] })).confirm).not.toHaveBeenCalled();
    expect((await ask(cluster, { to: ['10.10.1.1'] })).confirm).toHaveBeenCalledOnce();
    const before = await recordOn(cluster, 'kube1');
    const kept = exportVolume(cluster, { ...ASKED, isReadOnly: true }, { confirm: () => Promise.resolve(false) });
    expect(await kept).toMatchObject({ outcome: 'kept' });
    expect(await recordOn(cluster, 'kube1')).toEqual(before);
  });

  test('a dry run stores nothing', async () => {
    const cluster = await withVolume();
    const before = cluster.client.version();
    expect(await ask(cluster, {}, true)).toMatchObject({ outcome: 'foreseen', exports: [{ action: 'create' }] });
    expect(cluster.client.version()).toBe(before);
  });

  test('says that clients are not encrypted where the rest is', async () => {
    const cluster = await withVolume();
    expect((await ask(cluster)).notices).toEqual([]);
    await cluster.client.patch('Volume', 'gv0', { spec: { encryption: true } });
    expect((await ask(cluster)).notices).toEqual([
      expect.stringContaining('the volume is encrypted; what NFS clients'),
    ]);
  });

  test.each([
    ['nobody is named', { to: [] }, {}, 'invalid'],
    ['what is no address', { to: ['host.example'] }, {}, 'invalid'],
    ['more than may mount the volume', {}, { allowFrom: ['10.10.1.*'] }, 'invalid'],
    ['a node that is not there', { nodes: ['kube9'] }, {}, 'notFound'],
  ])('refuses %s', async (_, request, spec, kind) => {
    const cluster = await withVolume(spec);
    await expect(ask(cluster, request)).rejects.toMatchObject({ kind });
    expect((await cluster.client.list('VolumeAttachmentRecord')).items).toEqual([]);
  });
});

test('only what the engine can serve is exported', async () => {
  const cluster = await withVolume();
  await cluster.client.patch('Volume', 'gv0', { spec: { engine: 'local', layout: 'single', replicas: null } });
  await expect(ask(cluster)).rejects.toMatchObject({ kind: 'unsupported', message: expect.stringContaining('local') });
});

describe('a volume that a claim has', () => {
  const publish = ({ client }: FakeCluster, accessMode: 'SingleNodeWriter' | 'MultiNodeMultiWriter') =>
    client.create('VolumeAttachmentRecord', {
      metadata: { name: 'gv0.csi' },
      spec: { volume: 'gv0', node: 'kube2', mountPath: '/var/lib/holdfast/mounts/gv0', isReadOnly: false, accessMode },
    });

  test('for one writing node is exported to readers alone', async () => {
    const cluster = await withVolume();
    await publish(cluster, 'SingleNodeWriter');
    await expect(ask(cluster)).rejects.toMatchObject({
      kind: 'precondition',
      reason: 'PublishedToOneNode',
      message: expect.stringContaining('on kube2'),
      hint: expect.stringContaining('read-only'),
    });
    await expect(ask(cluster, {}, true)).rejects.toMatchObject({ kind: 'precondition' });
    expect(await recordOn(cluster, 'kube1')).toBeUndefined();
    expect(await ask(cluster, { isReadOnly: true })).toMatchObject({ outcome: 'stored' });
    await expect(ask(cluster)).rejects.toMatchObject({ reason: 'PublishedToOneNode' });
    expect((await recordOn(cluster, 'kube1'))?.spec.isReadOnly).toBe(true);
  });

  test('for many nodes is exported to writers too', async () => {
    const cluster = await withVolume();
    await publish(cluster, 'MultiNodeMultiWriter');
    expect(await ask(cluster)).toMatchObject({ outcome: 'stored' });
  });
});

describe('an exported volume', () => {
  test('is not deleted until the export is ended', async () => {
    const cluster = await withVolume();
    await ask(cluster);
    const { client, clock } = cluster;
    const confirm = () => Promise.resolve(true);
    await expect(deleteVolume({ client, clock }, 'gv0', { confirm })).rejects.toMatchObject({
      reason: 'VolumeInUse',
      message: expect.stringContaining('kube1 as the NFS export /gv0'),
    });
    expect(await unexportVolume(cluster, { volume: 'gv0', nodes: ['kube2'] }, { confirm })).toMatchObject({
      nodes: [],
    });
    expect(await recordOn(cluster, 'kube1')).toMatchObject({ metadata: { finalizers: [expect.anything()] } });
    const ended = await unexportVolume(cluster, { volume: 'gv0' }, { confirm });
    expect(ended).toMatchObject({ outcome: 'marked', nodes: ['kube1'] });
    expect((await recordOn(cluster, 'kube1'))?.metadata.deletionTimestamp).toBeDefined();
    // Until its node has let go of it.
    await expect(ask(cluster)).rejects.toMatchObject({ kind: 'conflict' });
  });
});
