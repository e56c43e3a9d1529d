/** What every ResourceClient promises; run over each of them by resource-client.test.ts. */
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  ALL_NAMESPACES,
  type ResourceClient,
  type WatchEvent,
  type WatchOptions,
} from '../../src/ports/resource-client.ts';
import type { KindName } from '../../src/schemas/kinds.ts';

export interface ClientUnderTest {
  readonly client: ResourceClient;
  /** Makes the server forget the changes so far, so that a watch from before them has expired. */
  forgetHistory(): Promise<void>;
  /** Makes the server send a bookmark on open watches soon. */
  bookmark(): Promise<void>;
  stop(): Promise<void>;
}

const volume = (name: string, extra: object = {}) => ({ metadata: { name, ...extra }, spec: { size: '1Gi' } });
const copy = (name: string, node: string, labels: Record<string, string> = {}) => ({
  metadata: { name, labels },
  spec: {
    ...{ volume: 'gv0', volumeUid: 'u', node, pool: 'default', role: 'data', index: 0 },
    ...{ engine: 'gluster', brick: 'image', sizeBytes: 1 },
  },
});
const lease = (name: string, holderIdentity = 'a') => ({ metadata: { name }, spec: { holderIdentity } });

/** Events of a watch as text, as they come; ended after the test. */
function follow<K extends KindName>(client: ResourceClient, kind: K, options: Omit<WatchOptions, 'signal'>) {
  const stop = new AbortController();
  const events = client.watch(kind, { ...options, signal: stop.signal })[Symbol.asyncIterator]();
  return {
    next: async (count: number): Promise<string[]> => {
      const seen: string[] = [];
      while (seen.length < count) {
        const event = await events.next();
        if (event.done === true) throw new Error(`the watch ended after ${seen.join(', ')}`);
        if (event.value.type !== 'BOOKMARK') seen.push(describeEvent(event.value));
      }
      return seen;
    },
    nextEvent: async (): Promise<WatchEvent<K> | undefined> => {
      const event = await events.next();
      return event.done === true ? undefined : event.value;
    },
    stop: () => stop.abort(),
  };
}

function describeEvent<K extends KindName>(event: WatchEvent<K>): string {
  return event.type === 'BOOKMARK' ? 'BOOKMARK' : `${event.type} ${event.object.metadata.name}`;
}

/** Changes volumes more often than a server with this window remembers (it may keep half as many more). */
export async function outrunHistory(client: ResourceClient, changeWindow: number): Promise<void> {
  await client.create('Volume', volume('busy'));
  for (let at = 0; at < changeWindow * 2; at += 1) {
    await client.patch('Volume', 'busy', { metadata: { labels: { at: String(at) } } });
  }
}

/** Declares the tests for one client. */
/**
 * @param isOwn - false for kube-apiserver, which sends bookmarks and forgets versions when it likes, and waits for a version
 *   that it has not come to
 */
export function describeResourceClient(
  name: string,
  setUp: () => Promise<ClientUnderTest>,
  { isOwn = true }: { readonly isOwn?: boolean } = {},
): void {
  describe(`ResourceClient: ${name}`, () => {
    let subject: ClientUnderTest;
    let client: ResourceClient;
    beforeEach(async () => {
      subject = await setUp();
      client = subject.client;
    });
    afterEach(() => subject.stop());

    describeWrites(() => client);
    describeDeletion(() => client);
    describeLists(() => client);
    describeWatch(() => client);
    if (isOwn) {
      describeOwnWatch(
        () => client,
        () => subject,
      );
    }
  });
}

