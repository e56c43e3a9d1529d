import { describe, expect, it } from 'vitest';
import { ATTACHMENT_FINALIZER } from '../../domain/finalizers.ts';
import { createFakeCluster } from '../cluster.fake.ts';
import { foreseeDiskReplacement, foreseeNodeReplacement, replaceNode } from './move-copies.ts';

const AWAY = {
  type: 'Ready',
  status: 'False' as const,
  reason: 'HeartbeatLost',
  message: 'no heartbeat',
  lastTransitionTime: '2026-01-01T00:00:00Z',
};

/** A lost node that has a volume mounted; `comesBack` while the person is asked. */
async function replaceLost({ comesBack }: { readonly comesBack: boolean }) {
  const { client, clock, addNode } = await createFakeCluster(['kube1', 'kube2']);
  await addNode('kube3', { conditions: [AWAY] });
  await client.create('StorageCluster', {
    metadata: { name: 'default' },
    spec: { nodes: ['kube1', 'kube2', 'kube3'] },
  });
  await client.create('VolumeAttachmentRecord', {
    metadata: { name: 'gv0-kube3', finalizers: [ATTACHMENT_FINALIZER] },
    spec: { volume: 'gv0', node: 'kube3', mountPath: '/data' },
  });
  const confirm = async () => {
    if (!comesBack) return true;
    const conditions = [{ ...AWAY, status: 'True' as const, reason: 'HeartbeatFresh' }];
    await client.patch('StorageNode', 'kube3', { status: { conditions } }, { subresource: 'status' });
    return true;
  };
  const outcome = replaceNode(
    { client, clock },
    { old: 'kube3' },
    { waitMs: 1_000, onProgress: () => undefined, confirm },
  );
  return { client, outcome };
}

describe('a node that is gone for good', () => {
  it('is removed with what it had mounted', async () => {
    const { client, outcome } = await replaceLost({ comesBack: false });
    expect(await outcome).toBe('replaced');
    expect(await client.get('StorageNode', 'kube3')).toBeUndefined();
    expect(await client.get('VolumeAttachmentRecord', 'gv0-kube3')).toBeUndefined();
    expect((await client.get('StorageCluster', 'default'))?.spec.nodes).toEqual(['kube1', 'kube2']);
  });

  it('stays, with what it has mounted, when it came back meanwhile', async () => {
    const { client, outcome } = await replaceLost({ comesBack: true });
    await expect(outcome).rejects.toMatchObject({ kind: 'precondition', reason: 'NodeIsThere' });
    expect(await client.get('StorageNode', 'kube3')).toBeDefined();
    const record = await client.get('VolumeAttachmentRecord', 'gv0-kube3');
    expect(record?.metadata).toMatchObject({ finalizers: [ATTACHMENT_FINALIZER] });
    expect(record?.metadata.deletionTimestamp).toBeUndefined();
    expect((await client.get('StorageCluster', 'default'))?.spec.nodes).toContain('kube3');
  });
});

describe('a rehearsal of a replacement', () => {
  /** A volume of three copies on kube1 to kube3; the one on kube3 is lost, and kube4 is free. */
  async function withLostCopy() {
    const cluster = await createFakeCluster(['kube1', 'kube2', 'kube3', 'kube4']);
    const { client } = cluster;
    const spec = { size: '1Gi', layout: 'replicated', replicas: 3 } as const;
    const { metadata } = await client.create('Volume', { metadata: { name: 'gv0' }, spec });
    await cluster.makeReady('gv0');
    const volume = await client.get('Volume', 'gv0');
    const placement = volume?.status?.placement ?? [];
    const made = volume?.status?.engine;
    const bricks = (made?.bricks ?? []).map((brick) => ({ ...brick, isOnline: brick.node !== 'kube3' }));
    const members = placement.map(({ copy, node }) => `${node}:/mnt/a/${copy}`);
    const engine = { ...made, engineId: 'id', bricks, members };
    await client.patch('Volume', 'gv0', { status: { engine } }, { subresource: 'status' });
    for (const [index, { copy, node, pool, role }] of placement.entries()) {
      const owner = { volume: 'gv0', volumeUid: metadata.uid, engine: 'gluster', brick: 'image', sizeBytes: 2 ** 30 };
      await client.create('VolumeCopy', {
        metadata: { name: copy },
        spec: { ...owner, node, pool, role, index } as const,
      });
      const status = { state: node === 'kube3' ? 'Suspect' : 'Ready', path: `/mnt/a/${copy}` };
      await client.patch('VolumeCopy', copy, { status }, { subresource: 'status' });
    }
    return cluster;
  }

  it('of a node says where each new copy would go, by itself or where it was told to, and changes nothing', async () => {
    const cluster = await withLostCopy();
    const { client, clock } = cluster;
    await client.patch('StorageNode', 'kube3', { status: { conditions: [AWAY] } }, { subresource: 'status' });
    const before = client.version();
    const copy = expect.stringMatching(/-2$/);
    const move = { volume: 'gv0', copy, to: 'kube4', isForGood: false };
    expect(await foreseeNodeReplacement({ client, clock }, { old: 'kube3' }, {})).toEqual([move]);
    expect(await foreseeNodeReplacement({ client, clock }, { old: 'kube3', node: 'kube4' }, {})).toEqual([move]);
    const taken = await foreseeNodeReplacement({ client, clock }, { old: 'kube3', node: 'kube1' }, {});
    expect(taken).toEqual([{ volume: 'gv0', copy, blockedBy: expect.stringContaining('none fits'), isForGood: false }]);
    expect(client.version()).toBe(before);
  });

  it('of a node that is there is refused, as the replacement is', async () => {
    const { client, clock } = await withLostCopy();
    const rehearsal = foreseeNodeReplacement({ client, clock }, { old: 'kube1' }, {});
    await expect(rehearsal).rejects.toMatchObject({ reason: 'NodeIsThere' });
  });

  it('of a disk puts the new copy on the same node, and is refused where nothing is lost', async () => {
    const { client, clock } = await withLostCopy();
    const before = client.version();
    expect(await foreseeDiskReplacement({ client, clock }, { node: 'kube3', pool: 'default' }, {})).toEqual([
      { volume: 'gv0', copy: expect.stringMatching(/-2$/), to: 'kube3', isForGood: false },
    ]);
    const sound = foreseeDiskReplacement({ client, clock }, { node: 'kube1', pool: 'default' }, {});
    await expect(sound).rejects.toMatchObject({ reason: 'NothingLost' });
    expect(client.version()).toBe(before);
  });
});
