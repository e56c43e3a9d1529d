/** The state file on a disk that fills up: writes are refused, nothing acknowledged is lost, and it goes on when there is room. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { openSqliteStore } from '../../src/adapters/object-store/sqlite.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn('NOT TESTED: a full disk needs a small file system, and mounting one needs root');

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) cleanUp();
});

const put = (store: ObjectStore, name: string) => {
  const key = { resource: 'volumes', namespace: '', name };
  return store.transact((transaction) =>
    transaction.put(key, 0, (revision) => JSON.stringify({ revision, pad: 'x'.repeat(9_000) })),
  );
};

test.runIf(isRoot)('a full disk', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-full-'));
  cleanUps.push(() => rmSync(folder, { recursive: true }));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder]);
  cleanUps.push(() => execFileSync('umount', [folder]));
  const ballast = join(folder, 'ballast');
  writeFileSync(ballast, Buffer.alloc(2 * 1024 * 1024));

  const path = join(folder, 'state.db');
  let store = openSqliteStore({ path });
  cleanUps.push(() => store.close());
  const acknowledged: string[] = [];
  let error: unknown;
  for (let index = 0; error === undefined; index++) {
    const results = await Promise.allSettled([0, 1, 2].map((part) => put(store, `v${index}-${part}`)));
    for (const [part, result] of results.entries()) {
      if (result.status === 'fulfilled') acknowledged.push(`v${index}-${part}`);
      else error = result.reason;
    }
  }
  expect(error).toMatchObject({ kind: 'unavailable', reason: 'StoreFailed', message: expect.stringContaining('full') });
  expect(statfsSync(folder).bavail).toBeLessThan(64);
  const names = () => store.list({ resource: 'volumes' }).map((object) => object.name);
  expect(names()).toEqual(acknowledged.toSorted());
  expect(store.revision()).toBe(acknowledged.length);

  rmSync(ballast);
  await put(store, 'after');
  store.close();
  store = openSqliteStore({ path });
  expect(names()).toEqual([...acknowledged, 'after'].toSorted());
  expect(store.get({ resource: 'volumes', namespace: '', name: 'after' })?.revision).toBe(acknowledged.length + 1);
});
