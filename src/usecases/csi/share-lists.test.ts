import { expect, it } from 'vitest';
import { AppError } from '../../domain/errors.ts';
import { createFakeClock } from '../../ports/clock.fake.ts';
import { createSeededRandom } from '../../ports/random.fake.ts';
import { createFakeResourceClient } from '../../ports/resource-client.fake.ts';
import type { ListOptions, ResourceClient } from '../../ports/resource-client.ts';
import type { KindName } from '../../schemas/kinds.ts';
import { shareLists } from './share-lists.ts';

/** A server whose lists end only when they are let: each with what is there then. */
function setUp() {
  const server = createFakeResourceClient({ clock: createFakeClock(), random: createSeededRandom(1) });
  const begun: { readonly kind: KindName; readonly options: ListOptions; readonly end: (failure?: Error) => void }[] =
    [];
  const list = async (kind: KindName, options: ListOptions = {}) => {
    const gate = Promise.withResolvers<void>();
    const end = (failure?: Error) => (failure === undefined ? gate.resolve() : gate.reject(failure));
    options.signal?.addEventListener('abort', () => end(new Error('given up')));
    begun.push({ kind, options, end });
    const read = await server.list(kind);
    await gate.promise;
    return read;
  };
  const client = shareLists({ ...server, list } as ResourceClient);
  const add = (name: string) => server.create('Namespace', { metadata: { name } });
  const names = async (signal?: AbortSignal) => {
    const { items } = await client.list('Namespace', signal === undefined ? {} : { signal });
    return items.map(({ metadata }) => metadata.name);
  };
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  return { client, begun, add, names, settle };
}

it('reads once for all who ask while another reading goes on, and gives nobody what was read before', async () => {
  const { begun, add, names, settle } = setUp();
  const first = names();
  await settle();
  await add('late');
  const others = [names(), names(), names()];
  await settle();
  expect(begun).toHaveLength(1);
  begun[0]?.end();
  expect(await first).toEqual([]);
  await settle();
  expect(begun).toHaveLength(2);
  begun[1]?.end();
  expect(await Promise.all(others)).toEqual([['late'], ['late'], ['late']]);
});

it('tells a failure to those who shared the reading, and reads anew for the next', async () => {
  const { begun, names, settle } = setUp();
  const shared = [names(), names()].map((each) => each.catch((error: unknown) => (error as Error).message));
  await settle();
  begun[0]?.end(new AppError('unavailable', 'no answer'));
  expect(await Promise.all(shared)).toEqual(['no answer', 'no answer']);
  const next = names();
  await settle();
  begun[1]?.end();
  expect(await next).toEqual([]);
});

it('lets go of one who is cancelled, gives up a reading that nobody waits for, and begins another for whoever comes then', async () => {
  const { begun, names, settle } = setUp();
  const [one, two] = [new AbortController(), new AbortController()];
  const left = names(one.signal);
  const stays = names(two.signal);
  await settle();
  one.abort();
  await expect(left).rejects.toMatchObject({ kind: 'cancelled' });
  expect(begun[0]?.options.signal?.aborted).toBe(false);
  const three = new AbortController();
  const waits = names(three.signal);
  await settle();
  three.abort();
  await expect(waits).rejects.toMatchObject({ kind: 'cancelled' });
  const comes = names();
  two.abort();
  await expect(stays).rejects.toMatchObject({ kind: 'cancelled' });
  expect(begun[0]?.options.signal?.aborted).toBe(true);
  await settle();
  begun.at(-1)?.end();
  expect(await comes).toEqual([]);
  await expect(names(one.signal)).rejects.toMatchObject({ kind: 'cancelled' });
});

it('asks for itself where less than everything is asked for', async () => {
  const { client, begun, settle } = setUp();
  const lists = [1, 2].map(() => client.list('Namespace', { fieldSelector: 'metadata.name=a' }));
  await settle();
  expect(begun.map(({ options }) => options)).toEqual([
    { fieldSelector: 'metadata.name=a' },
    { fieldSelector: 'metadata.name=a' },
  ]);
  for (const { end } of begun) end();
  await Promise.all(lists);
});