function describeWrites(get: () => ResourceClient): void {
  it('gives undefined for what is not there', async () => {
    expect(await get().get('Volume', 'gv0')).toBeUndefined();
  });

  it('creates an object with an identity and the defaults of its kind', async () => {
    const created = await get().create('Volume', volume('gv0', { labels: { a: 'b' } }));
    expect(created).toMatchObject({
      ...{ apiVersion: 'holdfast.dev/v1alpha1', kind: 'Volume' },
      metadata: { name: 'gv0', generation: 1, labels: { a: 'b' } },
      spec: { size: '1Gi', engine: 'gluster', layout: 'replicated', pool: 'default' },
    });
    const { uid, resourceVersion, creationTimestamp } = created.metadata;
    expect(uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(resourceVersion).not.toBe('');
    expect(Number.isNaN(Date.parse(creationTimestamp))).toBe(false);
    expect(await get().get('Volume', 'gv0')).toEqual(created);
  });

  it('gives every caller an object of its own', async () => {
    const created = await get().create('Volume', volume('gv0'));
    (created.spec as { size: string }).size = 'spoilt';
    expect((await get().get('Volume', 'gv0'))?.spec.size).toBe('1Gi');
  });

  it('refuses to create a name twice', async () => {
    await get().create('Volume', volume('gv0'));
    await expect(get().create('Volume', volume('gv0'))).rejects.toMatchObject({ kind: 'exists' });
  });

  it('refuses an invalid object and names the field', async () => {
    const bad = { metadata: { name: 'gv0' }, spec: { size: 'huge', replicas: 0 } };
    const error = await get()
      .create('Volume', bad)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: 'invalid' });
    const fields = (error as { faults: readonly { field: string }[] }).faults.map(({ field }) => field);
    expect(fields).toEqual(expect.arrayContaining(['spec.size', 'spec.replicas']));
    expect(await get().get('Volume', 'gv0')).toBeUndefined();
  });

  it('replaces all but the status, by compare-and-swap', async () => {
    const created = await get().create('Volume', volume('gv0'));
    await get().patch('Volume', 'gv0', { status: { phase: 'Pending' } }, { subresource: 'status' });
    await expect(get().replace('Volume', created)).rejects.toMatchObject({ kind: 'conflict' });
    const current = await get().get('Volume', 'gv0');
    if (current === undefined) throw new Error('gv0 is gone');
    const spec = { ...current.spec, size: '2Gi' };
    const replaced = await get().replace('Volume', { ...current, spec, status: { phase: 'Ready' } });
    expect(replaced).toMatchObject({
      spec: { size: '2Gi' },
      status: { phase: 'Pending' },
      metadata: { generation: 2 },
    });
  });

  it('refuses to replace what is not there', async () => {
    const created = await get().create('Volume', volume('gv0'));
    await get().delete('Volume', 'gv0');
    await expect(get().replace('Volume', created)).rejects.toMatchObject({ kind: 'notFound' });
  });

  it('patches: null removes, lists are replaced whole, the generation follows the spec only', async () => {
    const zones = { ...volume('gv0', { labels: { a: '1', b: '2' } }), spec: { size: '1Gi', zones: ['x', 'y'] } };
    await get().create('Volume', zones);
    const labelled = await get().patch('Volume', 'gv0', { metadata: { labels: { a: null, c: '3' } } });
    expect(labelled.metadata).toMatchObject({ labels: { b: '2', c: '3' }, generation: 1 });
    expect(labelled.metadata.labels).not.toHaveProperty('a');
    const changed = await get().patch('Volume', 'gv0', { spec: { zones: ['z'] } });
    expect(changed).toMatchObject({ spec: { zones: ['z'], size: '1Gi' }, metadata: { generation: 2 } });
  });

  it('keeps status and spec apart', async () => {
    const created = await get().create('Volume', { ...volume('gv0'), status: { phase: 'Ready' } });
    expect(created.status?.phase).toBeUndefined();
    const patch = { spec: { size: '9Gi' }, status: { phase: 'Pending' } };
    const asStatus = await get().patch('Volume', 'gv0', patch, { subresource: 'status' });
    expect(asStatus).toMatchObject({
      spec: { size: '1Gi' },
      status: { phase: 'Pending' },
      metadata: { generation: 1 },
    });
    const asObject = await get().patch('Volume', 'gv0', { spec: { size: '2Gi' }, status: { phase: 'Ready' } });
    expect(asObject).toMatchObject({
      spec: { size: '2Gi' },
      status: { phase: 'Pending' },
      metadata: { generation: 2 },
    });
  });

  it('lets exactly one of many writers win each version', async () => {
    const { metadata } = await get().create('Lease', lease('l'));
    const { resourceVersion } = metadata;
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, (_, at) =>
        get().patch('Lease', 'l', { spec: { holderIdentity: `writer-${at}` } }, { resourceVersion }),
      ),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ kind: 'conflict' });
    }
  });

  it('refuses to patch what is not there, and a wrong value', async () => {
    await expect(get().patch('Volume', 'gv0', { spec: {} })).rejects.toMatchObject({ kind: 'notFound' });
    await get().create('Volume', volume('gv0'));
    await expect(get().patch('Volume', 'gv0', { spec: { size: 'x' } })).rejects.toMatchObject({ kind: 'invalid' });
  });

  it('does not touch an object that a write leaves as it is', async () => {
    const created = await get().create('Volume', volume('gv0'));
    const patched = await get().patch('Volume', 'gv0', { spec: { size: '1Gi' } });
    expect(patched.metadata.resourceVersion).toBe(created.metadata.resourceVersion);
  });

  it('does nothing for a caller who has left', async () => {
    const signal = AbortSignal.abort(new Error('left'));
    await expect(get().create('Volume', volume('gv0'), { signal })).rejects.toMatchObject({ kind: 'cancelled' });
    await expect(get().list('Volume', { signal })).rejects.toMatchObject({ kind: 'cancelled' });
    expect(await get().get('Volume', 'gv0')).toBeUndefined();
  });
}

