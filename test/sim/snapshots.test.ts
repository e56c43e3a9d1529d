/**
 * Snapshots while nodes die: Ready only when every image is of one moment, writers let go, and wholly gone in the end. With a
 * death of a program at every write and call: verbs.test.ts.
 */
import { describe, expect, it } from 'vitest';
import { findCondition } from '../../src/domain/find-condition.ts';
import type { PlanVolume } from '../../src/schemas/plan-file.ts';
import { type ClonedVolume, cloneVolume } from '../../src/usecases/snapshots/clone-volume.ts';
import { takeSnapshot } from '../../src/usecases/snapshots/take-snapshot.ts';
import { createSimCluster, type SimCluster } from './cluster.ts';
import { expectWhole } from './expectations.ts';
import { withSeed } from './seeds.ts';

const SEED = 1;
const PATIENCE_MS = 5 * 60_000;
const VOLUME: PlanVolume = { name: 'gv0', size: '1Gi', layout: 'arbiter', mount: { path: '/data', nodes: 'all' } };
/** kube1 anchors the volume and raises the barrier. */
const NODES = ['kube1', 'kube2', 'kube3'] as const;

async function prepare(): Promise<SimCluster> {
  const sim = await createSimCluster(SEED);
  await sim.applyPlan([VOLUME]);
  await expectWhole(sim, 'gv0');
  await sim.until('gv0 is redundant', () => isRedundant(sim, 'gv0'), PATIENCE_MS);
  return sim;
}

function isRedundant({ seen }: SimCluster, name: string): boolean {
  return findCondition(seen.Volume.get(name), 'Redundant')?.status === 'True';
}

/** Has a copy miss so many entries, and waits until they are seen to be brought up to date. */
async function letHeal(sim: SimCluster, entries: number): Promise<void> {
  sim.powerOff('kube3');
  await sim.until('gv0 lacks a copy', () => !isRedundant(sim, 'gv0'), PATIENCE_MS);
  sim.gluster.write('kube1', 'gv0', entries);
  sim.powerOn('kube3');
  const reason = () => findCondition(sim.seen.Volume.get('gv0'), 'Redundant')?.reason;
  await sim.until('gv0 heals', () => reason() === 'Healing', PATIENCE_MS);
}

async function ask(sim: SimCluster, name: string): Promise<void> {
  const volumeUid = sim.seen.Volume.get('gv0')?.metadata.uid ?? '';
  const record = { apiVersion: 'holdfast.dev/v1alpha1', kind: 'VolumeSnapshotRecord' } as const;
  const spec = { volume: 'gv0', volumeUid };
  await sim.world.client.create('VolumeSnapshotRecord', { ...record, metadata: { name }, spec });
}

/** Waits until it is decided and the barrier is down, and holds it to its word. @returns whether it is Ready */
async function settle(sim: SimCluster, name: string): Promise<boolean> {
  const status = () => sim.seen.VolumeSnapshotRecord.get(name)?.status;
  const isDecided = () => status()?.phase === 'Ready' || status()?.phase === 'Failed';
  await sim.until(`${name} is decided`, isDecided, PATIENCE_MS);
  await sim.until('writers go on', () => sim.snapshots.barriers.size === 0, PATIENCE_MS);
  if (status()?.phase !== 'Ready') return false;
  const uid = sim.seen.VolumeSnapshotRecord.get(name)?.metadata.uid;
  const taken = Object.values(status()?.copies ?? {}).map((copy) => {
    return sim.snapshots.images.get(`${copy.node} ${uid} ${copy.uid}`);
  });
  expect(taken.length).toBe(3);
  expect(taken[0]).toBeDefined();
  expect(new Set(taken).size).toBe(1);
  return true;
}

async function remove(sim: SimCluster, name: string): Promise<void> {
  await sim.world.client.delete('VolumeSnapshotRecord', name);
  await sim.until(`${name} is gone`, () => !sim.seen.VolumeSnapshotRecord.has(name), PATIENCE_MS);
  expect([...sim.snapshots.images.keys()]).toEqual([]);
}

