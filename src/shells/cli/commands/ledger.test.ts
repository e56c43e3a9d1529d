/** The ledger's commands on real files and a real connection, as a person would type them. */
import { mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLocalHost } from '../../../adapters/host/local-host.ts';
import { createLedgerFiles } from '../../../adapters/ledger/durable-files.ts';
import { createLedgerNetwork } from '../../../adapters/ledger/line-network.ts';
import { sha256 } from '../../../adapters/ledger/sha256.ts';
import { createSystemClock } from '../../../adapters/system/clock.ts';
import { createSystemRandom } from '../../../adapters/system/random.ts';
import { createFakeLogger } from '../../../ports/logger.fake.ts';
import type { CommandEntry } from '../command-entry.ts';
import type { CliContext } from '../context.ts';
import { runCli } from '../program.ts';
import { createLedgerCommand } from './ledger.ts';

const clock = createSystemClock();
const COMMAND = createLedgerCommand({
  files: createLedgerFiles(),
  network: createLedgerNetwork(),
  hash: sha256,
  log: createFakeLogger(),
  hostFiles: createLocalHost({ clock }).files,
});
const ENTRIES: readonly CommandEntry[] = [{ name: 'ledger', summary: 'Ledger', load: async () => COMMAND }];

let folder: string;
let file: string;
let store: string;
let stop: AbortController;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-ledger-cli-'));
  file = join(folder, 'records');
  store = join(folder, 'ledger');
  stop = new AbortController();
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Running {
  readonly code: Promise<number>;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves when stderr holds a text that matches. */
  saysOnStderr(pattern: RegExp): Promise<RegExpExecArray>;
}

function run(args: readonly string[], signal: AbortSignal = new AbortController().signal): Running {
  let stdout = '';
  let stderr = '';
  let wake = Promise.withResolvers<void>();
  const context: CliContext = {
    stdin: process.stdin,
    stdout: { write: (text) => (stdout += text) },
    stderr: {
      write: (text) => {
        stderr += text;
        wake.resolve();
      },
    },
    env: {},
    signal,
    clock,
    random: createSystemRandom(),
    version: '0.0.0',
    connect: async () => Promise.reject(new Error('the ledger needs no cluster')),
    plans: {
      read: async () => Promise.reject(new Error('the ledger needs no plan')),
    },
  };
  const code = runCli(args, context, ENTRIES);
  return {
    code,
    stdout: () => stdout,
    stderr: () => stderr,
    saysOnStderr: async (pattern) => {
      for (;;) {
        const match = pattern.exec(stderr);
        if (match !== null) return match;
        await wake.promise;
        wake = Promise.withResolvers<void>();
      }
    },
  };
}

async function serve(): Promise<{ ledger: string; server: Running }> {
  const server = run(['ledger', 'serve', '--store', store, '--listen', '127.0.0.1:0', '-o', 'json'], stop.signal);
  const [, ledger = ''] = await server.saysOnStderr(/listens at (\S+)/);
  return { ledger, server };
}

test('serve, write and check fit together, and the checker names what a harmed file lacks', async () => {
  const { ledger, server } = await serve();
  const write = run(['ledger', 'write', file, '--ledger', ledger, '--writer', 'w1', '--count', '12', '-o', 'json']);
  expect(await write.code, write.stderr()).toBe(0);
  expect(JSON.parse(write.stdout())).toMatchObject({ writer: 'w1', acknowledged: 12, lastSeq: 12, storageErrors: {} });

  stop.abort();
  expect(await server.code, server.stderr()).toBe(0);
  expect(JSON.parse(server.stdout())).toMatchObject([{ writer: 'w1', acknowledged: 12 }]);

  const good = run(['ledger', 'check', file, '--store', store]);
  expect(await good.code, good.stderr()).toBe(0);
  expect(good.stdout()).toMatch(/acknowledged:\s+12\n/);
  expect(good.stdout()).toMatch(/lost:\s+0\n/);

  truncateSync(file, 1_000);
  const bad = run(['ledger', 'check', file, '--store', store]);
  expect(await bad.code).toBe(8);
  expect(bad.stdout()).toMatch(/lost:\s+\d+, first at record \d+\n/);
  expect(bad.stderr()).toMatch(/\d+ of 12 acknowledged records are lost/);
});

test.for([
  [['write', '/x', '--ledger', 'nowhere'], 'expected HOST:PORT'],
  [['write', '/x', '--ledger', 'a:99999'], 'expected HOST:PORT'],
  [['write', '/x', '--ledger', 'a:1', '--writer', '../w'], 'the name of a writer may hold only'],
  [['write', '/x', '--ledger', 'a:1', '--payload', '2Mi'], 'from 1 byte to 1Mi'],
  [['write', '/x', '--ledger', 'a:1', '--count', '0'], 'expected a whole number from 1'],
  [['write', '/x', '--ledger', 'a:1', '--rate', 'x'], 'expected a number above 0'],
  [['write', '/x', '--ledger', 'a:1', '--duration', '0s'], 'expected a time above 0'],
  [['write', '/x', '--ledger', 'a:1', '--on-error', 'panic'], 'retry, stop'],
  [['write', '/x'], '--ledger'],
  [['check', '/x'], '--store'],
] as const)('%j is refused: %s', async ([args, message]) => {
  const running = run(['ledger', ...args]);
  expect(await running.code).toBe(2);
  expect(running.stderr()).toContain(message);
});

test('a file or a ledger that is missing is exit code 4', async () => {
  const running = run(['ledger', 'check', file, '--store', store]);
  expect(await running.code).toBe(4);
  expect(running.stderr()).toContain(store);
});

test('an address that is taken is exit code 5, with what to do', async () => {
  const { ledger, server } = await serve();
  const second = run(['ledger', 'serve', '--store', join(folder, 'other'), '--listen', ledger]);
  expect(await second.code).toBe(5);
  expect(second.stderr()).toContain('another program listens there');
  stop.abort();
  await server.code;
});
