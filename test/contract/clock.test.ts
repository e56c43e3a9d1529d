/** What every Clock and Random promises, on the machine's own and on the fakes. */
import { describe, expect, it } from 'vitest';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { createSystemRandom } from '../../src/adapters/system/random.ts';
import { createFakeClock } from '../../src/ports/clock.fake.ts';
import { createSeededRandom } from '../../src/ports/random.fake.ts';

const clocks = {
  system: () => ({ clock: createSystemClock(), pass: async () => {} }),
  fake: () => {
    const clock = createFakeClock();
    return { clock, pass: () => clock.advance(100) };
  },
};

describe.each(Object.entries(clocks))('%s clock', (_name, setUp) => {
  it('sleeps until the time is there, in the order of the due times', async () => {
    const { clock, pass } = setUp();
    const woken: string[] = [];
    const sleeps = [20, 0, 10].map((ms) => clock.sleep(ms).then(() => woken.push(`${ms}`)));
    await pass();
    await Promise.all(sleeps);
    expect(woken).toEqual(['0', '10', '20']);
  });

  it('takes a negative span for none', async () => {
    const { clock, pass } = setUp();
    const asleep = clock.sleep(-5);
    await pass();
    await expect(asleep).resolves.toBeUndefined();
  });

  it('rejects with the very reason of the abort, before and during a sleep', async () => {
    const { clock } = setUp();
    const reason = new Error('enough');
    await expect(clock.sleep(60_000, AbortSignal.abort(reason))).rejects.toBe(reason);
    const cancel = new AbortController();
    const asleep = clock.sleep(60_000, cancel.signal);
    cancel.abort(reason);
    await expect(asleep).rejects.toBe(reason);
  });

  it('sleeps longer than a timer of Node can when told to', async () => {
    const { clock } = setUp();
    const cancel = new AbortController();
    const asleep = clock.sleep(2 ** 40, cancel.signal).then(
      () => 'woke up',
      () => 'still slept',
    );
    await new Promise((resolve) => setImmediate(resolve));
    cancel.abort();
    expect(await asleep).toBe('still slept');
  });

  it('never runs backwards', () => {
    const { clock } = setUp();
    const times = Array.from({ length: 100 }, () => clock.monotonic());
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(clock.now()).toBeGreaterThan(Date.UTC(2025, 0, 1));
  });
});

describe.each([
  ['system', createSystemRandom],
  ['seeded', () => createSeededRandom(42)],
] as const)('%s random', (_name, create) => {
  it('gives numbers from 0 up to but not 1, over the whole range', () => {
    const random = create();
    const numbers = Array.from({ length: 2_000 }, () => random.next());
    expect(numbers.every((each) => each >= 0 && each < 1)).toBe(true);
    expect(Math.min(...numbers)).toBeLessThan(0.05);
    expect(Math.max(...numbers)).toBeGreaterThan(0.95);
  });

  it('gives different UUIDs of version 4', () => {
    const random = create();
    const uuids = Array.from({ length: 200 }, () => random.uuid());
    expect(new Set(uuids).size).toBe(200);
    for (const uuid of uuids)
      expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe('seeded random', () => {
  it('repeats itself for the same seed only', () => {
    const draw = (seed: number) => {
      const random = createSeededRandom(seed);
      return [random.next(), random.uuid(), random.next()];
    };
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });
});
