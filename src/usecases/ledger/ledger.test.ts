/** Writer, ledger and checker together, on a disk and a network in memory. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { isAppError } from '../../domain/errors.ts';
import { createFakeClock, type FakeClock } from '../../ports/clock.fake.ts';
import { createFakeLedgerFiles, type Failure, type FakeLedgerFiles } from '../../ports/ledger-files.fake.ts';
import { createFakeLedgerNetwork, type FakeLedgerNetwork } from '../../ports/ledger-link.fake.ts';
import { createFakeLogger } from '../../ports/logger.fake.ts';
import { checkLedgerFile, type LedgerCheckResult } from './check.ts';
import { type LedgerServer, serveLedger } from './serve.ts';
import { type WriteLedgerOptions, type WriteLedgerResult, writeLedger } from './write.ts';

const PATH = '/data/records';
const STORE = '/outside/ledger';
const LISTEN = { host: 'ledger', port: 7410 };
const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

interface Rig {
  readonly clock: FakeClock;
  /** The storage under test, and the disk of the ledger. */
  readonly disk: FakeLedgerFiles;
  readonly ledgerDisk: FakeLedgerFiles;
  readonly network: FakeLedgerNetwork;
  serve(): Promise<LedgerServer>;
  write(options?: Partial<WriteLedgerOptions>): Promise<WriteLedgerResult>;
  check(): Promise<LedgerCheckResult>;
}

function createRig(): Rig {
  const clock = createFakeClock();
  const disk = createFakeLedgerFiles();
  const ledgerDisk = createFakeLedgerFiles();
  const network = createFakeLedgerNetwork();
  const log = createFakeLogger();
  const signal = new AbortController().signal;
  const defaults = { path: PATH, writer: 'w1', ledger: LISTEN, payloadBytes: 40, onError: 'retry' as const };
  const reader = (files: FakeLedgerFiles, path: string) => async (offset: number, length: number) =>
    files.bytesOf(path).slice(offset, offset + length);
  return {
    clock,
    disk,
    ledgerDisk,
    network,
    serve: () => serveLedger({ clock, files: ledgerDisk, network, log }, { storePath: STORE, listen: LISTEN }),
    write: (options = {}) => {
      const running = writeLedger(
        { clock, files: disk, network, hash, log },
        { ...defaults, count: 10, giveUpAfterMs: 10_000, signal, ...options },
      );
      return drive(clock, running);
    },
    check: () =>
      checkLedgerFile({
        hash,
        readFile: reader(disk, PATH),
        readStore: reader(ledgerDisk, STORE),
        storePath: STORE,
      }),
  };
}

/** Lets time pass until the work is done. */
async function drive<T>(clock: FakeClock, work: Promise<T>): Promise<T> {
  let isDone = false;
  const mark = (): void => {
    isDone = true;
  };
  work.then(mark, mark);
  await clock.settle();
  while (!isDone) {
    await clock.advanceToNextTimer();
    await clock.settle();
  }
  return work;
}

/** Fails the nth operation of a kind (counting from 1), and no other. */
function failNth(disk: FakeLedgerFiles, operation: string, nth: number, failure: Failure): void {
  let seen = 0;
  disk.failWhen((each) => {
    if (each !== operation) return undefined;
    seen += 1;
    return seen === nth ? failure : undefined;
  });
}

test('what was acknowledged is there', async () => {
  const rig = createRig();
  const server = await rig.serve();
  const result = await rig.write({ count: 25 });
  expect(result).toMatchObject({ writer: 'w1', acknowledged: 25, lastSeq: 25, storageErrors: {}, reconnects: 0 });
  expect(server.progress()).toMatchObject([{ writer: 'w1', acknowledged: 25, lastSeq: 25 }]);
  expect(await rig.check()).toMatchObject({
    isIntact: true,
    acknowledged: 25,
    found: 25,
    hasUnacknowledgedTail: false,
  });
});

test('records come at the rate asked for, and a stall is measured at the ledger', async () => {
  const rig = createRig();
  await rig.serve();
  let failures = 30;
  rig.disk.failWhen((operation) =>
    operation === 'sync' && failures-- > 0 && failures < 25 ? { code: 'EIO' } : undefined,
  );
  const result = await rig.write({ count: 21, ratePerSecond: 10 });
  const { progress, isIntact } = await rig.check();
  expect(result.storageErrors).toEqual({ EIO: 25 });
  expect(isIntact).toBe(true);
  // 25 failed attempts with 100 ms between them.
  expect(progress.longestStall?.ms).toBeGreaterThanOrEqual(2_500);
  expect(progress.longestStall?.ms).toBeLessThan(2_800);
});

test('a run ends by duration or by its signal', async () => {
  const rig = createRig();
  await rig.serve();
  const timed = await rig.write({ count: 1_000, ratePerSecond: 10, durationMs: 2_000 });
  expect(timed.acknowledged).toBeGreaterThanOrEqual(19);
  expect(timed.acknowledged).toBeLessThanOrEqual(21);
  const stop = new AbortController();
  const stopped = rig.write({ count: 1_000, ratePerSecond: 10, signal: stop.signal });
  stop.abort();
  expect((await stopped).acknowledged).toBeLessThan(1_000);
  expect((await rig.check()).isIntact).toBe(true);
});

