/** The API against a model: whatever is done, a watcher who adds up the events knows exactly what a list shows. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openSqliteStore } from '../../adapters/object-store/sqlite.ts';
import { AppError } from '../../domain/errors.ts';
import { createFakeClock } from '../../ports/clock.fake.ts';
import { createSeededRandom } from '../../ports/random.fake.ts';
import { createResources, type Resources } from './resources.ts';

const NAMES = ['a', 'b', 'c'] as const;

interface Operation {
  readonly verb: 'create' | 'grow' | 'report' | 'label' | 'delete' | 'hold' | 'release' | 'stale';
  readonly name: (typeof NAMES)[number];
  readonly value: number;
}

const operations = fc.array(
  fc.record<Operation>({
    verb: fc.constantFrom('create', 'grow', 'report', 'label', 'delete', 'hold', 'release', 'stale'),
    name: fc.constantFrom(...NAMES),
    value: fc.integer({ min: 1, max: 3 }),
  }),
  { maxLength: 30 },
);

function carryOut(resources: Resources, { verb, name, value }: Operation): Promise<unknown> {
  const merge = (body: object) => resources.patch('Volume', name, { type: 'merge', body });
  switch (verb) {
    case 'create':
      return resources.create('Volume', { metadata: { name }, spec: { size: `${value}Gi` } });
    case 'grow':
      return merge({ spec: { size: `${value}Gi` } });
    case 'report': {
      const body = { status: { epoch: value } };
      return resources.patch('Volume', name, { type: 'merge', body }, { subresource: 'status' });
    }
    case 'label':
      return merge({ metadata: { labels: { tier: String(value) } } });
    case 'delete':
      return resources.delete('Volume', name);
    case 'hold':
      return merge({ metadata: { finalizers: ['holdfast.dev/hold'] } });
    case 'release':
      return merge({ metadata: { finalizers: null } });
    case 'stale':
      return merge({ metadata: { resourceVersion: String(value) }, spec: { size: '9Gi' } });
  }
}

/** The state that the events from the start on add up to. */
async function replay(resources: Resources, labelSelector: string | undefined): Promise<Map<string, unknown>> {
  const state = new Map<string, unknown>();
  const abort = new AbortController();
  let version = 0;
  const watch = resources.watch('Volume', {
    ...{ resourceVersion: '1', labelSelector, signal: abort.signal },
    // The bookmark is due at once, so it comes as soon as there is nothing more to tell.
    nextBookmark: async () => undefined,
  });
  for await (const { events } of watch) {
    if (events.length === 0) abort.abort();
    for (const event of events) {
      const object = event.read();
      const { name, resourceVersion } = object.metadata;
      expect(Number(resourceVersion)).toBeGreaterThan(version);
      version = Number(resourceVersion);
      expect(state.has(name)).toBe(event.type !== 'ADDED');
      if (event.type === 'DELETED') state.delete(name);
      else state.set(name, object);
    }
  }
  return state;
}

test('events add up to the list, with and without a selector', async () => {
  await fc.assert(
    fc.asyncProperty(operations, async (steps) => {
      const store = openSqliteStore({ path: ':memory:' });
      const resources = createResources({ store, clock: createFakeClock(), random: createSeededRandom(1) });
      await resources.create('StorageClass', { metadata: { name: 'first' }, provisioner: 'p' });
      for (const step of steps) {
        const before = resources.resourceVersion();
        const error = await carryOut(resources, step).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        if (error === undefined) continue;
        expect(error).toBeInstanceOf(AppError);
        expect(resources.resourceVersion()).toBe(before);
      }
      for (const labelSelector of [undefined, 'tier', 'tier!=1', 'tier in (2,3)']) {
        const listed = resources.list('Volume', { labelSelector }).items.map((item) => item.read());
        const expected = new Map(listed.map((object) => [object.metadata.name, object]));
        expect(await replay(resources, labelSelector)).toEqual(expected);
      }
      store.close();
    }),
    { numRuns: 60 },
  );
});

test('generation counts the changes of the spec and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(operations, async (steps) => {
      const store = openSqliteStore({ path: ':memory:' });
      const resources = createResources({ store, clock: createFakeClock(), random: createSeededRandom(1) });
      const model = new Map<string, { uid: string; size: string; generation: number }>();
      for (const step of steps) {
        // Errors are the other property's business; here only what is stored counts.
        await carryOut(resources, step).catch(() => undefined);
        const seen = new Set<string>();
        for (const item of resources.list('Volume').items) {
          const object = item.read();
          const { name, uid, generation } = object.metadata;
          const { size } = object['spec'] as { size: string };
          const known = model.get(name);
          const isSame = known?.uid === uid;
          expect(generation).toBe(isSame ? known.generation + (known.size === size ? 0 : 1) : 1);
          model.set(name, { uid, size, generation });
          seen.add(name);
        }
        for (const name of model.keys()) if (!seen.has(name)) model.delete(name);
      }
      store.close();
    }),
    { numRuns: 60 },
  );
});
