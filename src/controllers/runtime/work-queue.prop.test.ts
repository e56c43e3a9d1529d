import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFakeClock, type FakeClock } from '../../ports/clock.fake.ts';
import { createSeededRandom } from '../../ports/random.fake.ts';
import { createWorkQueue, type WorkQueue } from './work-queue.ts';

/** What must be true of the queue, said with sets: keys owed a run that begins after they were asked for. */
interface Model {
  /** Asked for, and no run has begun since. */
  readonly owed: Set<string>;
  readonly running: Set<string>;
}

interface Real {
  readonly queue: WorkQueue;
  readonly clock: FakeClock;
  /** Ends the work on a key. */
  readonly finish: Map<string, () => void>;
  readonly faults: string[];
}

const KEYS = ['a', 'b', 'c', 'd'];
const key = fc.constantFrom(...KEYS);

function command(name: string, run: (model: Model, real: Real) => Promise<void>): fc.AsyncCommand<Model, Real> {
  return { check: () => true, run, toString: () => name };
}

const commands = [
  key.map((each) =>
    command(`add ${each}`, async (model, { queue, clock }) => {
      model.owed.add(each);
      queue.add(each);
      await clock.settle();
    }),
  ),
  fc.tuple(key, fc.nat(1_000)).map(([each, ms]) =>
    command(`addAfter ${each} ${ms}`, async (model, { queue }) => {
      model.owed.add(each);
      queue.addAfter(each, ms);
    }),
  ),
  key.map((each) =>
    command(`addRateLimited ${each}`, async (model, { queue }) => {
      model.owed.add(each);
      queue.addRateLimited(each);
    }),
  ),
  key.map((each) => command(`forget ${each}`, async (_model, { queue }) => queue.forget(each))),
  key.map((each) =>
    command(`finish ${each}`, async (_model, { finish, clock }) => {
      finish.get(each)?.();
      await clock.settle();
    }),
  ),
  fc.nat(2_000).map((ms) => command(`advance ${ms}`, (_model, { clock }) => clock.advance(ms))),
];

function setUp(workers: number): { model: Model; real: Real; stop: () => Promise<void> } {
  const clock = createFakeClock();
  const queue = createWorkQueue({ clock, random: createSeededRandom(7) });
  const model: Model = { owed: new Set(), running: new Set() };
  const real: Real = { queue, clock, finish: new Map(), faults: [] };
  const stop = new AbortController();
  const process = (each: string): Promise<void> => {
    if (model.running.has(each)) real.faults.push(`two workers on ${each}`);
    if (model.running.size >= workers) real.faults.push('more keys at once than workers');
    model.running.add(each);
    model.owed.delete(each);
    return new Promise((resolve) => {
      real.finish.set(each, () => {
        model.running.delete(each);
        real.finish.delete(each);
        resolve();
      });
    });
  };
  const ended = queue.run(workers, process, stop.signal);
  const finishAll = async () => {
    for (const finish of [...real.finish.values()]) finish();
    await clock.settle();
  };
  return {
    model,
    real,
    stop: async () => {
      // Everything planned lies within the longest backoff of a handful of failures; then all work is allowed to end.
      await clock.advance(10 * 60_000);
      for (let round = 0; round < KEYS.length * 3; round += 1) await finishAll();
      stop.abort();
      await ended;
    },
  };
}

describe('work queue', () => {
  it('never has two workers on one key and never loses one that was added', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.commands(commands, { maxCommands: 40 }),
        fc.integer({ min: 1, max: 3 }),
        async (run, workers) => {
          const { model, real, stop } = setUp(workers);
          await fc.asyncModelRun(() => ({ model, real }), run);
          await stop();
          expect(real.faults).toEqual([]);
          expect([...model.owed]).toEqual([]);
          expect(real.queue.stats()).toMatchObject({ depth: 0, delayed: 0, active: 0 });
        },
      ),
      { numRuns: 150 },
    );
  });
});