describe('a storage that fails', () => {
  test.for([
    { operation: 'write', failure: { code: 'ENOTCONN' } },
    { operation: 'write', failure: { code: 'EIO', bytesWritten: 17 } },
    { operation: 'write', failure: { code: 'ENOSPC', bytesWritten: 1_000 } },
    { operation: 'sync', failure: { code: 'EIO' } },
  ])('$operation with $failure.code is tried again and leaves no trace', async ({ operation, failure }) => {
    const rig = createRig();
    await rig.serve();
    failNth(rig.disk, operation, 4, failure);
    const result = await rig.write();
    expect(result).toMatchObject({ acknowledged: 10, storageErrors: { [failure.code]: 1 } });
    expect(await rig.check()).toMatchObject({ isIntact: true, found: 10, hasUnacknowledgedTail: false });
  });

  test('a mount that is gone is not replaced by the folder underneath', async () => {
    const rig = createRig();
    const server = await rig.serve();
    const writing = rig.write({ count: 50, ratePerSecond: 10, giveUpAfterMs: 2_000 });
    for await (const progress of server.watch()) {
      if (progress.lastSeq >= 5) break;
    }
    rig.disk.remove(PATH);
    await expect(writing).rejects.toMatchObject({ kind: 'unavailable', reason: 'StorageUnavailable' });
    expect(rig.disk.bytesOf(PATH)).toHaveLength(0);
  });

  test('with on-error stop the first error ends the run, and says which it was', async () => {
    const rig = createRig();
    await rig.serve();
    failNth(rig.disk, 'sync', 3, { code: 'EROFS' });
    await expect(rig.write({ onError: 'stop' })).rejects.toMatchObject({ kind: 'unavailable', reason: 'EROFS' });
    // The record that failed is there, and was acknowledged to nobody.
    expect(await rig.check()).toMatchObject({
      isIntact: true,
      acknowledged: 2,
      unacknowledged: { count: 1, firstSeq: 3 },
    });
  });

  test('one that never works again ends the run when the time is up', async () => {
    const rig = createRig();
    await rig.serve();
    rig.disk.failWhen((operation) => (operation === 'write' ? { code: 'EIO' } : undefined));
    await expect(rig.write()).rejects.toMatchObject({ kind: 'unavailable', reason: 'StorageUnavailable' });
  });

  test('one that lies about sync loses records, and the checker says which', async () => {
    const rig = createRig();
    await rig.serve();
    await rig.write({ count: 5 });
    rig.disk.lieAboutSync();
    await rig.write({ count: 5 });
    rig.disk.crash();
    expect(await rig.check()).toMatchObject({ isIntact: false, found: 5, lost: { count: 5, firstSeq: 6 } });
    await expect(rig.write()).rejects.toMatchObject({ kind: 'dataLoss', reason: 'AcknowledgedRecordsMissing' });
  });
});

describe('a writer that died goes on where it was', () => {
  /** Writes until the given sync of a run, where the power goes; `keptBytes` of the record under way survive. */
  const dieAtSync = async (rig: Rig, nth: number, keptBytes: number): Promise<void> => {
    failNth(rig.disk, 'sync', nth, { code: 'EIO' });
    await expect(rig.write({ onError: 'stop' })).rejects.toSatisfy((error) => isAppError(error, 'unavailable'));
    rig.disk.failWhen(() => undefined);
    rig.disk.crash(keptBytes);
  };

  test.for([0, 1, 50, 10_000])('after a power cut that left %i bytes of the record under way', async (keptBytes) => {
    const rig = createRig();
    await rig.serve();
    await dieAtSync(rig, 6, keptBytes);
    expect(await rig.check()).toMatchObject({ isIntact: true, acknowledged: 5 });
    expect(await rig.write({ count: 10 })).toMatchObject({ acknowledged: 10, lastSeq: 15 });
    expect(await rig.check()).toMatchObject({ isIntact: true, found: 15, hasUnacknowledgedTail: false });
  });

  test('and what is left of a longer record does not stay behind a shorter one', async () => {
    const rig = createRig();
    await rig.serve();
    failNth(rig.disk, 'sync', 2, { code: 'EIO' });
    await expect(rig.write({ payloadBytes: 5_000, onError: 'stop' })).rejects.toMatchObject({ reason: 'EIO' });
    rig.disk.failWhen(() => undefined);
    rig.disk.crash(4_000);
    await rig.write({ payloadBytes: 10, count: 1 });
    expect(await rig.check()).toMatchObject({ isIntact: true, found: 2, hasUnacknowledgedTail: false });
  });

  test('but not in a file of another writer, nor of another ledger', async () => {
    const rig = createRig();
    const server = await rig.serve();
    await rig.write();
    await expect(rig.write({ writer: 'w2' })).rejects.toMatchObject({ kind: 'precondition', reason: 'OtherWriter' });
    await server.close();
    rig.ledgerDisk.remove(STORE);
    await rig.serve();
    await expect(rig.write()).rejects.toMatchObject({ kind: 'precondition', reason: 'OtherLedger' });
  });
});

