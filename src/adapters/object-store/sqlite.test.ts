import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, test } from 'vitest';
import type { ObjectStore, StoredChange, StoreTransaction } from '../../ports/object-store.ts';
import { openSqliteStore } from './sqlite.ts';

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) cleanUp();
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-store-'));
  cleanUps.push(() => rmSync(path, { recursive: true }));
  return path;
}

function open(path: string, changeWindow = 5_000): ObjectStore {
  const store = openSqliteStore({ path, changeWindow });
  cleanUps.push(() => store.close());
  return store;
}

const key = (name: string, resource = 'volumes') => ({ resource, namespace: '', name });
const put = (store: ObjectStore, name: string, expected: number, value: unknown = {}) =>
  store.transact((transaction) =>
    transaction.put(key(name), expected, (revision) => JSON.stringify({ value, revision })),
  );

// A disk and memory take the same contract: one groups commits over turns of the event loop, the other does not.
describe.each(['file', 'memory'])('object store in %s', (place) => {
  const make = (window?: number) => open(place === 'memory' ? ':memory:' : join(folder(), 'state.db'), window);

  test('counts one revision for all writes and gives each to its text', async () => {
    const store = make();
    await Promise.all([put(store, 'a', 0), put(store, 'b', 0)]);
    await put(store, 'a', 1);
    expect(store.revision()).toBe(3);
    expect(store.get(key('a'))).toMatchObject({ revision: 3, text: '{"value":{},"revision":3}' });
    expect(store.get(key('b'))?.revision).toBe(2);
    expect(store.get(key('c'))).toBeUndefined();
  });

  test('refuses a write to another revision than the expected one', async () => {
    const store = make();
    await put(store, 'a', 0);
    for (const expected of [0, 2]) await expect(put(store, 'a', expected)).rejects.toMatchObject({ kind: 'conflict' });
    await expect(put(store, 'b', 1)).rejects.toMatchObject({ kind: 'conflict' });
    expect(store.revision()).toBe(1);
  });

  test('of several writers that expect the same revision, one wins', async () => {
    const store = make();
    const results = await Promise.allSettled([1, 2, 3, 4].map((value) => put(store, 'a', 0, value)));
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
  });

  test('a body that throws writes nothing and spoils nothing for the others of its batch', async () => {
    const store = make();
    const failing = store.transact((transaction) => {
      transaction.put(key('x'), 0, () => '{}');
      throw new Error('changed my mind');
    });
    const [failed, ok] = await Promise.allSettled([failing, put(store, 'y', 0)]);
    expect(failed).toMatchObject({ status: 'rejected', reason: { message: 'changed my mind' } });
    expect(ok.status).toBe('fulfilled');
    expect(store.get(key('x'))).toBeUndefined();
    expect(store.get(key('y'))?.revision).toBe(1);
  });

  test('a write that fails half-way leaves no trace, not even in the revision', async () => {
    const store = make();
    const failing = store.transact((transaction) => {
      transaction.put(key('x'), 0, () => '{}');
      transaction.put(key('y'), 0, () => {
        throw new Error('disk on fire');
      });
    });
    await expect(failing).rejects.toMatchObject({ kind: 'unavailable', reason: 'StoreFailed' });
    expect(store.revision()).toBe(0);
    await put(store, 'x', 0);
    expect(store.get(key('x'))?.revision).toBe(1);
    expect(store.changesSince('volumes', 0, 10)).toHaveLength(1);
  });

  test('tells subscribers of a commit before its writers', async () => {
    const store = make();
    const order: string[] = [];
    const leave = store.subscribe((changes) => order.push(...changes.map((change) => `${change.type} ${change.name}`)));
    await put(store, 'a', 0).then(() => order.push('written'));
    expect(order).toEqual(['created a', 'written']);
    leave();
    await put(store, 'a', 1);
    expect(order).toHaveLength(2);
  });

  test('logs each change with the state before it', async () => {
    const store = make();
    await put(store, 'a', 0, 1);
    await put(store, 'a', 1, 2);
    await store.transact((transaction) => transaction.remove(key('a'), 2, (revision) => `{"last":${revision}}`));
    await store.transact((transaction) => transaction.put(key('l', 'leases'), 0, () => '{}'));
    const seen = store.changesSince('volumes', 1, 10);
    expect(
      seen.map(({ type, revision, text, previousText }: StoredChange) => [type, revision, text, previousText]),
    ).toEqual([
      ['updated', 2, '{"value":2,"revision":2}', '{"value":1,"revision":1}'],
      ['deleted', 3, '{"last":3}', '{"value":2,"revision":2}'],
    ]);
    expect(store.changesSince('volumes', 0, 1)).toMatchObject([{ type: 'created', revision: 1 }]);
    expect(store.changesSince('volumes', 4, 10)).toEqual([]);
  });

  test('keeps a window of changes per resource; before it and beyond the newest is Expired', async () => {
    const store = make(8);
    await store.transact((transaction) => transaction.put(key('l', 'leases'), 0, () => '{}'));
    for (let revision = 1; revision <= 40; revision++) await put(store, 'a', revision === 1 ? 0 : revision, revision);
    expect(store.changesSince('leases', 0, 10)).toHaveLength(1);
    const newest = store.revision();
    expect(store.changesSince('volumes', newest - 8, 100)).toHaveLength(8);
    const expired = expect.objectContaining({ kind: 'conflict', reason: 'Expired' });
    expect(() => store.changesSince('volumes', newest - 20, 100)).toThrow(expired);
    expect(() => store.changesSince('volumes', newest + 1, 100)).toThrow(expired);
  });

  test('lists in order, in pages, by namespace and by an indexed path', async () => {
    const store = make();
    const objects = [
      ['b', 'x', 'n1'],
      ['a', 'z', 'n2'],
      ['a', 'y', 'n1'],
    ] as const;
    for (const [namespace, name, node] of objects) {
      await store.transact((transaction: StoreTransaction) =>
        transaction.put({ resource: 'copies', namespace, name }, 0, () => JSON.stringify({ spec: { node } })),
      );
    }
    const names = (query: object) => store.list({ resource: 'copies', ...query }).map((object) => object.name);
    expect(names({})).toEqual(['y', 'z', 'x']);
    expect(names({ limit: 2 })).toEqual(['y', 'z']);
    expect(names({ after: { namespace: 'a', name: 'y' } })).toEqual(['z', 'x']);
    expect(names({ namespace: 'a' })).toEqual(['y', 'z']);
    expect(names({ namespace: 'a', after: { namespace: 'a', name: 'y' } })).toEqual(['z']);
    expect(names({ where: { path: 'spec.node', value: 'n1' } })).toEqual(['y', 'x']);
    expect(names({ where: { path: 'spec.node', value: 'n1' }, namespace: 'b' })).toEqual(['x']);
    expect(names({ where: { path: 'spec.other', value: 'n1' } })).toHaveLength(3);
  });

  test('fails after it was closed', async () => {
    const store = make();
    store.close();
    await expect(put(store, 'a', 0)).rejects.toMatchObject({ kind: 'unavailable' });
    expect(() => store.get(key('a'))).toThrow(/closed/);
  });
});

