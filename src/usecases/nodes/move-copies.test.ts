import { describe, expect, it } from 'vitest';
import { ATTACHMENT_FINALIZER } from '../../domain/finalizers.ts';
import { createFakeCluster } from '../cluster.fake.ts';
import { replaceNode } from './move-copies.ts';

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
