import { describe, expect, it } from 'vitest';
import { AppError } from '../../domain/errors.ts';
import { createFakeClock } from '../../ports/clock.fake.ts';
import { createFakeLogger } from '../../ports/logger.fake.ts';
import { createFakeMetrics } from '../../ports/metrics.fake.ts';
import { createSeededRandom } from '../../ports/random.fake.ts';
import { createFakeResourceClient } from '../../ports/resource-client.fake.ts';
import { createInformer } from './informer.ts';
import { createReconcileLoop, type ReconcileLoopOptions, watchKeys } from './reconcile-loop.ts';

function setUp(options: Partial<ReconcileLoopOptions> & Pick<ReconcileLoopOptions, 'reconcile'>) {
  const clock = createFakeClock();
  const random = createSeededRandom(1);
  const client = createFakeResourceClient({ clock, random });
  const log = createFakeLogger();
  const informer = createInformer({ client, clock, random, log }, { kind: 'Namespace', idleMs: 1e12 });
  const watches = [watchKeys(informer, ({ metadata }) => [metadata.labels?.['owner'] ?? metadata.name])];
  const metrics = createFakeMetrics();
  const loop = createReconcileLoop({ clock, random, log, metrics }, { name: 'test', watches, ...options });
  const stop = new AbortController();
  const add = (name: string, owner?: string) =>
    client.create('Namespace', {
      ...{ apiVersion: 'v1', kind: 'Namespace' },
      metadata: { name, ...(owner === undefined ? {} : { labels: { owner } }) },
    });
  return { clock, client, log, metrics, informer, loop, stop, add };
}

describe('createReconcileLoop', () => {
  it('measures each look by how it ended, and tells how many wait while it runs', async () => {
    const failures = [new AppError('conflict', 'newer'), new Error('bug')];
    const { clock, metrics, loop, stop } = setUp({
      watches: [],
      reconcile: async () => {
        const failure = failures.shift();
        if (failure !== undefined) throw failure;
        return undefined;
      },
    });
    loop.enqueue('a');
    const ended = loop.run(stop.signal);
    await clock.advance(60_000);
    const name = 'holdfast_reconcile_duration_seconds';
    const results = ['conflict', 'error', 'ok'].map((result) => `${name}{controller=test,result=${result}}`);
    expect(metrics.observed).toEqual(results);
    const depth = { name: 'holdfast_reconcile_queue_depth', labels: { controller: 'test' }, value: 0 };
    expect(await metrics.samples()).toEqual([depth]);
    stop.abort();
    await ended;
    expect(await metrics.samples()).toEqual([]);
  });

  it('starts with what is there once it is known, and then follows changes; both owners when one is replaced', async () => {
    const keys: string[] = [];
    const { clock, client, informer, loop, stop, add } = setUp({
      reconcile: async (key) => {
        keys.push(key);
        return undefined;
      },
    });
    await add('a');
    await add('b', 'first');
    const ended = loop.run(stop.signal);
    await clock.settle();
    expect(keys).toEqual([]);
    const informing = informer.run(stop.signal);
    await clock.settle();
    expect(keys.splice(0)).toEqual(['a', 'first']);
    await client.patch('Namespace', 'b', { metadata: { labels: { owner: 'second' } } });
    await clock.settle();
    expect(keys.splice(0)).toEqual(['first', 'second']);
    await clock.advance(3_600_000);
    expect(keys).toEqual([]);
    stop.abort();
    await Promise.all([ended, informing]);
  });

  it('tries a failing key again with backoff and logs it with fields that stay the same', async () => {
    let tries = 0;
    const { clock, log, loop, stop } = setUp({
      watches: [],
      reconcile: async () => {
        tries += 1;
        if (tries < 4) throw new AppError('unavailable', 'node kube1 does not answer');
        return undefined;
      },
    });
    void loop.run(stop.signal);
    loop.enqueue('gv0');
    await clock.advance(60_000);
    expect(tries).toBe(4);
    expect(log.entries).toHaveLength(3);
    expect(log.entries[0]).toMatchObject({
      level: 'warn',
      message: 'reconcile failed',
      fields: { controller: 'test', key: 'gv0' },
    });
    expect(loop.stats()).toMatchObject({ depth: 0, delayed: 0, active: 0, retries: 3 });
  });

  it('looks again after the time that a reconcile asked for', async () => {
    const at: number[] = [];
    const { clock, loop, stop } = setUp({
      watches: [],
      reconcile: async () => {
        at.push(clock.monotonic());
        return at.length < 3 ? { requeueAfterMs: 500 } : undefined;
      },
    });
    void loop.run(stop.signal);
    loop.enqueue('gv0');
    await clock.advance(5_000);
    expect(at).toEqual([0, 500, 1_000]);
  });

  it('gives a key up at its deadline, aborts its signal and tries again', async () => {
    const reasons: unknown[] = [];
    const { clock, log, loop, stop } = setUp({
      watches: [],
      deadlineMs: 1_000,
      reconcile: (_key, signal) =>
        new Promise(() => signal.addEventListener('abort', () => reasons.push(signal.reason), { once: true })),
    });
    void loop.run(stop.signal);
    loop.enqueue('gv0');
    await clock.advance(1_500);
    expect(reasons).toMatchObject([{ kind: 'timeout', message: 'test of gv0: no answer within 1000 ms' }]);
    expect(log.entries).toMatchObject([{ message: 'reconcile failed' }]);
    expect(loop.stats().active).toBe(1);
  });

  it('does not call a newer object a failure', async () => {
    let tries = 0;
    const { clock, log, loop, stop } = setUp({
      watches: [],
      reconcile: async () => {
        tries += 1;
        if (tries === 1) throw new AppError('conflict', 'changed since it was read');
        return undefined;
      },
    });
    void loop.run(stop.signal);
    loop.enqueue('gv0');
    await clock.advance(60_000);
    expect(tries).toBe(2);
    expect(log.entries.map(({ level }) => level)).toEqual(['debug']);
  });
});