describe('state file', () => {
  test('keeps everything over a restart, and only its owner may read it', async () => {
    const path = join(folder(), 'state.db');
    const first = open(path, 8);
    for (let revision = 0; revision < 20; revision++) await put(first, 'a', revision);
    const queued = put(first, 'b', 0);
    first.close();
    await queued;
    expect(statSync(path).mode & 0o777).toBe(0o600);

    const second = open(path, 8);
    expect(second.revision()).toBe(21);
    expect(second.get(key('b'))?.revision).toBe(21);
    expect(second.changesSince('volumes', 13, 100).at(-1)?.name).toBe('b');
    expect(() => second.changesSince('volumes', 1, 100)).toThrow(expect.objectContaining({ reason: 'Expired' }));
  });

  test('has one owner at a time', () => {
    const path = join(folder(), 'state.db');
    open(path);
    expect(() => openSqliteStore({ path })).toThrow(
      expect.objectContaining({ kind: 'precondition', reason: 'StateInUse', message: expect.stringContaining(path) }),
    );
  });

  test('refuses what is not its own and does not change it', () => {
    const path = join(folder(), 'notes.txt');
    writeFileSync(path, 'not a database, but long enough to look like something that holds data\n'.repeat(20));
    expect(() => openSqliteStore({ path })).toThrow(expect.objectContaining({ reason: 'StateDamaged' }));
    const foreign = join(folder(), 'foreign.db');
    const db = new DatabaseSync(foreign);
    db.exec('CREATE TABLE things (a)');
    db.close();
    expect(() => openSqliteStore({ path: foreign })).toThrow(expect.objectContaining({ reason: 'ForeignStateFile' }));
  });

  test('of a newer Holdfast is left alone', async () => {
    const path = join(folder(), 'state.db');
    open(path).close();
    const db = new DatabaseSync(path);
    db.exec('PRAGMA user_version = 99');
    db.close();
    expect(() => openSqliteStore({ path })).toThrow(expect.objectContaining({ reason: 'StateFormat' }));
  });
});
