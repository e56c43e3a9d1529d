import { describe, expect, test } from 'vitest';
import { planAdoption } from '../../domain/adopt/plan-adoption.ts';
import { seenPool, seenVolume } from '../../domain/adopt/pool.fake.ts';
import type { SeenPool } from '../../domain/adopt/seen-pool.ts';
import { createFakeClock } from '../../ports/clock.fake.ts';
import { PlanFile } from '../../schemas/plan-file.ts';
import { createFakeCluster } from '../cluster.fake.ts';
import { deleteVolume } from '../volumes/delete-volume.ts';
import { adoptPool } from './adopt-pool.ts';
import { applyPlan } from './apply-plan.ts';

const { signal } = new AbortController();
const POOL = seenPool([seenVolume()]);
const readerOf = (pool: SeenPool) => ({ read: async () => pool });

function planFile(plan: PlanFile | undefined) {
  const written: string[] = [];
  const file = {
    plan,
    add: (found: object) => ({
      text: JSON.stringify(found),
      write: async () => void written.push(JSON.stringify(found)),
    }),
  };
  return { file, written };
}

describe('adopting a pool', () => {
  test('writes once, and nothing in a rehearsal or when the plan has everything', async () => {
    const { file, written } = planFile(undefined);
    const dry = await adoptPool({ reader: readerOf(POOL), file }, { isDryRun: true, signal });
    expect(dry).toMatchObject({ isWritten: false, isAddition: false });
    expect(written).toEqual([]);
    const done = await adoptPool({ reader: readerOf(POOL), file }, { isDryRun: false, signal });
    expect(done.isWritten).toBe(true);
    expect(written).toHaveLength(1);
    const known = planFile(PlanFile.parse({ storage: { nodes: done.nodes }, volumes: done.volumes }));
    const again = await adoptPool({ reader: readerOf(POOL), file: known.file }, { isDryRun: false, signal });
    expect(again).toMatchObject({ isWritten: false, isAddition: true, known: ['gv0'] });
    expect(known.written).toEqual([]);
  });

  test('with nothing that can be adopted writes nothing and says why', async () => {
    const { file, written } = planFile(undefined);
    const reader = readerOf(seenPool([seenVolume({ state: 'stopped' })]));
    await expect(adoptPool({ reader, file }, { isDryRun: false, signal })).rejects.toMatchObject({
      reason: 'NothingToAdopt',
      faults: [{ field: 'volume gv0', message: expect.stringContaining('start it first') }],
    });
    expect(written).toEqual([]);
  });
});

describe('a plan with an adopted volume', () => {
  const found = planAdoption(POOL);
  const planned = (changes: object = {}) =>
    PlanFile.parse({
      storage: { expected_count: 3, nodes: found.nodes },
      volumes: found.volumes.map((volume) => ({ ...volume, adopted: { ...volume.adopted, ...changes } })),
    });

  test('is stored as it was found, changes nothing when applied again, and takes options on or leaves them', async () => {
    const { client } = await createFakeCluster();
    await applyPlan({ client }, planned());
    const stored = (await client.get('Volume', 'gv0'))?.spec;
    expect(stored).toMatchObject({ brick: 'directory', layout: 'replicated', adopted: found.volumes[0]?.adopted });
    const again = await applyPlan({ client }, planned());
    expect(new Set(again.changes.map(({ action }) => action))).toEqual(new Set(['unchanged']));
    await applyPlan({ client }, planned({ takesOptions: true }));
    expect((await client.get('Volume', 'gv0'))?.spec.adopted?.takesOptions).toBe(true);
    await applyPlan({ client }, planned());
    expect((await client.get('Volume', 'gv0'))?.spec.adopted?.takesOptions).toBeUndefined();
  });

  test('never becomes another volume', async () => {
    const { client } = await createFakeCluster();
    await applyPlan({ client }, planned());
    const other = planned({ engineId: '07a54678-6830-4945-b070-7ca00442e0cc' });
    await expect(applyPlan({ client }, other)).rejects.toMatchObject({
      faults: [{ field: 'volume gv0 adopted', message: expect.stringContaining('another volume of the engine') }],
    });
  });

  test.each([
    [undefined, undefined],
    [true, true],
  ])('is deleted as was said just then: removeFromEngine %s', async (removeFromEngine, stored) => {
    const { client } = await createFakeCluster();
    // What somebody else had said before does not count.
    await applyPlan({ client }, planned());
    await client.patch('Volume', 'gv0', { spec: { adopted: { isRemovedFromEngine: true } } });
    const confirm = async () => true;
    const options = { confirm, ...(removeFromEngine === undefined ? {} : { removeFromEngine }) };
    const deleted = await deleteVolume({ client, clock: createFakeClock() }, 'gv0', options);
    expect(deleted.leftBehind).toContain('kube3:/mnt/glusterVolume0');
    expect((await client.get('Volume', 'gv0'))?.spec.adopted?.isRemovedFromEngine).toBe(stored);
  });
});