describe('a network that fails', () => {
  test('an answer that got lost is asked for again, and nothing is kept twice', async () => {
    const rig = createRig();
    await rig.serve();
    let drops = 0;
    rig.network.dropWhen((line) => line === 'kept 4' && drops++ === 0);
    const result = await rig.write();
    expect(result).toMatchObject({ acknowledged: 10, reconnects: 1 });
    expect((await rig.check()).acknowledged).toBe(10);
  });

  test('a report that got lost is sent again', async () => {
    const rig = createRig();
    await rig.serve();
    let drops = 0;
    rig.network.dropWhen((line) => line.startsWith('stored 4 ') && drops++ === 0);
    expect(await rig.write()).toMatchObject({ acknowledged: 10, reconnects: 1 });
    expect((await rig.check()).acknowledged).toBe(10);
  });

  test('a ledger out of reach for too long ends the run', async () => {
    const rig = createRig();
    rig.network.setDown(true);
    await rig.serve();
    await expect(rig.write()).rejects.toMatchObject({ kind: 'unavailable' });
  });

  test('a ledger that started anew without its file refuses what does not follow', async () => {
    const rig = createRig();
    const server = await rig.serve();
    const writing = rig.write({ count: 50, ratePerSecond: 10 });
    for await (const progress of server.watch()) {
      if (progress.lastSeq >= 5) break;
    }
    await server.close();
    rig.ledgerDisk.remove(STORE);
    await rig.serve();
    await expect(writing).rejects.toMatchObject({ kind: 'precondition', reason: 'LedgerRefused' });
  });
});

describe('the ledger itself', () => {
  test('goes on after a restart, also from the middle of an entry', async () => {
    const rig = createRig();
    const first = await rig.serve();
    await rig.write();
    await first.close();
    const file = await rig.ledgerDisk.open(STORE, { create: false });
    const before = await file.size();
    await file.write(before, Buffer.from('w1 11 abc'));
    await rig.serve();
    expect(rig.ledgerDisk.bytesOf(STORE)).toHaveLength(before);
    expect(await rig.write({ count: 5 })).toMatchObject({ acknowledged: 5, lastSeq: 15 });
    expect(await rig.check()).toMatchObject({ isIntact: true, found: 15 });
  });

  test('keeps a record once when it comes by the old connection and by the new one', async () => {
    const rig = createRig();
    const server = await rig.serve();
    const answers: string[] = [];
    const handler = { line: (line: string) => void answers.push(line), closed: () => undefined };
    const links = [];
    for (let index = 0; index < 2; index += 1) {
      const link = await rig.network.connect(LISTEN, handler, { timeoutMs: 1_000 });
      link.send('hello hf1 w1');
      links.push(link);
    }
    for (const link of links) link.send(`stored 1 ${'0'.repeat(64)} ${'a'.repeat(64)}`);
    for (const link of links) link.send(`stored 1 ${'0'.repeat(64)} ${'b'.repeat(64)}`);
    await rig.clock.settle();
    expect(answers.map((line) => line.split(' ')[0])).toEqual([
      'welcome',
      'welcome',
      'kept',
      'kept',
      'refused',
      'refused',
    ]);
    expect(server.progress()).toMatchObject([{ acknowledged: 1 }]);
  });

  test('does not acknowledge what it could not store', async () => {
    const rig = createRig();
    await rig.serve();
    failNth(rig.ledgerDisk, 'sync', 5, { code: 'EIO' });
    expect(await rig.write()).toMatchObject({ acknowledged: 10, reconnects: 1 });
    expect(await rig.check()).toMatchObject({ isIntact: true, acknowledged: 10 });
  });

  test('refuses to start on a damaged file', async () => {
    const rig = createRig();
    const server = await rig.serve();
    await rig.write();
    await server.close();
    const file = await rig.ledgerDisk.open(STORE, { create: false });
    await file.write(100, Buffer.from('xxx'));
    await expect(rig.serve()).rejects.toMatchObject({ kind: 'dataLoss', reason: 'LedgerDamaged' });
  });

  test('tells a stranger what it is, and serves on', async () => {
    const rig = createRig();
    await rig.serve();
    const answer = Promise.withResolvers<string>();
    const handler = { line: answer.resolve, closed: () => undefined };
    const link = await rig.network.connect(LISTEN, handler, { timeoutMs: 1_000 });
    link.send('GET / HTTP/1.1');
    expect(await answer.promise).toMatch(/^refused /);
    expect((await rig.write()).acknowledged).toBe(10);
  });

  test('keeps writers apart, and the checker asks which one is meant', async () => {
    const rig = createRig();
    await rig.serve();
    await rig.write();
    await rig.write({ writer: 'w2', path: '/data/other', count: 3 });
    await expect(rig.check()).rejects.toMatchObject({ kind: 'invalid', hint: 'name one with --writer: w1, w2' });
  });
});
