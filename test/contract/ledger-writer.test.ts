/** The real writer on a real file, killed again and again while it writes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLedgerFiles } from '../../src/adapters/ledger/durable-files.ts';
import { createLedgerNetwork } from '../../src/adapters/ledger/line-network.ts';
import { sha256 } from '../../src/adapters/ledger/sha256.ts';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { createFakeLogger } from '../../src/ports/logger.fake.ts';
import { checkLedgerFile, type LedgerCheckResult } from '../../src/usecases/ledger/check.ts';
import { type LedgerServer, serveLedger } from '../../src/usecases/ledger/serve.ts';

const WRITER = fileURLToPath(new URL('./ledger-writer-process.ts', import.meta.url));

let folder: string;
let path: string;
let storePath: string;
let server: LedgerServer;
let writers: ChildProcess[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-ledger-'));
  path = join(folder, 'records');
  storePath = join(folder, 'ledger');
  writers = [];
  server = await serve(0);
});

afterEach(async () => {
  for (const writer of writers) writer.kill('SIGKILL');
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

function serve(port: number): Promise<LedgerServer> {
  const deps = {
    clock: createSystemClock(),
    files: createLedgerFiles(),
    network: createLedgerNetwork(),
    log: createFakeLogger(),
  };
  return serveLedger(deps, { storePath, listen: { host: '127.0.0.1', port } });
}

function startWriter(payloadBytes = 300): ChildProcess {
  const args = [WRITER, path, String(server.address.port), String(payloadBytes)];
  const writer = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  writers.push(writer);
  return writer;
}

/** Waits until so many records are acknowledged in all. */
async function acknowledgedAtLeast(count: number): Promise<void> {
  for await (const progress of server.watch(AbortSignal.timeout(20_000))) {
    if (progress.acknowledged >= count) return;
  }
  throw new Error(`${count} records were not acknowledged within 20 s`);
}

function check(): Promise<LedgerCheckResult> {
  const readFrom = (file: string) => async (offset: number, length: number) =>
    readFileSync(file).subarray(offset, offset + length);
  return checkLedgerFile({ hash: sha256, readFile: readFrom(path), readStore: readFrom(storePath), storePath });
}

test('kill -9 of the writer at any moment loses nothing that was acknowledged, and the next one goes on', async () => {
  for (let round = 1; round <= 3; round += 1) {
    const writer = startWriter();
    await acknowledgedAtLeast(round * 25);
    writer.kill('SIGKILL');
    await once(writer, 'exit');
    expect(await check()).toMatchObject({ isIntact: true, lost: { count: 0 } });
    // What a power cut may leave behind: a piece of the record that was under way.
    appendFileSync(path, 'hf1 999 w1 17');
    expect(await check()).toMatchObject({ isIntact: true, hasUnacknowledgedTail: true });
  }
  const last = startWriter();
  await acknowledgedAtLeast(100);
  last.kill('SIGTERM');
  expect(await once(last, 'exit')).toEqual([0, null]);
  const verdict = await check();
  expect(verdict).toMatchObject({ isIntact: true, torn: { count: 0 }, duplicated: { count: 0 } });
  expect(verdict.found).toBe(verdict.progress.acknowledged);
});

test('the ledger may be restarted while the writer writes', async () => {
  const writer = startWriter();
  await acknowledgedAtLeast(20);
  const { port } = server.address;
  await server.close();
  server = await serve(port);
  await acknowledgedAtLeast(40);
  writer.kill('SIGTERM');
  const [output] = await Promise.all([once(writer.stdout as NodeJS.ReadableStream, 'data'), once(writer, 'exit')]);
  expect(JSON.parse(String(output[0]))).toMatchObject({ writer: 'w1', storageErrors: {} });
  expect((await check()).isIntact).toBe(true);
});

test('a file cut short is found out by the checker, and by a writer that would go on', async () => {
  const writer = startWriter();
  await acknowledgedAtLeast(30);
  writer.kill('SIGKILL');
  await once(writer, 'exit');
  truncateSync(path, Math.floor(statSync(path).size / 2));
  const verdict = await check();
  expect(verdict).toMatchObject({ isIntact: false, torn: { count: 1 } });
  expect(verdict.lost.count + verdict.found).toBe(verdict.acknowledged);
  expect(verdict.lost.firstSeq).toBe(verdict.found + 1);

  const next = startWriter();
  let stderr = '';
  next.stderr?.on('data', (chunk) => (stderr += chunk));
  const [code] = await once(next, 'exit');
  expect(code).not.toBe(0);
  expect(stderr).toContain('acknowledged records');
});