function describeDeletion(get: () => ResourceClient): void {
  it('deletes, and does not mind when it is gone already', async () => {
    await get().create('Volume', volume('gv0'));
    await get().delete('Volume', 'gv0');
    expect(await get().get('Volume', 'gv0')).toBeUndefined();
    await get().delete('Volume', 'gv0');
  });

  it('deletes only the object of the given uid', async () => {
    const first = await get().create('Volume', volume('gv0'));
    await get().delete('Volume', 'gv0');
    await get().create('Volume', volume('gv0'));
    const { uid } = first.metadata;
    await expect(get().delete('Volume', 'gv0', { uid })).rejects.toMatchObject({ kind: 'conflict' });
    expect(await get().get('Volume', 'gv0')).toBeDefined();
  });

  it('patches only the object of the given uid, its status too', async () => {
    const first = await get().create('Volume', volume('gv0'));
    await get().delete('Volume', 'gv0');
    const second = await get().create('Volume', volume('gv0'));
    const { uid } = first.metadata;
    const phase = { status: { phase: 'Pending' } };
    for (const [patch, options] of [
      [{ metadata: { labels: { a: '1' } } }, { uid }],
      [phase, { uid, subresource: 'status' }],
    ] as const) {
      await expect(get().patch('Volume', 'gv0', patch, options)).rejects.toMatchObject({ kind: 'conflict' });
    }
    expect(await get().get('Volume', 'gv0')).toEqual(second);
    const options = { uid: second.metadata.uid, subresource: 'status' } as const;
    expect((await get().patch('Volume', 'gv0', phase, options)).status?.phase).toBe('Pending');
  });

  it('keeps an object until its last finalizer is removed', async () => {
    await get().create('Volume', volume('gv0', { finalizers: ['holdfast.dev/copies'] }));
    await get().delete('Volume', 'gv0');
    const marked = await get().get('Volume', 'gv0');
    expect(marked?.metadata.deletionTimestamp).toBeDefined();
    await get().delete('Volume', 'gv0');
    expect((await get().get('Volume', 'gv0'))?.metadata.resourceVersion).toBe(marked?.metadata.resourceVersion);
    await get().patch('Volume', 'gv0', { metadata: { finalizers: null } });
    expect(await get().get('Volume', 'gv0')).toBeUndefined();
  });
}

function describeLists(get: () => ResourceClient): void {
  const names = async (kind: KindName, options = {}) =>
    (await get().list(kind, options)).items.map(({ metadata }) => metadata.name).sort();

  it('lists by label and by field', async () => {
    await get().create('VolumeCopy', copy('a', 'kube1', { tier: 'fast' }));
    await get().create('VolumeCopy', copy('b', 'kube2', { tier: 'fast' }));
    await get().create('VolumeCopy', copy('c', 'kube1'));
    expect(await names('VolumeCopy')).toEqual(['a', 'b', 'c']);
    expect(await names('VolumeCopy', { fieldSelector: 'spec.node=kube1' })).toEqual(['a', 'c']);
    expect(await names('VolumeCopy', { labelSelector: 'tier=fast' })).toEqual(['a', 'b']);
    expect(await names('VolumeCopy', { labelSelector: 'tier!=fast' })).toEqual(['c']);
    const both = { labelSelector: 'tier=fast', fieldSelector: 'spec.node=kube1' };
    expect(await names('VolumeCopy', both)).toEqual(['a']);
  });

  it('keeps namespaces apart', async () => {
    await get().create('Lease', lease('l', 'in-system'));
    await get().create('Lease', lease('l', 'in-default'), { namespace: 'default' });
    expect((await get().get('Lease', 'l'))?.spec.holderIdentity).toBe('in-system');
    expect((await get().get('Lease', 'l', { namespace: 'default' }))?.spec.holderIdentity).toBe('in-default');
    expect((await get().list('Lease')).items).toHaveLength(1);
    const everywhere = { namespace: ALL_NAMESPACES };
    const all = await get().list('Lease', everywhere);
    const found = all.items.map(({ metadata: { namespace = '' } }) => namespace);
    expect(found).toEqual(expect.arrayContaining(['default', 'holdfast-system']));
    const events = follow(get(), 'Lease', { ...everywhere, resourceVersion: all.resourceVersion });
    onTestFinished(events.stop);
    await get().delete('Lease', 'l', { namespace: 'default' });
    expect(await events.next(1)).toEqual(['DELETED l']);
    expect(await names('Lease', { namespace: 'default' })).toEqual([]);
    expect(await names('Lease')).toEqual(['l']);
  });

  it('lists more than a page', async () => {
    const all = Array.from({ length: 1_101 }, (_, at) => `l${String(at).padStart(4, '0')}`);
    for (let at = 0; at < all.length; at += 100) {
      await Promise.all(all.slice(at, at + 100).map((each) => get().create('Lease', lease(each))));
    }
    expect(await names('Lease')).toEqual(all);
  });
}

