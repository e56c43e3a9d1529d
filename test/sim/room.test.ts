/** Volumes that want the same room: none is promised twice, and who waits says why and gets what becomes free. */
import { describe, expect, it } from 'vitest';
import { createSeededRandom } from '../../src/ports/random.fake.ts';
import type { PlanVolume } from '../../src/schemas/plan-file.ts';
import { runChaos } from './chaos.ts';
import { CONTROLLER, createSimCluster, type SimCluster } from './cluster.ts';
import { deleteVolumeAndMounts, expectWhole, expectWhollyGone } from './expectations.ts';
import { seeds, withSeed } from './seeds.ts';

const GIB = 1024 ** 3;

const phaseOf = ({ seen }: SimCluster, name: string) => seen.Volume.get(name)?.status?.phase;

describe('volumes that race for the last room', () => {
  it('are placed one, and the other waits with reasons until the first is deleted', async () => {
    for (const seed of seeds(8)) {
      await withSeed(seed, async () => {
        // A copy of 1 GiB takes 1.2 GiB of its pool.
        const sim = await createSimCluster(seed, { poolBytes: 2 * GIB });
        const names = ['gv-a', 'gv-b'];
        const mount = { path: '/data', nodes: 'all' as const };
        await sim.applyPlan(names.map((name) => ({ name, size: '1Gi', mount: { ...mount, path: `/data/${name}` } })));
        await runChaos(sim, { seed, forMs: 30_000, everyMs: 1_500 });
        const first = () => names.find((name) => phaseOf(sim, name) === 'Ready') ?? '';
        await sim.until('one is ready', () => first() !== '', 5 * 60_000);
        const [winner, loser] = [first(), names.find((name) => name !== first()) ?? ''];
        await expectWhole(sim, winner);
        await sim.until('the other waits', () => phaseOf(sim, loser) === 'Pending', 60_000);
        const { reasons = [], placement } = sim.seen.Volume.get(loser)?.status ?? {};
        expect(placement).toBeUndefined();
        expect(reasons.join('\n')).toMatch(/kube1: .*free < 1\.2 GiB/);
        expect(reasons.at(-1)).toContain('to make it fit');
        await deleteVolumeAndMounts(sim, winner);
        await expectWhole(sim, loser);
      });
    }
  });

  it('are never promised more than there is, in whatever order they come and go', async () => {
    for (const seed of seeds(4)) {
      await withSeed(seed, async () => {
        const nodes = ['kube1', 'kube2', 'kube3', 'kube4'];
        const sim = await createSimCluster(seed, { nodes, poolBytes: 7 * GIB, foreignBytes: 3 * GIB });
        const random = createSeededRandom(seed);
        const layouts = ['single', 'replicated', 'arbiter'] as const;
        const wishes = Array.from({ length: 10 }, (_, at): PlanVolume => {
          const size = `${1 + Math.floor(random.next() * 3)}Gi`;
          return { name: `gv-${at}`, size, layout: layouts[Math.floor(random.next() * 3)] };
        });
        // All at once, and again and again one of them goes.
        await sim.applyPlan(wishes);
        for (const { name } of wishes) {
          await runChaos(sim, { seed: seed * 100 + wishes.length, forMs: 6_000, everyMs: 1_000 });
          await sim.world.client.delete('Volume', name);
        }
        await expectWhollyGone(sim);
      });
    }
  });
});

