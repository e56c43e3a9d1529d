import { beforeEach, describe, expect, it } from 'vitest';
import { createFakeClock } from '../../ports/clock.fake.ts';
import type { FakeResourceClient } from '../../ports/resource-client.fake.ts';
import type { RestoreStatus } from '../../schemas/volume.ts';
import { deleteSnapshot } from './delete-snapshot.ts';
import { createReflinkVolume } from './reflink-volume.fake.ts';
import { restoreVolume } from './restore-volume.ts';

const GIB = 1024 ** 3;
const request = { volume: 'gv0', snapshot: 's1' };
const confirm = async () => true;
const clock = createFakeClock();

describe('restoring a volume', () => {
  let client: FakeResourceClient;
  const spec = async () => (await client.get('Volume', 'gv0'))?.spec;
  const under = async (phase: RestoreStatus['phase'], message: string) => {
    const restoreFrom = (await spec())?.restoreFrom;
    const restore = { ...restoreFrom, phase, message };
    await client.patch('Volume', 'gv0', { status: { restore } }, { subresource: 'status' });
  };
  beforeEach(async () => {
    client = await createReflinkVolume(clock);
  });

  it('says in a dry run where the copies go and what the present is kept as, and changes nothing', async () => {
    const plan = await restoreVolume({ client, clock }, request, { isDryRun: true, confirm });
    expect(plan).toMatchObject({ outcome: 'planned', nodes: ['kube1'], size: '1Gi' });
    expect(plan.safetySnapshot).toMatch(/^gv0-before-restore-\d{8}-\d{6}$/);
    expect((await spec())?.restoreFrom).toBeUndefined();
  });

  it('changes nothing without an answer, and with it stores the wish', async () => {
    const kept = await restoreVolume({ client, clock }, request, { confirm: async () => false });
    expect(kept.outcome).toBe('kept');
    expect((await spec())?.restoreFrom).toBeUndefined();
    const asked = await restoreVolume({ client, clock }, request, { confirm });
    expect(asked.outcome).toBe('asked');
    expect((await spec())?.restoreFrom).toMatchObject({ snapshot: 's1', safetySnapshot: asked.safetySnapshot });
  });

  it('is refused while the volume is mounted, with where', async () => {
    const record = { volume: 'gv0', node: 'kube1', mountPath: '/data' };
    await client.create('VolumeAttachmentRecord', { metadata: { name: 'a' }, spec: record });
    await expect(restoreVolume({ client, clock }, request, { confirm })).rejects.toMatchObject({
      kind: 'precondition',
      message: expect.stringContaining('it is mounted on kube1'),
    });
  });

  it('is refused where the new copy and the safety image have no room beside the old copy', async () => {
    const pools = [
      { name: 'default', path: '/pool', isReady: true, hasReflink: true, capacityBytes: 3 * GIB, freeBytes: GIB },
    ];
    await client.patch('StorageNode', 'kube1', { status: { pools } }, { subresource: 'status' });
    await expect(restoreVolume({ client, clock }, request, { confirm })).rejects.toMatchObject({
      kind: 'precondition',
    });
  });

  it('goes on with what was asked before, and keeps its snapshot from being deleted', async () => {
    const asked = await restoreVolume({ client, clock }, request, { confirm });
    await under('Saving', 'makes copies');
    const deletion = deleteSnapshot({ client, clock }, 's1', { confirm });
    await expect(deletion).rejects.toMatchObject({ reason: 'SnapshotNeeded' });
    const told: string[] = [];
    const onProgress = (message: string) => void told.push(message);
    const waiting = restoreVolume({ client, clock }, request, {
      waitMs: 60_000,
      onProgress,
      confirm: async () => false,
    });
    await under('Done', 'holds snapshot s1');
    expect(await waiting).toMatchObject({ outcome: 'done', safetySnapshot: asked.safetySnapshot });
    expect(told[0]).toContain(asked.safetySnapshot);
  });

  it('says why it failed', async () => {
    const waiting = restoreVolume({ client, clock }, request, { waitMs: 60_000, confirm }).catch(
      (error: unknown) => error,
    );
    await expect.poll(async () => (await spec())?.restoreFrom).toBeDefined();
    await under('Failed', 'the present state could not be kept; the volume is as it was');
    expect(await waiting).toMatchObject({ kind: 'precondition', message: expect.stringContaining('as it was') });
  });
});
