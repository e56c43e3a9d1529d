/** Snapshots of several volumes at one moment, while every program dies at every moment: all of them Ready, or none. */
import { describe, expect, it } from 'vitest';
import { isAppError } from '../../src/domain/errors.ts';
import type { PlanVolume } from '../../src/schemas/plan-file.ts';
import { deleteSnapshotGroup } from '../../src/usecases/snapshots/delete-snapshot-group.ts';
import { takeSnapshotGroup } from '../../src/usecases/snapshots/take-snapshot-group.ts';
import { createSimCluster, type SimCluster } from './cluster.ts';
import { withSeed } from './seeds.ts';

const SEED = 1;
const PATIENCE_MS = 5 * 60_000;
const NODES = ['kube1', 'kube2'] as const;
const VOLUMES = ['data', 'logs'].map(
  (name): PlanVolume => ({ ...{ name, size: '1Gi', engine: 'local' }, mount: { path: `/${name}`, nodes: ['kube2'] } }),
);

async function prepare(): Promise<SimCluster> {
  const sim = await createSimCluster(SEED, { nodes: NODES });
  await sim.applyPlan(VOLUMES);
  const isReady = ({ name }: PlanVolume) => sim.seen.Volume.get(name)?.status?.phase === 'Ready';
  await sim.until('the volumes are ready', () => VOLUMES.every(isReady), PATIENCE_MS);
  return sim;
}

const snapshotsOf = ({ seen }: SimCluster) => [...seen.VolumeSnapshotRecord.values()];
const groupOf = ({ seen }: SimCluster, name = 'g1') => seen.VolumeGroupSnapshotRecord.get(name);

/** Whoever asks is a person, who asks once more when the death of a program made it fail. */
async function take(sim: SimCluster, name = 'g1', volumes = ['logs', 'data']): Promise<void> {
  const outcome: { isDone: boolean; error?: unknown } = { isDone: false };
  const { client, clock } = sim.world;
  const ask = async (): Promise<void> => {
    for (;;) {
      try {
        return void (await takeSnapshotGroup({ client, clock }, { name, volumes }, { waitMs: PATIENCE_MS }));
      } catch (error) {
        const reasons = ['SnapshotFailed', 'SnapshotGroupRefused'];
        if (!isAppError(error) || !reasons.includes(error.reason ?? '')) throw error;
        await clock.sleep(1_000);
      }
    }
  };
  void ask().then(
    () => Object.assign(outcome, { isDone: true }),
    (error: unknown) => Object.assign(outcome, { isDone: true, error }),
  );
  await sim.until(`${name} is answered`, () => outcome.isDone, 2 * PATIENCE_MS);
  expect(outcome.error).toBeUndefined();
}

function expectOneMoment(sim: SimCluster): void {
  expect(groupOf(sim)?.status?.phase).toBe('Ready');
  const snapshots = snapshotsOf(sim).filter(({ spec }) => spec.group?.name === 'g1');
  expect(snapshots.map(({ spec, status }) => [spec.volume, status?.phase])).toEqual([
    ['data', 'Ready'],
    ['logs', 'Ready'],
  ]);
  const moments = snapshots.flatMap(({ metadata, status }) =>
    Object.values(status?.copies ?? {}).map((copy) => {
      expect(copy.state).toBe('Taken');
      return sim.snapshots.images.get(`${copy.node} ${metadata.uid} ${copy.uid}`);
    }),
  );
  expect(moments).toHaveLength(2);
  expect(moments[0]).toBeDefined();
  expect(new Set(moments).size).toBe(1);
  expect(new Set(snapshots.map(({ status }) => status?.takenAt))).toEqual(new Set([groupOf(sim)?.status?.takenAt]));
  expect(sim.snapshots.frozen.size).toBe(0);
}

async function remove(sim: SimCluster, name = 'g1'): Promise<void> {
  const { client, clock } = sim.world;
  let isDone = false;
  void deleteSnapshotGroup({ client, clock }, name, { waitMs: PATIENCE_MS, confirm: async () => true }).then(() => {
    isDone = true;
  });
  await sim.until(`${name} is gone`, () => isDone, PATIENCE_MS);
}

function expectNothing(sim: SimCluster): void {
  expect(snapshotsOf(sim)).toEqual([]);
  expect(groupOf(sim)).toBeUndefined();
  expect([...sim.snapshots.images.keys()]).toEqual([]);
  expect([...sim.snapshots.frozen]).toEqual([]);
}

describe('a group of snapshots', () => {
  it('is of one moment, and wholly gone in the end, whichever program dies around whichever moment', async () => {
    const undisturbed = await prepare();
    const start = undisturbed.moments().length;
    await take(undisturbed);
    expectOneMoment(undisturbed);
    await remove(undisturbed);
    expectNothing(undisturbed);
    const moments = undisturbed.moments().slice(start);
    expect(moments.filter((moment) => moment.includes('takeImage'))).toEqual(['kube2: takeImages']);
    for (const [at, what] of moments.entries()) {
      // kube1 has no part in it. Around the images both; elsewhere one of the two, as that is dear.
      if (what.startsWith('kube1')) continue;
      const both = ['before', 'after'] as const;
      for (const when of what.includes('takeImages') ? both : [both[at % 2] ?? 'before']) {
        await withSeed(SEED, async () => {
          const sim = await prepare();
          sim.dieAtMoment(start + at + 1, when);
          await take(sim);
          expectOneMoment(sim);
          await remove(sim);
          expectNothing(sim);
        });
      }
    }
  });

  it('is taken beside others of the same volumes, named in whatever order', async () => {
    const sim = await prepare();
    await Promise.all([take(sim), take(sim, 'g2', ['data', 'logs'])]);
    expectOneMoment(sim);
    expect(groupOf(sim, 'g2')?.status?.phase).toBe('Ready');
    await remove(sim, 'g2');
    await remove(sim);
    expectNothing(sim);
  });

  it('fails when its node is away, and leaves nothing', async () => {
    const sim = await prepare();
    const volumes = VOLUMES.map(({ name }) => sim.seen.Volume.get(name)?.metadata);
    const members = volumes.map((metadata, at) => ({
      ...{ volume: metadata?.name ?? '', volumeUid: metadata?.uid ?? '', snapshot: `g1-${at + 1}` },
    }));
    sim.cut('kube2');
    await sim.world.client.create('VolumeGroupSnapshotRecord', { metadata: { name: 'g1' }, spec: { members } });
    await sim.until('it failed', () => groupOf(sim)?.status?.phase === 'Failed', PATIENCE_MS);
    await sim.until(
      'so did all of it',
      () => snapshotsOf(sim).every((each) => each.status?.phase === 'Failed'),
      PATIENCE_MS,
    );
    sim.mend('kube2');
    await remove(sim);
    expectNothing(sim);
  });

  it('keeps each of its snapshots while it is there, whoever deletes one', async () => {
    const sim = await prepare();
    await take(sim);
    await sim.world.client.delete('VolumeSnapshotRecord', 'g1-1');
    const message = () => sim.seen.VolumeSnapshotRecord.get('g1-1')?.status?.message ?? '';
    await sim.until('it says why it stays', () => message().includes('group g1'), PATIENCE_MS);
    await sim.pass(30_000);
    expectOneMoment(sim);
    await remove(sim);
    expectNothing(sim);
  });
});
