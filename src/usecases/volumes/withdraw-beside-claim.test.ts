import { describe, expect, test } from 'vitest';
import { exportName } from '../../domain/nfs-export/names.ts';
import type { ResourceClient } from '../../ports/resource-client.ts';
import { createFakeCluster, type FakeCluster } from '../cluster.fake.ts';
import { addVolume } from './add-volume.ts';
import { exportVolume } from './export-volume.ts';

const RECORD = exportName('gv0', 'kube1');
const TERMS = { volume: 'gv0', to: ['10.10.0.0/16'], nodes: ['kube1'], squash: 'none', mayGoBeyond: false } as const;
const confirm = () => Promise.resolve(true);

async function withVolume(): Promise<FakeCluster> {
  const cluster = await createFakeCluster(['kube1', 'kube2', 'kube3']);
  await addVolume(cluster, { name: 'gv0', size: '1Gi' });
  await cluster.makeReady('gv0');
  return cluster;
}

const claim = (client: ResourceClient) =>
  client.create('VolumeAttachmentRecord', {
    metadata: { name: 'gv0.csi' },
    spec: { ...{ volume: 'gv0', node: 'kube2', mountPath: '/mounts/gv0' }, accessMode: 'SingleNodeWriter' },
  });

/** A claim that is granted right before the record is written, when nothing stands in its way yet; `after` comes right after that. */
function racing(cluster: FakeCluster, after: () => Promise<unknown> = async () => undefined): FakeCluster {
  const { client } = cluster;
  let isOver = false;
  const once = async <T>(kind: string, write: () => Promise<T>): Promise<T> => {
    if (kind !== 'VolumeAttachmentRecord' || isOver) return write();
    isOver = true;
    await claim(client);
    const written = await write();
    await after();
    return written;
  };
  const raced: ResourceClient = {
    ...client,
    create: (kind, object, scope) => once(kind, () => client.create(kind, object, scope)),
    patch: (kind, name, patch, options) => once(kind, () => client.patch(kind, name, patch, options)),
  };
  return { ...cluster, client: { ...client, ...raced } };
}

describe('an export that a claim for one writing node came before', () => {
  test('is refused, and there is none', async () => {
    const cluster = await withVolume();
    const asked = exportVolume(racing(cluster), { ...TERMS, isReadOnly: false }, { confirm });
    await expect(asked).rejects.toMatchObject({ kind: 'precondition', reason: 'PublishedToOneNode' });
    const left = await cluster.client.get('VolumeAttachmentRecord', RECORD);
    // Gone with the finalizer that its agent takes away.
    expect(left?.metadata.deletionTimestamp).toBeDefined();
  });

  test('to readers stays', async () => {
    const cluster = await withVolume();
    await exportVolume(racing(cluster), { ...TERMS, isReadOnly: true }, { confirm });
    const made = await cluster.client.get('VolumeAttachmentRecord', RECORD);
    expect(made?.metadata.deletionTimestamp).toBeUndefined();
  });

  test('is to readers again where it was before, whatever its agent said of it meanwhile', async () => {
    const cluster = await withVolume();
    await exportVolume(cluster, { ...TERMS, isReadOnly: true }, { confirm });
    const before = await cluster.client.get('VolumeAttachmentRecord', RECORD);
    const says = () =>
      cluster.client.patch(
        ...(['VolumeAttachmentRecord', RECORD, { status: { state: 'Failed' } }, { subresource: 'status' }] as const),
      );
    const asked = exportVolume(racing(cluster, says), { ...TERMS, isReadOnly: false }, { confirm });
    await expect(asked).rejects.toMatchObject({ reason: 'PublishedToOneNode' });
    expect((await cluster.client.get('VolumeAttachmentRecord', RECORD))?.spec).toEqual(before?.spec);
  });

  test('has the terms that somebody else gave it since', async () => {
    const cluster = await withVolume();
    await exportVolume(cluster, { ...TERMS, isReadOnly: true }, { confirm });
    const spec = { isReadOnly: true, export: { squash: 'root' } };
    const others = () => cluster.client.patch('VolumeAttachmentRecord', RECORD, { spec });
    const asked = exportVolume(racing(cluster, others), { ...TERMS, isReadOnly: false }, { confirm });
    await expect(asked).rejects.toMatchObject({ reason: 'PublishedToOneNode' });
    expect((await cluster.client.get('VolumeAttachmentRecord', RECORD))?.spec).toMatchObject(spec);
  });
});
