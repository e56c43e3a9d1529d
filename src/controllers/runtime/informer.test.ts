import { describe, expect, it } from 'vitest';
import { messageOf } from '../../domain/errors.ts';
import { createFakeClock } from '../../ports/clock.fake.ts';
import { createFaultyClient, NO_FAULTS } from '../../ports/faulty-client.fake.ts';
import { createFakeLogger } from '../../ports/logger.fake.ts';
import { createSeededRandom } from '../../ports/random.fake.ts';
import { createFakeResourceClient } from '../../ports/resource-client.fake.ts';
import { type Change, createInformer } from './informer.ts';

function setUp() {
  const clock = createFakeClock();
  const random = createSeededRandom(1);
  const server = createFakeResourceClient({ clock, random });
  const client = createFaultyClient(server, random, NO_FAULTS);
  const log = createFakeLogger();
  const informer = createInformer(
    { client, clock, random, log },
    { kind: 'VolumeCopy', idleMs: 1_000, indexes: { byNode: (copy) => [copy.spec.node] } },
  );
  const seen: string[] = [];
  informer.onChange((change) => seen.push(describeChange(change)));
  const stop = new AbortController();
  const add = (name: string, node = 'kube1') => server.create('VolumeCopy', copyOn(name, node));
  return { clock, server, client, log, informer, seen, stop, add, ended: informer.run(stop.signal) };
}

function copyOn(name: string, node: string) {
  return {
    apiVersion: 'holdfast.dev/v1alpha1',
    kind: 'VolumeCopy',
    metadata: { name },
    spec: {
      ...{ volume: 'gv0', volumeUid: 'u', node, pool: 'default', role: 'data', index: 0 },
      ...{ engine: 'gluster', brick: 'image', sizeBytes: 1 },
    },
  };
}

function describeChange(change: Change<'VolumeCopy'>): string {
  const object = change.type === 'deleted' ? change.before : change.after;
  return `${change.type} ${object.metadata.name}`;
}

describe('createInformer', () => {
  it('knows what was there before and follows what changes', async () => {
    const { clock, server, informer, seen, add } = setUp();
    await add('a');
    await clock.settle();
    expect(informer.isSynced()).toBe(true);
    await add('b', 'kube2');
    await server.patch('VolumeCopy', 'a', { spec: { node: 'kube2' } });
    await clock.settle();
    expect(informer.byIndex('byNode', 'kube1')).toEqual([]);
    expect(
      informer
        .byIndex('byNode', 'kube2')
        .map(({ metadata }) => metadata.name)
        .sort(),
    ).toEqual(['a', 'b']);
    await server.delete('VolumeCopy', 'b');
    await clock.settle();
    expect(seen).toEqual(['added a', 'added b', 'updated a', 'deleted b']);
    expect(informer.get('b')).toBeUndefined();
  });

  it('tells a late listener what is known already', async () => {
    const { clock, informer, add } = setUp();
    await add('a');
    await clock.settle();
    const late: string[] = [];
    const remove = informer.onChange((change) => late.push(describeChange(change)));
    remove();
    await add('b');
    await clock.settle();
    expect(late).toEqual(['added a']);
  });

  it('makes up the deletions that happened while it was cut off', async () => {
    const { clock, server, client, informer, seen, add } = setUp();
    await add('a');
    await add('b');
    await clock.settle();
    client.cut();
    await server.delete('VolumeCopy', 'a');
    server.forgetHistory();
    await clock.advance(5_000);
    expect(informer.list()).toHaveLength(2);
    client.mend();
    await clock.advance(20_000);
    expect(seen).toEqual(['added a', 'added b', 'deleted a']);
  });

  it('takes an object made anew under the same name for another one', async () => {
    const { clock, server, client, seen, add } = setUp();
    await add('a');
    await clock.settle();
    client.cut();
    await server.delete('VolumeCopy', 'a');
    await add('a');
    server.forgetHistory();
    client.mend();
    await clock.advance(20_000);
    expect(seen).toEqual(['added a', 'deleted a', 'added a']);
  });

  it('notices a connection that is dead without an error, by missing bookmarks', async () => {
    const { clock, client, informer, seen, add } = setUp();
    await clock.settle();
    client.silenceWatches();
    await add('a');
    await clock.advance(900);
    expect(seen).toEqual([]);
    expect(informer.staleForMs()).toBe(900);
    await clock.advance(1_000);
    expect(seen).toEqual(['added a']);
  });

  it('begins a watch that stays silent again where it was, at once, and neither lists anew nor complains', async () => {
    const { clock, client, informer, log, seen, add, server } = setUp();
    await add('a');
    await clock.settle();
    client.withholdLists('VolumeCopy', true);
    await clock.advance(60_000);
    client.silenceWatches();
    await add('b');
    await server.delete('VolumeCopy', 'a');
    await clock.advance(1_300);
    expect(seen).toEqual(['added a', 'added b', 'deleted a']);
    expect(informer.list()).toHaveLength(1);
    expect(log.entries.filter(({ level }) => level !== 'debug')).toEqual([]);
  });

  it('lists anew when the version of a silent watch is forgotten meanwhile', async () => {
    const { clock, client, server, seen, add } = setUp();
    await add('a');
    await clock.settle();
    client.silenceWatches();
    await server.delete('VolumeCopy', 'a');
    await add('b');
    server.forgetHistory();
    await clock.advance(20_000);
    expect(seen.toSorted()).toEqual(['added a', 'added b', 'deleted a']);
  });

  it('lists only once as long as bookmarks come', async () => {
    const { clock, server, log } = setUp();
    for (let round = 0; round < 10; round += 1) {
      await clock.advance(900);
      server.sendBookmarks();
    }
    expect(log.entries).toEqual([]);
  });

  it('says after the deadline why it has no list yet', async () => {
    const { clock, client, informer } = setUp();
    client.cut();
    const failure = informer.whenSynced({ deadlineMs: 3_000 }).catch((error: unknown) => error);
    await clock.advance(3_000);
    expect(await failure).toMatchObject({ kind: 'timeout' });
    expect(messageOf(await failure)).toContain('connection was lost');
    client.mend();
    await clock.advance(20_000);
    await informer.whenSynced({ deadlineMs: 1 });
  });

  it('goes on when a listener throws', async () => {
    const { clock, informer, log, seen, add } = setUp();
    informer.onChange(() => {
      throw new Error('a bug');
    });
    await add('a');
    await add('b');
    await clock.settle();
    expect(seen).toEqual(['added a', 'added b']);
    expect(log.entries.map(({ message }) => message)).toEqual(['informer listener failed', 'informer listener failed']);
  });

  it('waits longer from try to try while the server is away, and stops when told to', async () => {
    const { clock, client, log, stop, ended } = setUp();
    client.cut();
    await clock.advance(60_000);
    const waits = log.entries.map(({ fields }) => Number(fields['retryInMs']));
    expect(waits.length).toBeLessThan(20);
    expect(Math.max(...waits)).toBeGreaterThan(2_000);
    stop.abort();
    await ended;
    expect(clock.timerCount()).toBe(0);
  });

  it('refuses an index that was not declared', () => {
    expect(() => setUp().informer.byIndex('byZone', 'a')).toThrow('no index "byZone"; declared: byNode');
  });
});
