/** Whatever fails, and however often: what was acknowledged is there, once, whole and in order. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isAppError } from '../../domain/errors.ts';
import { createFakeClock, type FakeClock } from '../../ports/clock.fake.ts';
import { createFakeLedgerFiles, type FakeLedgerFiles } from '../../ports/ledger-files.fake.ts';
import { createFakeLedgerNetwork } from '../../ports/ledger-link.fake.ts';
import { createFakeLogger } from '../../ports/logger.fake.ts';
import { checkLedgerFile } from './check.ts';
import { serveLedger } from './serve.ts';
import { writeLedger } from './write.ts';

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
const LISTEN = { host: 'ledger', port: 7410 };

/** What happens at one operation of a disk or one line on the network. */
const fate = fc.oneof(
  { weight: 12, arbitrary: fc.constant({ type: 'fine' as const }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('error' as const), bytesWritten: fc.nat({ max: 300 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('power cut' as const), keptBytes: fc.nat({ max: 300 }) }) },
);
const faults = fc.record({
  disk: fc.array(fate, { maxLength: 60 }),
  ledgerDisk: fc.array(fate, { maxLength: 30 }),
  /** True: the line vanishes. */
  network: fc.array(
    fc.boolean().map((isDropped) => isDropped),
    { maxLength: 20 },
  ),
  runs: fc.integer({ min: 1, max: 4 }),
});
type Fate = typeof fate extends fc.Arbitrary<infer T> ? T : never;

/** Applies one fate to each write, sync and open in turn; fine when they are used up. */
function applyFates(disk: FakeLedgerFiles, fates: readonly Fate[]): void {
  const coming = [...fates];
  disk.failWhen((operation) => {
    if (operation === 'read') return undefined;
    const next = coming.shift();
    if (next === undefined || next.type === 'fine') return undefined;
    if (next.type === 'error') return { code: 'EIO', bytesWritten: next.bytesWritten };
    disk.crash(next.keptBytes);
    return { code: 'EIO' };
  });
}

async function drive<T>(clock: FakeClock, work: Promise<T>): Promise<T | undefined> {
  let isDone = false;
  const mark = (): void => {
    isDone = true;
  };
  work.then(mark, mark);
  while (!isDone) {
    await clock.settle();
    if (!isDone) await clock.advanceToNextTimer();
  }
  try {
    return await work;
  } catch (error) {
    // Giving up is an honest end; losing data, or a fault in the program, is not.
    if (isAppError(error, 'unavailable')) return undefined;
    throw error;
  }
}

test('no schedule of errors, torn writes, power cuts and lost lines loses an acknowledged record', async () => {
  await fc.assert(
    fc.asyncProperty(faults, async (schedule) => {
      const clock = createFakeClock();
      const disk = createFakeLedgerFiles();
      const ledgerDisk = createFakeLedgerFiles();
      const network = createFakeLedgerNetwork();
      const log = createFakeLogger();
      const server = await serveLedger(
        { clock, files: ledgerDisk, network, log },
        { storePath: '/ledger', listen: LISTEN },
      );
      applyFates(disk, schedule.disk);
      applyFates(ledgerDisk, schedule.ledgerDisk);
      const drops = [...schedule.network];
      network.dropWhen(() => drops.shift() ?? false);

      for (let run = 0; run < schedule.runs; run += 1) {
        const options = { path: '/data', writer: 'w1', ledger: LISTEN, payloadBytes: 50, count: 6 };
        const ending = { onError: 'retry' as const, giveUpAfterMs: 60_000, signal: new AbortController().signal };
        await drive(clock, writeLedger({ clock, files: disk, network, hash, log }, { ...options, ...ending }));
      }
      disk.crash();
      const [progress] = server.progress();
      await server.close();
      if (progress === undefined) return;
      const read = (files: FakeLedgerFiles, path: string) => async (offset: number, length: number) =>
        files.bytesOf(path).slice(offset, offset + length);
      const verdict = await checkLedgerFile({
        hash,
        readFile: read(disk, '/data'),
        readStore: read(ledgerDisk, '/ledger'),
        storePath: '/ledger',
      });
      expect(verdict).toMatchObject({
        isIntact: true,
        acknowledged: progress.acknowledged,
        found: progress.acknowledged,
      });
    }),
    { numRuns: 200 },
  );
});
