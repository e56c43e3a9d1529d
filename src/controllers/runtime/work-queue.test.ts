import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../ports/clock.fake.ts';
import { createSeededRandom } from '../../ports/random.fake.ts';
import { createWorkQueue } from './work-queue.ts';

function setUp(workers = 1) {
  const clock = createFakeClock();
  const queue = createWorkQueue({ clock, random: createSeededRandom(1) });
  const done: { key: string; at: number }[] = [];
  const start = clock.monotonic();
  const stop = new AbortController();
  let hold: Promise<void> = Promise.resolve();
  const ended = queue.run(
    workers,
    async (key) => {
      await hold;
      done.push({ key, at: clock.monotonic() - start });
    },
    stop.signal,
  );
  const holdAll = () => {
    const gate = Promise.withResolvers<void>();
    hold = gate.promise;
    return gate.resolve;
  };
  return { clock, queue, done, stop, ended, holdAll };
}

describe('createWorkQueue', () => {
  it('works on a key once, however often it was added before', async () => {
    const { clock, queue, done } = setUp();
    queue.add('a');
    queue.add('b');
    queue.add('a');
    await clock.settle();
    expect(done.map(({ key }) => key)).toEqual(['a', 'b']);
  });

  it('works on a key again that was added in the middle of the work on it', async () => {
    const { clock, queue, done, holdAll } = setUp(2);
    const release = holdAll();
    queue.add('a');
    await clock.settle();
    queue.add('a');
    queue.add('a');
    await clock.settle();
    expect(queue.stats()).toMatchObject({ active: 1, depth: 0 });
    release();
    await clock.settle();
    expect(done.map(({ key }) => key)).toEqual(['a', 'a']);
  });

  it('keeps the earliest of several due times', async () => {
    const { clock, queue, done } = setUp();
    queue.addAfter('a', 1_000);
    queue.addAfter('a', 100);
    queue.addAfter('a', 5_000);
    await clock.advance(10_000);
    expect(done).toEqual([{ key: 'a', at: 100 }]);
  });

  it('fires several delayed keys in the order of their due times', async () => {
    const { clock, queue, done } = setUp();
    for (const ms of [50, 10, 40, 20, 30]) queue.addAfter(`k${ms}`, ms);
    await clock.advance(60);
    expect(done.map(({ at }) => at)).toEqual([10, 20, 30, 40, 50]);
    expect(clock.timerCount()).toBe(0);
  });

  it('doubles the delay of a failing key up to five minutes, and starts over when it is forgotten', async () => {
    const { clock, queue, done } = setUp();
    const delays: number[] = [];
    const failOnce = async () => {
      const before = clock.monotonic();
      queue.addRateLimited('a');
      while (done.length === delays.length) await clock.advanceToNextTimer();
      delays.push(clock.monotonic() - before);
    };
    for (let failure = 0; failure < 20; failure += 1) await failOnce();
    const full = delays.map((_, failure) => Math.min(300_000, 5 * 2 ** failure));
    for (const [at, delay] of delays.entries()) {
      expect(delay).toBeLessThanOrEqual(full[at] ?? 0);
      expect(delay).toBeGreaterThanOrEqual(Math.max(5, (full[at] ?? 0) / 2));
    }
    expect(queue.stats().retries).toBe(20);
    queue.forget('a');
    await failOnce();
    expect(delays.at(-1)).toBe(5);
  });

  it('waits at shutdown for the key in hand, drops the rest and takes nothing more', async () => {
    const { clock, queue, done, stop, ended, holdAll } = setUp();
    const release = holdAll();
    queue.add('a');
    queue.add('b');
    queue.addAfter('c', 10);
    await clock.settle();
    stop.abort();
    let hasEnded = false;
    const end = ended.then(() => {
      hasEnded = true;
    });
    queue.add('d');
    await clock.advance(20);
    expect(hasEnded).toBe(false);
    release();
    await end;
    expect(done.map(({ key }) => key)).toEqual(['a']);
    expect(clock.timerCount()).toBe(0);
  });
});
