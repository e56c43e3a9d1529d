import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../ports/clock.fake.ts';
import { createFaultyClient, NO_FAULTS } from '../../ports/faulty-client.fake.ts';
import { createFakeLogger } from '../../ports/logger.fake.ts';
import { createSeededRandom } from '../../ports/random.fake.ts';
import { createFakeResourceClient } from '../../ports/resource-client.fake.ts';
import { type Change, createInformer } from './informer.ts';

const name = fc.constantFrom('a', 'b', 'c', 'd');
const change = fc.oneof(
  fc.record({ do: fc.constant('put' as const), name, label: fc.constantFrom('x', 'y') }),
  fc.record({ do: fc.constant('delete' as const), name }),
);
const nuisance = fc.record({
  do: fc.constantFrom('cut', 'mend', 'silence', 'break', 'end', 'forget', 'bookmark'),
});
/** Something goes while nobody looks, and the server no longer knows that it was there. */
const missed = fc.record({ do: fc.constant('miss' as const), name });
const pause = fc.nat(3_000).map((ms) => ({ do: 'pass' as const, ms }));
const step = fc.oneof(
  { weight: 4, arbitrary: change },
  { weight: 2, arbitrary: nuisance },
  { weight: 2, arbitrary: pause },
  { weight: 1, arbitrary: missed },
);
type Action = typeof step extends fc.Arbitrary<infer T> ? T : never;

function setUp(seed: number) {
  const clock = createFakeClock();
  const random = createSeededRandom(seed);
  const server = createFakeResourceClient({ clock, random });
  const client = createFaultyClient(server, random, { failBefore: 0.1, failAfter: 0.1, breakWatch: 0.1 });
  const deps = { client, clock, random, log: createFakeLogger() };
  const informer = createInformer(deps, { kind: 'Namespace', idleMs: 5_000, backoff: { baseMs: 100, maxMs: 2_000 } });
  const put = async (each: string, label: string) => {
    const labels = { label };
    const exists = (await server.get('Namespace', each)) !== undefined;
    if (exists) await server.patch('Namespace', each, { metadata: { labels } });
    else await server.create('Namespace', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: each, labels } });
  };
  const act = (action: Action): Promise<unknown> | void => {
    switch (action.do) {
      case 'put':
        return put(action.name, action.label);
      case 'delete':
        return server.delete('Namespace', action.name);
      case 'miss':
        client.breakWatches();
        return server.delete('Namespace', action.name).then(() => server.forgetHistory());
      case 'pass':
        return clock.advance(action.ms);
      case 'cut':
        return client.cut();
      case 'mend':
        return client.mend();
      case 'silence':
        return client.silenceWatches();
      case 'break':
        return client.breakWatches();
      case 'end':
        return server.endWatches();
      case 'forget':
        return server.forgetHistory();
      case 'bookmark':
        return server.sendBookmarks();
    }
  };
  return { clock, server, client, informer, act };
}

/** Follows the changes as a controller would, and complains about any that does not fit what was told before. */
function follow(state: Map<string, string>, faults: string[]) {
  return (each: Change<'Namespace'>): void => {
    const before = each.type === 'added' ? undefined : each.before.metadata;
    const after = each.type === 'deleted' ? undefined : each.after.metadata;
    const key = (after ?? before)?.name ?? '';
    if (state.get(key) !== before?.resourceVersion) faults.push(`${each.type} of ${key} does not follow`);
    if (after === undefined) state.delete(key);
    else state.set(key, after.resourceVersion);
  };
}

describe('informer', () => {
  it('equals the server in the end, whatever broke on the way, and its changes add up to what it holds', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.nat(), async (steps, seed) => {
        const { clock, server, client, informer, act } = setUp(seed);
        const told = new Map<string, string>();
        const faults: string[] = [];
        informer.onChange(follow(told, faults));
        const stop = new AbortController();
        const ended = informer.run(stop.signal);
        for (const each of steps) {
          await act(each);
          await clock.settle();
        }
        client.mend();
        client.setRates(NO_FAULTS);
        // Longer than the silence that is noticed and the longest wait between tries together.
        await clock.advance(10_000);

        const { items } = await server.list('Namespace');
        const truth = new Map(items.map(({ metadata }) => [metadata.name, metadata.resourceVersion]));
        expect(new Map(informer.list().map(({ metadata }) => [metadata.name, metadata.resourceVersion]))).toEqual(
          truth,
        );
        expect(told).toEqual(truth);
        expect(faults).toEqual([]);
        stop.abort();
        await ended;
        expect(clock.timerCount()).toBe(0);
      }),
      { numRuns: 100 },
    );
  });
});
