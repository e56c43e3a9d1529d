/** What volumes are made of changes, under a writer and under faults: no copy is given up that something depends on. */
import { describe, expect, it } from 'vitest';
import type { PlanVolume } from '../../src/schemas/plan-file.ts';
import { runChaos } from './chaos.ts';
import { CONTROLLER, createSimCluster, type SimCluster } from './cluster.ts';
import { expectWhole, isWhole } from './expectations.ts';
import { seeds, withSeed } from './seeds.ts';
import { paceOf } from './sim-engine.ts';
import { expectTidy } from './tidy.ts';

const NODES = ['kube1', 'kube2', 'kube3', 'kube4'] as const;
const PATIENCE_MS = 10 * 60_000;

type Layout = 'single' | 'replicated' | 'arbiter';
const volume = (layout: Layout): PlanVolume => ({
  ...{ name: 'gv0', size: '1Gi', layout },
  mount: { path: '/data', nodes: 'all' },
});

async function whole(seed: number, layout: Layout): Promise<SimCluster> {
  const sim = await createSimCluster(seed, { nodes: NODES, pace: paceOf(seed) });
  await sim.applyPlan([volume(layout)]);
  await expectWhole(sim, 'gv0');
  return sim;
}

const placementOf = (sim: SimCluster) => sim.seen.Volume.get('gv0')?.status?.placement ?? [];
const rolesOf = (sim: SimCluster) =>
  placementOf(sim)
    .map((placed) => placed.role)
    .join();

/** No change is under way, and no copy is left that is not placed. */
function isSettled(sim: SimCluster): boolean {
  const isMarked = placementOf(sim).some((placed) => placed.replaces ?? placed.isJoining ?? placed.isLeaving);
  return !isMarked && sim.seen.VolumeCopy.size === placementOf(sim).length && isWhole(sim, 'gv0');
}

const drain = (sim: SimCluster, node: string) =>
  sim.world.client.patch('StorageNode', node, { spec: { isDraining: true } });
const isDrained = (sim: SimCluster, node: string) =>
  isSettled(sim) && [...sim.seen.VolumeCopy.values()].every((copy) => copy.spec.node !== node);

describe('a node that is drained', () => {
  it.each<Layout>(['single', 'replicated', 'arbiter'])('gives its copy of a volume (%s) to another', async (layout) => {
    for (const seed of seeds(3)) {
      await withSeed(seed, async () => {
        const sim = await whole(seed, layout);
        const [node, roles] = [placementOf(sim)[0]?.node ?? '', rolesOf(sim)];
        await drain(sim, node);
        await sim.until(`${node} is drained`, () => isDrained(sim, node), PATIENCE_MS);
        await expectTidy(sim);
        expect(rolesOf(sim)).toBe(roles);
      });
    }
  });

  it.each<Layout>(['single', 'replicated', 'arbiter'])('does so (%s) under faults of everything', async (layout) => {
    for (const seed of seeds(6)) {
      await withSeed(seed, async () => {
        const sim = await whole(seed, layout);
        const [node, roles] = [placementOf(sim)[0]?.node ?? '', rolesOf(sim)];
        await drain(sim, node);
        await runChaos(sim, { seed, forMs: 60_000, everyMs: 2_500 });
        // While nothing has room for the arbiter that made way it is settled without one.
        const isDone = () => isDrained(sim, node) && rolesOf(sim) === roles;
        await sim.until(`${node} is drained`, isDone, PATIENCE_MS);
        await expectTidy(sim);
      });
    }
  });
});

describe('a volume that is converted', () => {
  const convert = (sim: SimCluster, layout: Layout, replicas: number) =>
    sim.world.client.patch('Volume', 'gv0', { spec: { layout, replicas } });

  it.each<[Layout, Layout, number, string]>([
    ['arbiter', 'replicated', 3, 'data,data,data'],
    ['replicated', 'arbiter', 2, 'data,data,arbiter'],
    ['single', 'replicated', 3, 'data,data,data'],
    ['replicated', 'single', 1, 'data'],
  ])('from %s to %s %i', async (from, to, replicas, roles) => {
    for (const seed of seeds(3)) {
      await withSeed(seed, async () => {
        const sim = await whole(seed, from);
        await convert(sim, to, replicas);
        await runChaos(sim, { seed, forMs: 40_000 });
        await sim.until('it is converted', () => rolesOf(sim) === roles && isSettled(sim), PATIENCE_MS);
        await expectTidy(sim);
      });
    }
  });
});

