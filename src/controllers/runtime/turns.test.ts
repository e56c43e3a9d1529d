import { expect, it } from 'vitest';
import { createTurns } from './turns.ts';

const never = new AbortController().signal;
const settle = () => new Promise((resolve) => setImmediate(resolve));

it('lets nobody begin before all that asked earlier have ended, however they end', async () => {
  const turns = createTurns();
  const told: string[] = [];
  const first = Promise.withResolvers<void>();
  const work = (name: string, until: Promise<unknown>) => async () => {
    told.push(`${name} begins`);
    await until;
    told.push(`${name} ends`);
  };
  const one = turns.take(never, work('one', first.promise));
  const two = turns.take(never, () => Promise.reject(new Error('no')));
  const three = turns.take(never, work('three', Promise.resolve()));
  await settle();
  expect(told).toEqual(['one begins']);
  first.resolve();
  await expect(two).rejects.toThrow('no');
  await Promise.all([one, three]);
  expect(told).toEqual(['one begins', 'one ends', 'three begins', 'three ends']);
});

it('lets the next one begin when work is given up, and nobody when only a wait is', async () => {
  const turns = createTurns();
  const [hung, waiting] = [new AbortController(), new AbortController()];
  const hanging = turns.take(hung.signal, () => new Promise<void>(() => undefined));
  const given = turns.take(waiting.signal, async () => 'never');
  let hasBegun = false;
  const next = turns.take(never, async () => {
    hasBegun = true;
    return 'done';
  });
  waiting.abort(new Error('enough'));
  await expect(given).rejects.toThrow('enough');
  await settle();
  expect(hasBegun).toBe(false);
  hung.abort(new Error('too long'));
  await expect(hanging).rejects.toThrow('too long');
  expect(await next).toBe('done');
});
