import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../ports/clock.fake.ts';
import { createFaultyClient, NO_FAULTS } from '../../ports/faulty-client.fake.ts';
import { createFakeLogger } from '../../ports/logger.fake.ts';
import { createSeededRandom } from '../../ports/random.fake.ts';
import { createFakeResourceClient } from '../../ports/resource-client.fake.ts';
import { createEventRecorder } from './event-recorder.ts';

const volume = { apiVersion: 'holdfast.dev/v1alpha1', kind: 'Volume', metadata: { name: 'gv0', uid: 'u1' } };

function setUp() {
  const clock = createFakeClock();
  const random = createSeededRandom(1);
  const server = createFakeResourceClient({ clock, random });
  const client = createFaultyClient(server, random, NO_FAULTS);
  const log = createFakeLogger();
  const recorder = createEventRecorder({ client, clock, random, log }, { component: 'holdfast-controller' });
  const events = async () => (await server.list('Event', { namespace: 'default' })).items;
  return { clock, server, client, log, recorder, events };
}

describe('createEventRecorder', () => {
  it('writes one event with its count and times for what happened several times', async () => {
    const { clock, recorder, events } = setUp();
    recorder.warning(volume, 'CopyLost', 'copy on kube1 is lost');
    await recorder.flush();
    await clock.advance(5_000);
    recorder.warning(volume, 'CopyLost', 'copy on kube1 is lost');
    recorder.warning(volume, 'CopyLost', 'copy on kube1 is lost');
    await recorder.flush();
    expect(await events()).toMatchObject([
      {
        involvedObject: { kind: 'Volume', name: 'gv0', uid: 'u1' },
        ...{ type: 'Warning', reason: 'CopyLost', message: 'copy on kube1 is lost', count: 3 },
        ...{ firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: '2026-01-01T00:00:05Z' },
        source: { component: 'holdfast-controller' },
      },
    ]);
  });

  it('folds a flood of different messages of one reason into one event', async () => {
    const { recorder, events } = setUp();
    for (let at = 0; at < 100; at += 1) recorder.normal(volume, 'Tick', `number ${at}`);
    recorder.normal(volume, 'Other', 'is not folded');
    await recorder.flush();
    const all = await events();
    expect(all).toHaveLength(12);
    expect(all.find(({ count }) => count === 90)?.message).toBe('(combined from similar events) number 99');
  });

  it('forgets the oldest beyond its limit instead of growing', async () => {
    const { recorder, events } = setUp();
    for (let at = 0; at < 3_000; at += 1) {
      recorder.normal({ ...volume, metadata: { name: `v${at}`, uid: `u${at}` } }, 'Created', 'made');
    }
    await recorder.flush();
    expect((await events()).length).toBe(1_000);
  });

  it('creates an event anew that the server dropped, and starts a new one after ten quiet minutes', async () => {
    const { clock, server, recorder, events } = setUp();
    recorder.normal(volume, 'Created', 'made');
    await recorder.flush();
    const [first] = await events();
    await server.delete('Event', first?.metadata.name ?? '', { namespace: 'default' });
    recorder.normal(volume, 'Created', 'made');
    await recorder.flush();
    expect(await events()).toMatchObject([{ count: 2 }]);
    await clock.advance(11 * 60_000);
    recorder.normal(volume, 'Created', 'made');
    await recorder.flush();
    expect((await events()).map(({ count }) => count)).toEqual([2, 1]);
  });

  it('logs what it cannot write, and writes in the background until stopped', async () => {
    const { clock, client, log, recorder, events } = setUp();
    const stop = new AbortController();
    const ended = recorder.run(stop.signal);
    client.cut();
    recorder.normal(volume, 'Created', 'made');
    await clock.advance(2_000);
    expect(log.entries).toMatchObject([{ message: 'event not written', fields: { reason: 'Created', object: 'gv0' } }]);
    client.mend();
    recorder.normal(volume, 'Created', 'made');
    await clock.advance(5_000);
    expect(await events()).toMatchObject([{ count: 2 }]);
    stop.abort();
    await ended;
    expect(clock.timerCount()).toBe(0);
  });

  it('writes at once what is new, and counts up ever more rarely what goes on; the end writes all', async () => {
    const { clock, recorder, events } = setUp();
    const stop = new AbortController();
    const ended = recorder.run(stop.signal);
    const written: number[] = [];
    for (let second = 1; second <= 60; second += 1) {
      recorder.normal(volume, 'EngineStep', 'starts a brick');
      await clock.advance(1_000);
      const count = (await events())[0]?.count ?? 0;
      if (count !== written.at(-1)) written.push(count);
    }
    expect(written).toEqual([1, 6, 16, 36]);
    recorder.warning(volume, 'CopyLost', 'copy on kube1 is lost');
    await clock.advance(1_000);
    expect(await events()).toHaveLength(2);
    stop.abort();
    await ended;
    await recorder.flush();
    expect((await events()).map(({ count }) => count)).toEqual([60, 1]);
  });

  it('cuts a message to the length the API takes', async () => {
    const { recorder, events } = setUp();
    recorder.normal(volume, 'Created', 'x'.repeat(5_000));
    await recorder.flush();
    expect((await events())[0]?.message).toHaveLength(1_024);
  });
});