describe('a copy that is lost', () => {
  it('is replaced with its node away, which on its return serves nothing and gives back what it has', async () => {
    for (const seed of seeds(4)) {
      await withSeed(seed, async () => {
        const sim = await whole(seed, 'replicated');
        const [lost] = placementOf(sim);
        if (lost === undefined) throw new Error('nothing is placed');
        sim.powerOff(lost.node);
        await sim.pass(10_000);
        const writer = placementOf(sim)[1]?.node ?? '';
        expect(sim.gluster.write(writer, 'gv0', 3)).toBe(true);
        await sim.world.client.patch('VolumeCopy', lost.copy, { spec: { replacement: { reason: 'NodeLost' } } });
        const isReplaced = () => placementOf(sim).every((placed) => placed.node !== lost.node && !placed.replaces);
        await sim.until('it is replaced', isReplaced, PATIENCE_MS);
        sim.powerOn(lost.node);
        await sim.until('nothing of it is left', () => isSettled(sim), PATIENCE_MS);
      });
    }
  });

  it('is let go of when its node is no node any more', async () => {
    const sim = await whole(1, 'replicated');
    const [lost] = placementOf(sim);
    if (lost === undefined) throw new Error('nothing is placed');
    sim.powerOff(lost.node);
    await sim.world.client.patch('VolumeCopy', lost.copy, { spec: { replacement: { reason: 'NodeLost' } } });
    await sim.until('it is released', () => sim.seen.VolumeCopy.get(lost.copy)?.spec.isReleased === true, PATIENCE_MS);
    await sim.pass(30_000);
    expect(sim.seen.VolumeCopy.has(lost.copy)).toBe(true);
    await sim.world.client.delete('StorageNode', lost.node);
    await sim.until('it is gone', () => !sim.seen.VolumeCopy.has(lost.copy), PATIENCE_MS);
  });
});

describe('a copy that is lost while another one of its volume moves', () => {
  const FIVE = [...NODES, 'kube5'] as const;
  const heldBy = (sim: SimCluster) => sim.gluster.state.volumes.get('gv0')?.bricks.map(({ node }) => node) ?? [];
  const messageOf = (sim: SimCluster) =>
    sim.seen.Volume.get('gv0')?.status?.conditions?.find(({ type }) => type === 'Settled')?.message ?? '';

  async function moving(seed: number) {
    const sim = await createSimCluster(seed, { nodes: FIVE, pace: paceOf(seed) });
    await sim.applyPlan([volume('replicated')]);
    await expectWhole(sim, 'gv0');
    const [from, lost, kept] = placementOf(sim);
    if (from === undefined || lost === undefined || kept === undefined) throw new Error('three are placed');
    await drain(sim, from.node);
    return { sim, from, lost, kept };
  }
  const isMarkedNow = (sim: SimCluster) => placementOf(sim).some((placed) => placed.replaces !== undefined);

  it.each([
    ['is prepared', (sim: SimCluster, from: string) => isMarkedNow(sim) && heldBy(sim).includes(from)],
    ['is filled', (sim: SimCluster, from: string) => isMarkedNow(sim) && !heldBy(sim).includes(from)],
  ])('is said, and then replaced too, when that one %s', async (_when, isMoment) => {
    for (const seed of seeds(3)) {
      await withSeed(seed, async () => {
        const { sim, from, lost, kept } = await moving(seed);
        await sim.until('the moment', () => isMoment(sim, from.node), PATIENCE_MS);
        sim.powerOff(lost.node);
        const what = `what is on ${lost.node} must serve first: bring it back, or, if that is gone for good: holdfast node replace ${lost.node}`;
        await sim.until('it is said', () => messageOf(sim).includes(what), PATIENCE_MS);
        expect(sim.gluster.write(kept.node, 'gv0', 2)).toBe(true);
        await sim.world.client.patch('VolumeCopy', lost.copy, { spec: { replacement: { reason: 'NodeLost' } } });
        if (seed % 2 === 0) sim.kill(seed % 4 === 0 ? CONTROLLER : kept.node);
        const gone = [from.node, lost.node];
        const isDone = () => !isMarkedNow(sim) && placementOf(sim).every(({ node }) => !gone.includes(node));
        await sim.until('both are replaced', isDone, PATIENCE_MS);
        sim.powerOn(lost.node);
        await sim.until('nothing of them is left', () => isSettled(sim), PATIENCE_MS);
        await expectTidy(sim);
      });
    }
  });

  it('holds up nothing any more when it is back', async () => {
    const { sim, from, lost } = await moving(1);
    await sim.until('it is filled', () => isMarkedNow(sim) && !heldBy(sim).includes(from.node), PATIENCE_MS);
    sim.powerOff(lost.node);
    await sim.pass(60_000);
    expect(isMarkedNow(sim)).toBe(true);
    sim.powerOn(lost.node);
    await sim.until('it is drained', () => isDrained(sim, from.node), PATIENCE_MS);
    expect(placementOf(sim).map(({ copy }) => copy)).toContain(lost.copy);
  });
});

