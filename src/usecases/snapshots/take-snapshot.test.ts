import { beforeEach, describe, expect, it } from 'vitest';
import { createFakeClock } from '../../ports/clock.fake.ts';
import type { FakeResourceClient } from '../../ports/resource-client.fake.ts';
import type { WaitDeps } from '../waiting/wait-for-object.ts';
import { createReflinkVolume } from './reflink-volume.fake.ts';
import { takeSnapshot } from './take-snapshot.ts';

const clock = createFakeClock();
const request = { volume: 'gv0', name: 'early' };

describe('taking a snapshot again that failed', () => {
  let client: FakeResourceClient;
  let deps: WaitDeps;
  let failedUid: string | undefined;
  const found = async () => client.get('VolumeSnapshotRecord', 'early');
  const become = (status: object) =>
    client.patch('VolumeSnapshotRecord', 'early', { status }, { subresource: 'status' });

  beforeEach(async () => {
    client = await createReflinkVolume(clock);
    deps = { client, clock };
    await takeSnapshot(deps, request);
    await become({ phase: 'Failed', message: 'the agent on kube1 died' });
    failedUid = (await found())?.metadata.uid;
  });

  it('removes what is left of it first', async () => {
    const told: string[] = [];
    const taken = takeSnapshot(deps, request, { waitMs: 60_000, onProgress: (line) => void told.push(line) });
    await expect
      .poll(async () => (await found())?.metadata.uid)
      .toSatisfy((uid) => uid !== failedUid && uid !== undefined);
    await become({ phase: 'Ready', takenAt: '2026-01-01T00:00:00Z' });
    expect(await taken).toMatchObject({ name: 'early', phase: 'Ready' });
    expect(told).toEqual([expect.stringContaining('the agent on kube1 died')]);
  });

  it.each([{ isDryRun: true, waitMs: 60_000 }, {}])('leaves it alone with %j', async (options) => {
    await takeSnapshot(deps, request, options).catch((error: unknown) =>
      expect(error).toMatchObject({ reason: 'SnapshotFailed' }),
    );
    expect((await found())?.metadata.uid).toBe(failedUid);
  });
});