function describeWatch(get: () => ResourceClient): void {
  it('tells what happened after a list, in order', async () => {
    await get().create('Volume', volume('before'));
    const { resourceVersion } = await get().list('Volume');
    await get().create('Volume', volume('gv0'));
    const watch = follow(get(), 'Volume', { resourceVersion });
    expect(await watch.next(1)).toEqual(['ADDED gv0']);
    await get().patch('Volume', 'gv0', { status: { phase: 'Pending' } }, { subresource: 'status' });
    await get().create('Lease', lease('not-a-volume'));
    await get().delete('Volume', 'before');
    expect(await watch.next(2)).toEqual(['MODIFIED gv0', 'DELETED before']);
    watch.stop();
    expect(await watch.nextEvent()).toBeUndefined();
  });

  it('goes on from the version of any event', async () => {
    const { resourceVersion } = await get().list('Lease');
    for (const each of ['a', 'b', 'c']) await get().create('Lease', lease(each));
    const first = follow(get(), 'Lease', { resourceVersion });
    const event = await first.nextEvent();
    first.stop();
    if (event === undefined || event.type === 'BOOKMARK') throw new Error('expected the first lease');
    const second = follow(get(), 'Lease', { resourceVersion: event.object.metadata.resourceVersion });
    expect(await second.next(2)).toEqual(['ADDED b', 'ADDED c']);
    second.stop();
  });

  it('gives the last state and a newer version with a deletion', async () => {
    const created = await get().create('Volume', volume('gv0', { labels: { a: 'b' } }));
    const { resourceVersion } = created.metadata;
    await get().delete('Volume', 'gv0');
    const watch = follow(get(), 'Volume', { resourceVersion });
    const event = await watch.nextEvent();
    watch.stop();
    expect(event).toMatchObject({ type: 'DELETED', object: { metadata: { name: 'gv0', labels: { a: 'b' } } } });
    if (event?.type !== 'DELETED') throw new Error('expected a deletion');
    expect(Number(event.object.metadata.resourceVersion)).toBeGreaterThan(Number(resourceVersion));
  });

  it('tells a watcher with a selector when an object comes into its view and leaves it', async () => {
    const { resourceVersion } = await get().list('VolumeCopy');
    const watch = follow(get(), 'VolumeCopy', { resourceVersion, fieldSelector: 'spec.node=kube1' });
    await get().create('VolumeCopy', copy('a', 'kube2'));
    await get().create('VolumeCopy', copy('b', 'kube1'));
    await get().patch('VolumeCopy', 'a', { spec: { node: 'kube1' } });
    await get().patch('VolumeCopy', 'b', { spec: { node: 'kube2' } });
    await get().delete('VolumeCopy', 'b');
    await get().delete('VolumeCopy', 'a');
    expect(await watch.next(4)).toEqual(['ADDED b', 'ADDED a', 'DELETED b', 'DELETED a']);
    watch.stop();
  });
}

async function expectExpired(client: ResourceClient, resourceVersion: string): Promise<void> {
  const watch = follow(client, 'Volume', { resourceVersion });
  await expect(watch.nextEvent()).rejects.toMatchObject({ kind: 'conflict', reason: 'Expired' });
}

function describeOwnWatch(get: () => ResourceClient, subject: () => ClientUnderTest): void {
  it('sends bookmarks that a watch can go on from', async () => {
    const { resourceVersion } = await get().list('Volume');
    await get().create('Lease', lease('moves-the-version'));
    const watch = follow(get(), 'Volume', { resourceVersion });
    const event = watch.nextEvent();
    await subject().bookmark();
    const bookmark = await event;
    watch.stop();
    if (bookmark?.type !== 'BOOKMARK') throw new Error('expected a bookmark');
    expect(Number(bookmark.resourceVersion)).toBeGreaterThanOrEqual(Number(resourceVersion));
    await get().create('Volume', volume('gv0'));
    const next = follow(get(), 'Volume', { resourceVersion: bookmark.resourceVersion });
    expect(await next.next(1)).toEqual(['ADDED gv0']);
    next.stop();
  });

  it('says Expired for a version that the server has forgotten', async () => {
    const { resourceVersion } = await get().list('Volume');
    await get().create('Volume', volume('gv0'));
    await subject().forgetHistory();
    await expectExpired(get(), resourceVersion);
  });

  it('says Expired for a version that the server has not come to yet', async () => {
    await expectExpired(get(), '999999999');
  });
}