describe('a volume whose arbiter makes way for a third copy', () => {
  const isTold = (sim: SimCluster) => placementOf(sim).some((placed) => placed.isLeaving === true);
  const isAsked = (sim: SimCluster) => sim.lastStep()?.step === 'removeBrick';

  it.each([
    ['the arbiter is told to go', isTold],
    ['the engine is asked to take it out', isAsked],
  ])('gets its lost copy replaced, though that and two programs die when %s', async (when, isMoment) => {
    for (const seed of seeds(4)) {
      await withSeed(seed, async () => {
        const sim = await whole(seed, 'arbiter');
        const lost = placementOf(sim).findLast((placed) => placed.role === 'data');
        if (lost === undefined) throw new Error('nothing is placed');
        await sim.world.client.patch('VolumeCopy', lost.copy, { spec: { replacement: { reason: 'DiskLost' } } });
        await sim.until(when, () => isMoment(sim), PATIENCE_MS);
        sim.powerOff(lost.node);
        sim.kill(sim.seen.Volume.get('gv0')?.status?.anchor ?? '');
        sim.kill(CONTROLLER);
        const isReplaced = () => placementOf(sim).every((placed) => placed.node !== lost.node && !placed.replaces);
        await sim.until('it is replaced', () => isReplaced() && rolesOf(sim) === 'data,data,arbiter', PATIENCE_MS);
        sim.powerOn(lost.node);
        await sim.until('nothing of it is left', () => isSettled(sim), PATIENCE_MS);
        expect(placementOf(sim).map((placed) => placed.copy)).not.toContain(lost.copy);
        expect(rolesOf(sim)).toBe('data,data,arbiter');
      });
    }
  });
});

describe('a program that dies while a copy moves', () => {
  async function prepare(): Promise<{ readonly sim: SimCluster; readonly node: string }> {
    const sim = await createSimCluster(1, { nodes: NODES });
    await sim.applyPlan([{ name: 'gv0', size: '1Gi', layout: 'arbiter' }]);
    await expectWhole(sim, 'gv0');
    return { sim, node: placementOf(sim)[0]?.node ?? '' };
  }
  const act = async (sim: SimCluster, node: string) => {
    await drain(sim, node);
    await sim.until('it is drained', () => isDrained(sim, node), PATIENCE_MS);
  };

  it.each([CONTROLLER, ...NODES])('%s, before and after each of its writes', async (who) => {
    const { sim: calm, node } = await prepare();
    const before = calm.process(who)?.writes() ?? 0;
    await act(calm, node);
    const writes = (calm.process(who)?.writes() ?? 0) - before;
    for (let nth = 1; nth <= writes; nth += 1) {
      for (const when of ['before', 'after'] as const) {
        const { sim } = await prepare();
        const process = sim.process(who);
        process?.killAtWrite(process.writes() + nth, when);
        await act(sim, node);
        expect(process?.isAlive(), `${who} dies ${when} write ${nth} of ${writes}`).toBe(false);
      }
    }
  });

  it.each(NODES)('the agent of %s, before and after each of its steps', async (who) => {
    const { sim: calm, node } = await prepare();
    const before = calm.steps(who);
    await act(calm, node);
    const steps = calm.steps(who) - before;
    for (let nth = 1; nth <= steps; nth += 1) {
      for (const when of ['before', 'after'] as const) {
        const { sim } = await prepare();
        const process = sim.process(who);
        sim.crashAtStep(who, { step: sim.steps(who) + nth, when });
        await act(sim, node);
        expect(process?.isAlive(), `${who} dies ${when} step ${nth} of ${steps}`).toBe(false);
      }
    }
  });
});