it('is not promised to a snapshot and to a new volume at once, whichever is asked for a moment before the other', async () => {
  const sim = await createSimCluster(1, { nodes: ['kube1'], poolBytes: 12 * GIB });
  const single = { layout: 'single' as const, replicas: 1 };
  await sim.applyPlan([{ name: 'gv-a', size: '3Gi', ...single }]);
  await expectWhole(sim, 'gv-a');
  const volumeUid = sim.seen.Volume.get('gv-a')?.metadata.uid ?? '';
  const { client } = sim.world;
  // By so many turns of the queue: without an order between the two loops both are granted at one of them.
  for (let lead = 10; lead <= 26; lead += 1) {
    // Either fits, both do not: 3 and 3 for the images, 6 for the volume, and a part more for each.
    const asked = [
      [
        lead,
        () => client.create('VolumeSnapshotRecord', { metadata: { name: 's1' }, spec: { volume: 'gv-a', volumeUid } }),
      ],
      [-lead, () => client.create('Volume', { metadata: { name: 'gv-b' }, spec: { size: '6Gi', ...single } })],
    ] as const;
    await Promise.all(
      asked.map(async ([later, ask]) => {
        for (let turn = 0; turn < later; turn += 1) await Promise.resolve();
        await ask();
      }),
    );
    const snapshot = () => sim.seen.VolumeSnapshotRecord.get('s1')?.status?.phase;
    const areDecided = () => phaseOf(sim, 'gv-b') !== undefined && ['Ready', 'Failed'].includes(snapshot() ?? '');
    await sim.until('both have an answer', areDecided, 5 * 60_000);
    const isPlaced = sim.seen.Volume.get('gv-b')?.status?.placement !== undefined;
    expect({ lead, promises: [isPlaced, snapshot() === 'Ready'].filter(Boolean).length }).toEqual({
      lead,
      promises: 1,
    });
    await client.delete('Volume', 'gv-b');
    await client.delete('VolumeSnapshotRecord', 's1');
    const areGone = () =>
      sim.seen.VolumeSnapshotRecord.size === 0 && sim.seen.Volume.size === 1 && sim.seen.VolumeCopy.size === 1;
    await sim.until('both are gone', areGone, 5 * 60_000);
    await sim.pass(20_000);
  }
});

it('that a thin volume gives back is promised to nobody else, and is counted whole from the beginning', async () => {
  for (const seed of seeds(4)) {
    await withSeed(seed, async () => {
      const sim = await createSimCluster(seed, { nodes: ['kube1'], poolBytes: 6 * GIB });
      const local = { engine: 'local' as const, nodes: ['kube1'] };
      await sim.applyPlan([{ name: 'thin', size: '4Gi', ...local, thinProvision: true }]);
      await sim.until('thin is ready', () => phaseOf(sim, 'thin') === 'Ready', 60_000);
      const image = [...sim.gluster.state.node('kube1').copies.values()][0];
      const random = createSeededRandom(seed);
      for (let turn = 0; turn < 6; turn += 1) {
        // Written and discarded while the agent looks at any moment.
        if (image !== undefined) image.writtenBytes = Math.floor(random.next() * 4) * GIB;
        await sim.pass(Math.floor(random.next() * 40_000));
        const name = `other-${turn}`;
        await sim.applyPlan([{ name, size: '2Gi', ...local }]);
        await sim.until(`${name} waits`, () => phaseOf(sim, name) === 'Pending', 60_000);
        await sim.pass(40_000);
        expect(sim.seen.Volume.get(name)?.status?.placement).toBeUndefined();
        await sim.world.client.delete('Volume', name);
      }
      await sim.applyPlan([{ name: 'small', size: '1Gi', ...local, thinProvision: true }]);
      await sim.until('small is ready', () => phaseOf(sim, 'small') === 'Ready', 60_000);
      for (const name of ['thin', 'small']) await sim.world.client.delete('Volume', name);
      await expectWhollyGone(sim);
    });
  }
});

it('holds up nobody but those who want room, while one waits for the answers that its place is chosen by', async () => {
  const sim = await createSimCluster(1);
  await sim.applyPlan([{ name: 'gv-a', size: '1Gi', layout: 'replicated', replicas: 3 }]);
  await expectWhole(sim, 'gv-a');
  const answer = sim.process(CONTROLLER)?.connection.holdLists('VolumeSnapshotRecord');
  await sim.world.client.create('Volume', {
    metadata: { name: 'gv-b' },
    spec: { engine: 'gluster', layout: 'replicated', replicas: 3, size: '1Gi' },
  });
  await sim.pass(1_000);
  sim.powerOff('kube3');
  await sim.until('somebody looks after the other', () => phaseOf(sim, 'gv-a') === 'Degraded', 60_000);
  expect(sim.seen.Volume.get('gv-b')?.status?.placement).toBeUndefined();
  answer?.();
  sim.powerOn('kube3');
  await expectWhole(sim, 'gv-b');
});
