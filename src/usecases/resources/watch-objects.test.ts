import { describe, expect, test } from 'vitest';
import { openSqliteStore } from '../../adapters/object-store/sqlite.ts';
import { createFakeClock } from '../../ports/clock.fake.ts';
import { createSeededRandom } from '../../ports/random.fake.ts';
import { createResources, type Resources } from './resources.ts';
import type { EventBatch, WatchOptions } from './watch-objects.ts';

function setUp(changeWindow = 5_000) {
  const store = openSqliteStore({ path: ':memory:', changeWindow });
  return { store, resources: createResources({ store, clock: createFakeClock(), random: createSeededRandom(1) }) };
}

const create = (resources: Resources, name: string, labels: Record<string, string> = {}) =>
  resources.create('Volume', { metadata: { name, labels }, spec: { size: '1Gi' } });
const label = (resources: Resources, name: string, labels: Record<string, string | null>) =>
  resources.patch('Volume', name, { type: 'merge', body: { metadata: { labels } } });

/** Takes batches until `count` events have come. */
async function take(watch: AsyncGenerator<EventBatch>, count: number): Promise<string[]> {
  const seen: string[] = [];
  while (seen.length < count) {
    const next = await watch.next();
    if (next.done) break;
    for (const event of next.value.events) seen.push(`${event.type} ${event.read().metadata.name}`);
  }
  return seen;
}

function open(resources: Resources, options: Omit<WatchOptions, 'signal'> = {}) {
  const abort = new AbortController();
  return { abort, watch: resources.watch('Volume', { ...options, signal: abort.signal }) };
}

describe('watch', () => {
  test('goes on after a revision, through what was before it was opened and what comes later', async () => {
    const { resources } = setUp();
    await create(resources, 'a');
    const { resourceVersion } = resources.list('Volume');
    await create(resources, 'b');
    const { watch } = open(resources, { resourceVersion });
    expect(await take(watch, 1)).toEqual(['ADDED b']);
    const later = take(watch, 3);
    await label(resources, 'a', { x: 'y' });
    await resources.delete('Volume', 'b');
    await create(resources, 'c');
    expect(await later).toEqual(['MODIFIED a', 'DELETED b', 'ADDED c']);
    await watch.return(undefined);
  });

  test('without a version it begins with what is there, and says where that ends', async () => {
    const { resources } = setUp();
    await create(resources, 'a');
    const { watch } = open(resources);
    const first = await watch.next();
    expect(first.value).toMatchObject({ endsInitialState: true, resourceVersion: '1' });
    const later = take(watch, 1);
    await create(resources, 'b');
    expect(await later).toEqual(['ADDED b']);
    await watch.return(undefined);
  });

  test('an object that begins or ceases to match a selector is added or deleted for that watcher', async () => {
    const { resources } = setUp();
    await create(resources, 'a', { tier: 'x' });
    await create(resources, 'b');
    const { watch } = open(resources, { resourceVersion: '2', labelSelector: 'tier=x' });
    const events = take(watch, 4);
    await label(resources, 'b', { tier: 'x' });
    await label(resources, 'a', { more: 'z' });
    await label(resources, 'a', { tier: null });
    await label(resources, 'a', { unseen: '1' });
    await resources.delete('Volume', 'b');
    expect(await events).toEqual(['ADDED b', 'MODIFIED a', 'DELETED a', 'DELETED b']);
    await watch.return(undefined);
  });

  test('a watch from before the window is Expired at once; one that falls behind is later', async () => {
    const { resources } = setUp(4);
    for (let index = 0; index < 10; index++) await create(resources, `v${index}`);
    expect(() => open(resources, { resourceVersion: '1' })).toThrow(expect.objectContaining({ reason: 'Expired' }));
    expect(() => open(resources, { resourceVersion: '99' })).toThrow(expect.objectContaining({ reason: 'Expired' }));
    const { watch } = open(resources, { resourceVersion: '9' });
    expect(await take(watch, 1)).toEqual(['ADDED v9']);
    for (let index = 0; index < 1_100; index++) await label(resources, 'v0', { n: String(index) });
    await expect(take(watch, 2_000)).rejects.toMatchObject({ reason: 'Expired' });
  });

  test('other kinds and namespaces do not show, and do not expire a watch', async () => {
    const { resources } = setUp(4);
    await create(resources, 'a');
    const { watch } = open(resources, { resourceVersion: '1' });
    const events = take(watch, 1);
    for (let index = 0; index < 50; index++) {
      await resources.create('Lease', { metadata: { name: `l${index}` }, spec: {} });
    }
    await create(resources, 'b');
    expect(await events).toEqual(['ADDED b']);
    await watch.return(undefined);
  });

  test('bookmarks carry the newest version', async () => {
    const { resources } = setUp();
    const due = Promise.withResolvers<void>();
    let asked = 0;
    const nextBookmark = () => (asked++ === 0 ? due.promise : new Promise<void>(() => undefined));
    await create(resources, 'a');
    const { watch } = open(resources, { resourceVersion: '1', nextBookmark });
    const next = watch.next();
    await resources.create('Lease', { metadata: { name: 'l' }, spec: {} });
    due.resolve();
    expect((await next).value).toEqual({ events: [], resourceVersion: '2', endsInitialState: false });
    await watch.return(undefined);
  });

  test('ends when its signal aborts', async () => {
    const { resources } = setUp();
    const { watch, abort } = open(resources, { resourceVersion: '0' });
    await watch.next();
    const next = watch.next();
    abort.abort();
    expect((await next).done).toBe(true);
  });
});
