/** A snapshot is put in the place of its volume while programs die: wholly the snapshot, or as it was, and what it held is kept. */
import { describe, expect, it } from 'vitest';
import type { PlanVolume } from '../../src/schemas/plan-file.ts';
import { runChaos } from './chaos.ts';
import { CONTROLLER, createSimCluster, type SimCluster } from './cluster.ts';
import { deleteVolumeAndMounts, expectWhole } from './expectations.ts';
import { seeds, withSeed } from './seeds.ts';

const SEED = 1;
const PATIENCE_MS = 5 * 60_000;
const VOLUME: PlanVolume = { name: 'gv0', size: '1Gi', layout: 'arbiter' };
const MOUNTED: PlanVolume = { ...VOLUME, mount: { path: '/data', nodes: 'all' } };
/** kube1 anchors the volume. */
const PROGRAMS = [CONTROLLER, 'kube1', 'kube2', 'kube3'] as const;

const volume = ({ seen }: SimCluster) => seen.Volume.get('gv0');
const restore = (sim: SimCluster) => volume(sim)?.status?.restore;
const snapshot = ({ seen }: SimCluster, name: string) => seen.VolumeSnapshotRecord.get(name);
const placedCopies = (sim: SimCluster) => volume(sim)?.status?.placement?.map((placed) => placed.copy) ?? [];

async function prepare(): Promise<SimCluster> {
  const sim = await createSimCluster(SEED);
  await sim.applyPlan([VOLUME]);
  await expectWhole(sim, 'gv0');
  await expectRedundant(sim);
  const spec = { volume: 'gv0', volumeUid: volume(sim)?.metadata.uid ?? '' };
  const record = { apiVersion: 'holdfast.dev/v1alpha1', kind: 'VolumeSnapshotRecord' } as const;
  await sim.world.client.create('VolumeSnapshotRecord', { ...record, metadata: { name: 's1' }, spec });
  await sim.until('s1 is taken', () => snapshot(sim, 's1')?.status?.phase === 'Ready', PATIENCE_MS);
  return sim;
}

async function expectRedundant(sim: SimCluster): Promise<void> {
  const isRedundant = () =>
    volume(sim)?.status?.conditions?.some((each) => each.type === 'Redundant' && each.status === 'True') === true;
  await sim.until('gv0 is redundant', isRedundant, PATIENCE_MS);
}

async function wish(sim: SimCluster, safetySnapshot: string): Promise<void> {
  const restoreFrom = { snapshot: 's1', snapshotUid: snapshot(sim, 's1')?.metadata.uid ?? '', safetySnapshot };
  await sim.world.client.patch('Volume', 'gv0', { spec: { restoreFrom } });
}

const isOver = (sim: SimCluster, safety: string) =>
  restore(sim)?.safetySnapshot === safety && ['Done', 'Failed'].includes(restore(sim)?.phase ?? '');

/** Whole, made of s1, nothing left of the copies of before, and what they held is a snapshot. */
async function expectRestored(sim: SimCluster, before: readonly string[], safety: string): Promise<void> {
  const s1 = snapshot(sim, 's1')?.metadata.uid;
  await expectWhole(sim, 'gv0');
  await sim.until('the old copies are gone', () => sim.seen.VolumeCopy.size === before.length, PATIENCE_MS);
  for (const copy of sim.seen.VolumeCopy.values()) {
    expect(before).not.toContain(copy.metadata.name);
    expect(copy.spec.source?.snapshotUid).toBe(s1);
  }
  const kept = snapshot(sim, safety)?.status;
  expect(kept?.phase).toBe('Ready');
  expect(Object.keys(kept?.copies ?? {}).toSorted()).toEqual([...before].toSorted());
}

/** Until it is done; a try that a death made fail leaves the volume as it was, and is repeated. */
async function restoreAll(sim: SimCluster): Promise<void> {
  const before = placedCopies(sim);
  for (const safety of ['before-1', 'before-2', 'before-3']) {
    await wish(sim, safety);
    await sim.until(`${safety} is decided`, () => isOver(sim, safety), PATIENCE_MS);
    if (restore(sim)?.phase === 'Done') return expectRestored(sim, before, safety);
    expect(placedCopies(sim)).toEqual(before);
    await expectWhole(sim, 'gv0');
    await expectRedundant(sim);
    await sim.until('its new copies are gone', () => sim.seen.VolumeCopy.size === before.length, PATIENCE_MS);
  }
  throw new Error('it failed three times');
}

function processOf(sim: SimCluster, who: string) {
  const process = sim.process(who);
  if (process === undefined) throw new Error(`${who} does not run`);
  return process;
}