describe('a snapshot', () => {
  it('is taken, and a clone of it has its copies beside the images, which stay until it is made', async () => {
    const sim = await prepare();
    await ask(sim, 's1');
    expect(await settle(sim, 's1')).toBe(true);
    const { uid = '', name } = sim.seen.VolumeSnapshotRecord.get('s1')?.metadata ?? { name: '' };
    const was = sim.seen.VolumeSnapshotRecord.get('s1')?.status?.volumeSpec;
    if (was === undefined) throw new Error('the snapshot does not say what it is of');
    const spec = { ...was, source: { snapshot: name, snapshotUid: uid } };
    const clone = { apiVersion: 'holdfast.dev/v1alpha1', kind: 'Volume', metadata: { name: 'twin' }, spec } as const;
    await sim.world.client.create('Volume', clone);
    await sim.world.client.delete('VolumeSnapshotRecord', 's1');
    await sim.until(
      's1 is gone',
      () => {
        const isMade = sim.seen.Volume.get('twin')?.status?.engine?.engineId !== undefined;
        expect(isMade || sim.snapshots.images.size === 3).toBe(true);
        return !sim.seen.VolumeSnapshotRecord.has('s1');
      },
      PATIENCE_MS,
    );
    await expectWhole(sim, 'twin');
    const places = (volume: string) => sim.seen.Volume.get(volume)?.status?.placement?.map((placed) => placed.node);
    expect(places('twin')).toEqual(places('gv0'));
  });

  it('is taken for a clone that names none, and is gone when the clone is ready', async () => {
    const sim = await prepare();
    const { client, clock, random } = sim.world;
    const outcome: { done?: ClonedVolume; error?: unknown } = {};
    const registration = { storageClass: 'kismatic', accessModes: ['ReadWriteMany'], reclaimPolicy: 'Retain' } as const;
    const request = { volume: 'gv0', name: 'twin', registration };
    void cloneVolume({ client, clock, random }, request, { waitMs: PATIENCE_MS }).then(
      (done) => Object.assign(outcome, { done }),
      (error: unknown) => Object.assign(outcome, { error }),
    );
    await sim.until('the clone is made', () => Object.keys(outcome).length > 0, PATIENCE_MS);
    const snapshot = expect.stringMatching(/^clone-for-twin-[0-9a-f]{8}$/);
    expect(outcome).toMatchObject({ done: { name: 'twin', snapshot, size: '1Gi', isDryRun: false } });
    await sim.until('its snapshot is gone', () => sim.seen.VolumeSnapshotRecord.size === 0, PATIENCE_MS);
    expect([...sim.snapshots.images.keys()]).toEqual([]);
    await expectWhole(sim, 'twin');
  });

  it.each([
    { when: 'before there is a clone, a while later', isCloneMade: false },
    { when: 'after the clone is made, at once', isCloneMade: true },
  ])('that a clone took for itself goes with nobody asking, when its maker is gone: $when', async ({ isCloneMade }) => {
    const sim = await prepare();
    const { client, clock } = sim.world;
    await takeSnapshot({ client, clock }, { volume: 'gv0', name: 's1', madeFor: 'twin' });
    expect(await settle(sim, 's1')).toBe(true);
    const askedAt = clock.now();
    const { metadata, status } = sim.seen.VolumeSnapshotRecord.get('s1') ?? {};
    if (status?.volumeSpec === undefined) throw new Error('the snapshot does not say what it is of');
    if (isCloneMade) {
      const spec = { ...status.volumeSpec, source: { snapshot: 's1', snapshotUid: metadata?.uid ?? '' } };
      const api = { apiVersion: 'holdfast.dev/v1alpha1', kind: 'Volume' } as const;
      await client.create('Volume', { ...api, metadata: { name: 'twin' }, spec });
      await expectWhole(sim, 'twin');
    } else {
      await sim.pass(10 * 60_000);
      expect(sim.seen.VolumeSnapshotRecord.has('s1')).toBe(true);
    }
    await sim.until('s1 is gone', () => !sim.seen.VolumeSnapshotRecord.has('s1'), 2 * PATIENCE_MS);
    expect([...sim.snapshots.images.keys()]).toEqual([]);
    expect(clock.now() - askedAt >= 10 * 60_000).toBe(!isCloneMade);
    await expectWhole(sim, isCloneMade ? 'twin' : 'gv0');
  });

  it('waits for the heals of what was written last, and is taken then', async () => {
    const sim = await prepare();
    await letHeal(sim, 3);
    await ask(sim, 's1');
    const status = () => sim.seen.VolumeSnapshotRecord.get('s1')?.status;
    await sim.until('it says what it waits for', () => status()?.message?.startsWith('waits: ') === true, PATIENCE_MS);
    expect(status()?.phase).toBe('Pending');
    expect(await settle(sim, 's1')).toBe(true);
  });

  it('fails with the reason when the heals take too long', async () => {
    const sim = await prepare();
    await letHeal(sim, 100_000);
    await ask(sim, 's1');
    expect(await settle(sim, 's1')).toBe(false);
    const message =
      /^no snapshot of volume gv0 can be taken within 60 s: it is not redundant now: .* brought up to date$/;
    expect(sim.seen.VolumeSnapshotRecord.get('s1')?.status?.message).toMatch(message);
  });

  it.each(NODES)('survives a power cut of %s at any moment', async (node) => {
    for (let delayMs = 0; delayMs <= 2_000; delayMs += 100) {
      await withSeed(SEED, async () => {
        const sim = await prepare();
        await ask(sim, 's1');
        await sim.pass(delayMs);
        sim.powerOff(node);
        await settle(sim, 's1');
        sim.powerOn(node);
        await remove(sim, 's1');
        await expectWhole(sim, 'gv0');
      });
    }
  });
});
