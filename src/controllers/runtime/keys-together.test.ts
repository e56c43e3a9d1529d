import { expect, it } from 'vitest';
import { createFakeClock } from '../../ports/clock.fake.ts';
import { createFakeLogger } from '../../ports/logger.fake.ts';
import { createSeededRandom } from '../../ports/random.fake.ts';
import { createFakeResourceClient } from '../../ports/resource-client.fake.ts';
import { createInformer } from './informer.ts';
import { watchKeysTogether } from './keys-together.ts';

async function setUp(names: readonly string[]) {
  const clock = createFakeClock();
  const random = createSeededRandom(1);
  const client = createFakeResourceClient({ clock, random });
  const add = (name: string) => client.create('Namespace', { metadata: { name } });
  for (const name of names) await add(name);
  const informer = createInformer(
    { client, clock, random, log: createFakeLogger() },
    { kind: 'Namespace', idleMs: 1e12 },
  );
  const stop = new AbortController();
  const ended = informer.run(stop.signal);
  await informer.whenSynced({ deadlineMs: 1_000 });
  const told: string[][] = [];
  const source = watchKeysTogether(clock, informer, () => {
    told.push([]);
    return ['a', 'b'];
  });
  const unsubscribe = source.subscribe((key) => told.at(-1)?.push(key));
  const end = async () => {
    stop.abort();
    await ended;
  };
  return { clock, add, told, unsubscribe, end };
}

const ONCE = ['a', 'b'];

it('tells the keys at once for the first of many objects, and once more for all others', async () => {
  const { clock, told, end } = await setUp(['one', 'two', 'three']);
  expect(told).toEqual([ONCE]);
  await clock.advance(999);
  expect(told).toEqual([ONCE]);
  await clock.advance(1);
  expect(told).toEqual([ONCE, ONCE]);
  await clock.advance(10_000);
  expect(told).toEqual([ONCE, ONCE]);
  await end();
});

it('tells them at once for a change that comes alone, and forgets what it would have told when nobody listens any more', async () => {
  const { clock, add, told, unsubscribe, end } = await setUp(['one']);
  await clock.advance(1_000);
  await add('two');
  await clock.advance(0);
  expect(told).toEqual([ONCE, ONCE]);
  await add('three');
  await clock.advance(0);
  expect(told).toEqual([ONCE, ONCE]);
  unsubscribe();
  await add('four');
  await clock.advance(10_000);
  expect(told).toEqual([ONCE, ONCE]);
  await end();
  expect(clock.timerCount()).toBe(0);
});
