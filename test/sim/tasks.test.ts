/** A choice in a split-brain while programs die before and after every single write: no version is ever lost. */
import { describe, expect, it } from 'vitest';
import { isFinished } from '../../src/domain/task/sum-up-task.ts';
import type { EntryVersion } from '../../src/ports/brick-work.ts';
import type { PlanVolume } from '../../src/schemas/plan-file.ts';
import type { TaskStatus } from '../../src/schemas/task.ts';
import { CONTROLLER, createSimCluster, type SimCluster } from './cluster.ts';
import { expectWhole } from './expectations.ts';
import { withSeed } from './seeds.ts';

const SEED = 1;
const VOLUME: PlanVolume = { name: 'gv0', size: '1Gi', layout: 'replicated', replicas: 3 };
const PATH = '/notes';
const PROGRAMS = [CONTROLLER, 'kube1', 'kube2', 'kube3'] as const;
const DEADLINE_MS = 120_000;

const versionOf = (node: string): EntryVersion => ({
  ...{ type: 'file', gfid: 'g', sizeBytes: 9, modifiedAt: '', owner: '0:0', mode: '0644', sha256: `of ${node}` },
});

/** A volume that is whole but for one file, of which each copy has its own version. */
async function prepare(
  kind: Partial<PlanVolume> = {},
  nodes: readonly string[] = ['kube1', 'kube2', 'kube3'],
): Promise<SimCluster> {
  const sim = await createSimCluster(SEED, { nodes });
  await sim.applyPlan([{ ...VOLUME, ...kind }]);
  await expectWhole(sim, 'gv0');
  const { items } = await sim.world.client.list('VolumeCopy');
  for (const copy of items) sim.work.versions.set(`${copy.status?.path}${PATH}`, versionOf(copy.spec.node));
  sim.work.splitBrains.set('gv0', [{ path: PATH, kind: 'content' }]);
  return sim;
}

async function choose(sim: SimCluster): Promise<TaskStatus | undefined> {
  const volume = await sim.world.client.get('Volume', 'gv0');
  const about = { volume: 'gv0', volumeUid: volume?.metadata.uid };
  const spec = { action: 'resolveSplitBrain', ...about, path: PATH, keep: 'kube2' };
  await sim.world.client.create('Task', { metadata: { name: 'choice' }, spec });
  let status: TaskStatus | undefined;
  const isOver = await sim.world.runUntil(async () => {
    status = (await sim.world.client.get('Task', 'choice'))?.status;
    return isFinished(status);
  }, DEADLINE_MS);
  expect(isOver, JSON.stringify(status, undefined, 1)).toBe(true);
  return status;
}

async function resolve(sim: SimCluster): Promise<void> {
  const status = await choose(sim);
  expect(status, JSON.stringify(status, undefined, 1)).toMatchObject({ state: 'Succeeded', progress: 100 });
}

function expectNothingLost({ work }: SimCluster): void {
  expect(work.splitBrains.get('gv0')).toEqual([]);
  expect(new Set([...work.versions.values()].map((version) => version.sha256))).toEqual(new Set(['of kube2']));
  // What was put aside is what each copy held before the choice, however often the work began anew.
  const aside = [...work.saved.values()].map((version) => version.sha256 ?? 'nothing').toSorted();
  expect(aside).toEqual(['of kube1', 'of kube2', 'of kube3']);
  const chosen = work.calls.findIndex((call) => call.startsWith('keepVersion'));
  const before = new Set(work.calls.slice(0, chosen).filter((call) => call.startsWith('saveEntry')));
  expect(before.size).toBe(3);
}

describe('a choice in a split-brain', () => {
  it('keeps one version and puts every one aside first', async () => {
    const sim = await prepare();
    await resolve(sim);
    expectNothingLost(sim);
  });

  it('leaves no folder listed in which an entry was made on several nodes at once', async () => {
    const sim = await prepare();
    sim.work.splitBrains.set('gv0', [{ path: PATH, kind: 'identity' }]);
    await resolve(sim);
    expectNothingLost(sim);
    expect(sim.work.calls.filter((call) => call.startsWith('startHeal'))).toEqual(['startHeal gv0']);
  });

  it.each(PROGRAMS)('loses nothing when %s dies before or after any of its writes', async (who) => {
    const count = await prepare();
    const writesBefore = count.process(who)?.writes() ?? 0;
    await resolve(count);
    const writes = (count.process(who)?.writes() ?? 0) - writesBefore;
    expect(writes).toBeGreaterThan(0);
    for (let nth = 1; nth <= writes; nth += 1) {
      for (const when of ['before', 'after'] as const) {
        await withSeed(SEED, async () => {
          const sim = await prepare();
          const process = sim.process(who);
          process?.killAtWrite(process.writes() + nth, when);
          await resolve(sim);
          expectNothingLost(sim);
        });
      }
    }
  });

  it('fails with a reason, and changes nothing, when a node with a copy is gone for longer', async () => {
    const sim = await prepare();
    sim.powerOff('kube3');
    await sim.pass(10_000);
    const volume = await sim.world.client.get('Volume', 'gv0');
    const about = { volume: 'gv0', volumeUid: volume?.metadata.uid };
    const spec = { action: 'resolveSplitBrain', ...about, path: PATH, keep: 'kube2' };
    await sim.world.client.create('Task', { metadata: { name: 'choice' }, spec });
    const failed = async () => (await sim.world.client.get('Task', 'choice'))?.status?.state === 'Failed';
    expect(await sim.world.runUntil(failed, DEADLINE_MS)).toBe(true);
    const task = await sim.world.client.get('Task', 'choice');
    expect(task?.status?.message).toContain('node kube3 has been away');
    expect(sim.work.calls.filter((call) => call.startsWith('keepVersion'))).toEqual([]);
  });

  it('puts the version of a copy aside that is being replaced, as long as the volume is made of it', async () => {
    const sim = await prepare({}, ['kube1', 'kube2', 'kube3', 'kube4']);
    const placement = () => sim.seen.Volume.get('gv0')?.status?.placement ?? [];
    const node = placement().at(-1)?.node ?? '';
    await sim.world.client.patch('StorageNode', node, { spec: { isDraining: true } });
    await sim.until('a new copy is placed', () => placement().some((placed) => placed.replaces !== undefined), 10_000);
    expect(placement().map((placed) => placed.node)).not.toContain(node);
    expect(await choose(sim)).toMatchObject({ state: 'Succeeded' });
    expect([...sim.work.saved.values()].map((version) => version.sha256)).toContain(`of ${node}`);
  });

  it.each([{ shard: true }, { profile: 'large-files' as const }])(
    'is refused where files are kept in pieces (%j): one of them chosen would mix versions',
    async (kind) => {
      const sim = await prepare(kind);
      expect((await choose(sim))?.state).toBe('Failed');
      expect(sim.work.calls).toEqual([]);
    },
  );

  it.each(['kube1', 'kube2', 'kube3'])(
    'waits while the agent of %s, started anew, has not heard yet which copies it has',
    async (who) => {
      const sim = await prepare();
      sim.withholdLists(who, 'VolumeCopy', true);
      sim.kill(who);
      await sim.pass(10_000);
      const resolved = resolve(sim);
      await sim.world.clock.settle();
      const heard = sim.world.clock.sleep(20_000).then(() => sim.withholdLists(who, 'VolumeCopy', false));
      await Promise.all([resolved, heard]);
      expectNothingLost(sim);
    },
  );
});
