/** The simulator's own promises: faults do what they say, the dead stay dead, the same seed gives the same run. */
import { describe, expect, it } from 'vitest';
import { createInformer } from '../../src/controllers/runtime/informer.ts';
import { createReconcileLoop, watchKeys } from '../../src/controllers/runtime/reconcile-loop.ts';
import type { FaultRates } from '../../src/ports/faulty-client.fake.ts';
import { createWorld, type SimProcess } from './world.ts';

const ROUGH: FaultRates = { failBefore: 0.2, failAfter: 0.2, breakWatch: 0.2 };

/** A small controller: each namespace gets a label that says that it was seen. */
function startLabeller({ deps }: SimProcess): AbortController {
  const stop = new AbortController();
  const informer = createInformer(deps, { kind: 'Namespace', idleMs: 15_000 });
  const loop = createReconcileLoop(deps, {
    name: 'labeller',
    watches: [watchKeys(informer, ({ metadata }) => [metadata.name])],
    reconcile: async (name, signal) => {
      const namespace = informer.get(name);
      if (namespace === undefined || namespace.metadata.labels?.['seen'] === 'yes') return undefined;
      const { resourceVersion } = namespace.metadata;
      await deps.client.patch(
        'Namespace',
        name,
        { metadata: { labels: { seen: 'yes' } } },
        { resourceVersion, signal },
      );
      return undefined;
    },
  });
  void informer.run(stop.signal);
  void loop.run(stop.signal);
  return stop;
}

async function addNamespaces(world: Awaited<ReturnType<typeof createWorld>>, count: number): Promise<void> {
  for (let at = 0; at < count; at += 1) await world.client.create('Namespace', { metadata: { name: `n${at}` } });
}

const allSeen = (world: Awaited<ReturnType<typeof createWorld>>) => async () =>
  (await world.client.list('Namespace')).items.every(({ metadata }) => metadata.labels?.['seen'] === 'yes');

describe('createWorld', () => {
  it.each([1, 2, 3, 4, 5])('ends whole under rough connections and cuts (seed %i)', async (seed) => {
    const world = await createWorld(seed);
    const process = world.createProcess('labeller', ROUGH);
    const stop = startLabeller(process);
    await addNamespaces(world, 10);
    await world.clock.advance(500);
    process.connection.cut();
    await world.client.create('Namespace', { metadata: { name: 'while-cut' } });
    await world.clock.advance(20_000);
    process.connection.mend();
    expect(await world.runUntil(allSeen(world), 10 * 60_000), `seed ${seed}`).toBe(true);
    stop.abort();
  });

  it('gives the same run for the same seed, and another for another', async () => {
    const run = async (seed: number) => {
      const world = await createWorld(seed);
      const process = world.createProcess('labeller', ROUGH);
      startLabeller(process);
      await addNamespaces(world, 5);
      await world.runUntil(allSeen(world), 10 * 60_000);
      return {
        at: world.clock.monotonic(),
        log: process.deps.log.entries.map(({ message, fields }) => [message, fields['key']]),
      };
    };
    const [first, again, other] = [await run(11), await run(11), await run(12)];
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
  });

  it('kills a process at any of its writes, before or after it takes effect, and its successor finishes the work', async () => {
    for (const when of ['before', 'after'] as const) {
      for (let write = 1; write <= 6; write += 1) {
        const world = await createWorld(write);
        await addNamespaces(world, 5);
        const first = world.createProcess('first');
        first.killAtWrite(write, when);
        startLabeller(first);
        await world.clock.advance(60_000);
        const { items } = await world.client.list('Namespace');
        const seen = items.filter(({ metadata }) => metadata.labels?.['seen'] === 'yes').length;
        expect([first.isAlive(), first.writes(), seen]).toEqual([false, write, when === 'before' ? write - 1 : write]);
        startLabeller(world.createProcess('second'));
        expect(await world.runUntil(allSeen(world), 60_000)).toBe(true);
      }
    }
  });

  it('leaves no timer of a dead process behind', async () => {
    const world = await createWorld(1);
    const process = world.createProcess('labeller');
    startLabeller(process);
    await world.clock.advance(1_000);
    expect(world.clock.timerCount()).toBeGreaterThan(0);
    process.kill();
    await world.clock.settle();
    expect(world.clock.timerCount()).toBe(0);
  });
});