describe('a volume', () => {
  it.each(PROGRAMS)('holds a snapshot again whatever write of %s is its last', async (who) => {
    const undisturbed = await prepare();
    const before = processOf(undisturbed, who).writes();
    await restoreAll(undisturbed);
    const writes = processOf(undisturbed, who).writes() - before;
    expect(writes).toBeGreaterThan(0);
    for (let nth = 1; nth <= writes; nth += 1) {
      await withSeed(SEED, async () => {
        const sim = await prepare();
        const process = processOf(sim, who);
        // Between two writes it dies in the test of steps.
        process.killAtWrite(process.writes() + nth, 'after');
        await restoreAll(sim);
      });
    }
  });

  it.each(PROGRAMS.slice(1))('holds a snapshot again whatever step of %s is its last', async (node) => {
    const undisturbed = await prepare();
    const before = undisturbed.steps(node);
    await restoreAll(undisturbed);
    const steps = undisturbed.steps(node) - before;
    expect(steps).toBeGreaterThan(0);
    for (let nth = 1; nth <= steps; nth += 1) {
      await withSeed(SEED, async () => {
        const sim = await prepare();
        sim.crashAtStep(node, { step: sim.steps(node) + nth, when: nth % 2 === 0 ? 'before' : 'after' });
        await restoreAll(sim);
      });
    }
  });

  it('holds a snapshot again through power cuts, cut cables and dying programs', async () => {
    for (const seed of seeds(6)) {
      await withSeed(seed, async () => {
        const sim = await prepare();
        const before = placedCopies(sim);
        await wish(sim, 'chaos');
        await runChaos(sim, { seed, forMs: 40_000 });
        await sim.until('it is decided', () => isOver(sim, 'chaos'), 2 * PATIENCE_MS);
        if (restore(sim)?.phase === 'Done') return expectRestored(sim, before, 'chaos');
        await expectWhole(sim, 'gv0');
        expect(placedCopies(sim)).toEqual(before);
      });
    }
  });

  it('waits with it until it is mounted nowhere, and is mounted again only when it is done', async () => {
    const sim = await prepare();
    const before = placedCopies(sim);
    await sim.applyPlan([MOUNTED]);
    await expectWhole(sim, 'gv0');
    await wish(sim, 'kept');
    await sim.until('it waits', () => restore(sim)?.phase === 'Waiting', PATIENCE_MS);
    expect(restore(sim)?.message).toContain('mounted on kube1, kube2, kube3');
    await sim.pass(60_000);
    expect(placedCopies(sim)).toEqual(before);
    for (const name of sim.seen.VolumeAttachmentRecord.keys()) {
      await sim.world.client.delete('VolumeAttachmentRecord', name);
    }
    await sim.until('it has begun', () => restore(sim)?.phase === 'Saving', PATIENCE_MS);
    await sim.applyPlan([MOUNTED]);
    const isHeld = () => ['Saving', 'Removing'].includes(restore(sim)?.phase ?? '');
    await sim.until(
      'it is made of the new copies',
      () => {
        const mounts = sim.nodes.flatMap((node) => [...sim.gluster.state.node(node).mounts.values()]);
        expect(isHeld() && mounts.length > 0).toBe(false);
        return !isHeld();
      },
      PATIENCE_MS,
    );
    await sim.until('it is done', () => isOver(sim, 'kept'), PATIENCE_MS);
    await expectRestored(sim, before, 'kept');
  });

  it('keeps the snapshot that it is to hold until it does, and is as it was when the wish is taken back', async () => {
    const sim = await prepare();
    const before = placedCopies(sim);
    await wish(sim, 'kept');
    await sim.until('it has begun', () => restore(sim)?.phase === 'Saving', PATIENCE_MS);
    await sim.world.client.delete('VolumeSnapshotRecord', 's1');
    await sim.world.client.patch('Volume', 'gv0', { spec: { restoreFrom: null } });
    await sim.until('it is taken back', () => restore(sim)?.phase === 'Failed', PATIENCE_MS);
    await sim.until('s1 goes now', () => snapshot(sim, 's1') === undefined, PATIENCE_MS);
    await sim.until('its new copies are gone', () => sim.seen.VolumeCopy.size === before.length, PATIENCE_MS);
    expect(placedCopies(sim)).toEqual(before);
    await expectWhole(sim, 'gv0');
  });

  it('finishes one restoration before it begins the next', async () => {
    const sim = await prepare();
    const before = placedCopies(sim);
    await wish(sim, 'first');
    await sim.until('it has begun', () => restore(sim)?.phase === 'Saving', PATIENCE_MS);
    await wish(sim, 'second');
    await sim.until('the second is done', () => isOver(sim, 'second'), PATIENCE_MS);
    const kept = (name: string) => Object.keys(snapshot(sim, name)?.status?.copies ?? {});
    expect(restore(sim)?.phase).toBe('Done');
    expect(snapshot(sim, 'first')?.status?.phase).toBe('Ready');
    expect(kept('first')).toEqual(before);
    expect(kept('second').some((copy) => before.includes(copy))).toBe(false);
    await expectRestored(sim, kept('second'), 'second');
  });

  it('that is deleted meanwhile is wholly gone, whatever phase it was in', async () => {
    for (const phase of ['Saving', 'Removing', 'Starting'] as const) {
      const sim = await prepare();
      await wish(sim, 'kept');
      await sim.until(`it is ${phase}`, () => restore(sim)?.phase === phase, PATIENCE_MS);
      await deleteVolumeAndMounts(sim, 'gv0');
      await sim.until('it is gone', () => sim.seen.Volume.size + sim.seen.VolumeCopy.size === 0, PATIENCE_MS);
      expect(sim.gluster.residue()).toEqual([]);
    }
  });
});
