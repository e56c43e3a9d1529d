/** What every Host promises, asked of this machine, of a host made of namespaces and of a machine behind ssh. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createLocalHost } from '../../src/adapters/host/local-host.ts';
import { createNamespaceHost } from '../../src/adapters/host/namespace-host.ts';
import { readProcessIdSync } from '../../src/adapters/host/process-id.ts';
import { createSshHost } from '../../src/adapters/ssh/ssh-host.ts';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { isAppError } from '../../src/domain/errors.ts';
import type { Host, HostProcesses, ProcessId } from '../../src/ports/host.ts';
import { isRunError, type RunError } from '../../src/ports/run-error.ts';
import { makeSshKeys, startSshd } from '../sshd.ts';

const clock = createSystemClock();
const isRoot = process.getuid?.() === 0;
const TIMEOUT_MS = 20_000;

type TestedHost = Host & { readonly processes: HostProcesses };

interface Subject {
  readonly host: TestedHost;
  readonly stop: () => Promise<void>;
}

async function onThisMachine(): Promise<Subject> {
  return { host: createLocalHost({ clock }), stop: async () => undefined };
}

async function inNamespaces(): Promise<Subject> {
  const local = createLocalHost({ clock });
  const starter = await local.processes.start({
    file: 'unshare',
    args: [
      ...['--net', '--mount', '--uts', '--ipc', '--pid', '--fork', '--kill-child', '--mount-proc'],
      ...['--propagation', 'private', '--', 'sleep', 'infinity'],
    ],
    logFile: '/dev/null',
  });
  const init = await firstChild(starter, 'sleep');
  return {
    host: createNamespaceHost({ clock }, { name: 'kube1', init: async () => init }),
    stop: () => local.processes.stop(starter, { graceMs: 0 }),
  };
}

async function behindSsh(): Promise<Subject> {
  const local = createLocalHost({ clock });
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-ssh-'));
  const keys = await makeSshKeys(local, folder);
  const port = await freePort();
  const knownHostsFile = join(folder, 'known_hosts');
  await local.files.writeText(knownHostsFile, `[127.0.0.1]:${port} ${keys.hostPublicKey}\n`);
  const sshd = await startSshd(local, join(folder, 'sshd'), keys, port);
  const login = { address: '127.0.0.1', port, user: userInfo().username, keyFile: keys.userKey, knownHostsFile };
  const host = createSshHost({ clock, machine: local, controlFolder: folder }, { name: 'kube1', ...login });
  await vi.waitFor(() => host.open(AbortSignal.timeout(TIMEOUT_MS)), { timeout: TIMEOUT_MS, interval: 50 });
  return {
    host,
    stop: async () => {
      await host.close();
      await local.processes.stop(sshd, { graceMs: 0 });
      await rm(folder, { recursive: true });
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

async function firstChild(parent: ProcessId, program: string): Promise<ProcessId> {
  const { files } = createLocalHost({ clock });
  return vi.waitUntil(
    async () => {
      const pid = Number((await files.readText(`/proc/${parent.pid}/task/${parent.pid}/children`)).trim());
      const name = pid > 0 ? await files.readText(`/proc/${pid}/comm`) : '';
      return name.trim() === program ? readProcessIdSync(pid) : undefined;
    },
    { timeout: TIMEOUT_MS, interval: 5 },
  );
}

async function failureOf(promise: Promise<unknown>): Promise<RunError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isRunError(error)) throw new Error(`expected a RunError, got ${String(error)}`);
  return error;
}

describe.each([
  { name: 'this machine', needsRoot: false, make: onThisMachine },
  { name: 'a host of namespaces', needsRoot: true, make: inNamespaces },
  { name: 'a machine behind ssh', needsRoot: true, make: behindSsh },
])('$name', ({ make, needsRoot }) => {
  let subject: Subject;
  let host: TestedHost;
  let folder: string;

  beforeAll(async () => {
    if (needsRoot && !isRoot) throw new Error('namespaces need root: run this test as root');
    subject = await make();
    host = subject.host;
    folder = await mkdtemp(join(tmpdir(), 'holdfast-host-'));
  });
  afterAll(async () => {
    await subject.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const run = (file: string, args: string[], more: object = {}) =>
    host.run({ file, args, timeoutMs: TIMEOUT_MS, ...more });

  describe('commands', () => {
    test('arguments arrive as they are, whatever a shell would make of them', async () => {
      const nasty = ['; echo $HOME', '`id`', 'a  b', '*', '', "'", '\n'];
      expect((await run('printf', ['%s|', ...nasty])).stdout).toBe(nasty.map((arg) => `${arg}|`).join(''));
    });
    test("the environment is the runner's own plus what is asked for", async () => {
      const { stdout } = await run('env', [], { env: { HOLDFAST_TEST: 'x y' } });
      expect(stdout).toContain('LC_ALL=C');
      expect(stdout).toContain('HOLDFAST_TEST=x y');
      expect(stdout).not.toContain('VITEST');
    });
    test('standard input is written and closed', async () => {
      expect((await run('cat', [], { stdin: 'secret\n' })).stdout).toBe('secret\n');
      expect((await run('cat', [])).stdout).toBe('');
    });
    test('it runs where it is told to', async () => {
      expect((await run('pwd', [], { cwd: '/usr' })).stdout.trim()).toBe('/usr');
    });
    test('another exit code is an error with the last line of stderr', async () => {
      const error = await failureOf(run('ls', ['/nothing/here']));
      expect(error).toMatchObject({ failure: 'exit', code: 2, file: 'ls' });
      expect(error.message).toContain('No such file or directory');
    });
    test('exit codes that are allowed are no errors', async () => {
      expect((await run('false', [], { okCodes: [0, 1] })).code).toBe(1);
    });
    test('a missing program is told apart from a failing one', async () => {
      const error = await failureOf(run('no-such-program', []));
      expect(error).toMatchObject({ failure: 'spawn', reason: 'ProgramMissing', file: 'no-such-program' });
    });
    test('the deadline ends the program and everything it started', async () => {
      const mark = `300.${process.pid}`;
      const error = await failureOf(run('timeout', ['--foreground', '400', 'sleep', mark], { timeoutMs: 300 }));
      expect(error.failure).toBe('timeout');
      // The anchors keep it from finding itself, and what started it.
      const pattern = `^(timeout|sleep) .*${mark.replace('.', '[.]')}$`;
      await expect.poll(async () => (await run('pgrep', ['-f', pattern], { okCodes: [0, 1] })).stdout).toBe('');
    });
    test('it can be aborted, before and while it runs', async () => {
      const gone = AbortSignal.abort(new Error('no longer wanted'));
      expect((await failureOf(run('true', [], { signal: gone }))).failure).toBe('aborted');
      const stop = new AbortController();
      const running = failureOf(run('sleep', ['300'], { signal: stop.signal }));
      stop.abort(new Error('changed my mind'));
      expect(await running).toMatchObject({ failure: 'aborted', kind: 'cancelled' });
    });
    test('too much output ends it', async () => {
      expect((await failureOf(run('yes', [], { maxBytes: 100_000 }))).failure).toBe('output-too-large');
    });
    test('a program that leaves a daemon with its pipes behind is not waited for', async () => {
      expect((await run('setsid', ['-f', 'sleep', '4'])).code).toBe(0);
    });
  });

  describe('processes', () => {
    test('one is started, seen and stopped', async () => {
      const logFile = join(folder, 'sleep.log');
      const id = await host.processes.start({ file: 'sleep', args: ['301'], logFile });
      expect(await host.processes.isAlive(id)).toBe(true);
      await host.processes.stop(id, { graceMs: 5_000 });
      expect(await host.processes.isAlive(id)).toBe(false);
      await host.processes.stop(id, { graceMs: 5_000 });
    });
    test('one that ignores SIGTERM is killed', async () => {
      const logFile = join(folder, 'stubborn.log');
      const program = "trap '' TERM; echo ready; while :; do sleep 1; done";
      const id = await host.processes.start({ file: 'bash', args: ['-c', program], logFile });
      const local = createLocalHost({ clock });
      await expect.poll(() => local.files.readText(logFile)).toContain('ready');
      await host.processes.stop(id, { graceMs: 50 });
      expect(await host.processes.isAlive(id)).toBe(false);
    });
    test('a pid with another start time is never signalled', async () => {
      const id = await host.processes.start({ file: 'sleep', args: ['302'], logFile: '/dev/null' });
      await host.processes.stop({ ...id, startTicks: id.startTicks + 1 }, { graceMs: 0 });
      expect(await host.processes.isAlive(id)).toBe(true);
      await host.processes.stop(id, { graceMs: 0 });
    });
    test('a missing program is an error', async () => {
      const start = host.processes.start({ file: 'no-such-program', args: [], logFile: join(folder, 'none.log') });
      expect(await failureOf(start)).toMatchObject({ failure: 'spawn', reason: 'ProgramMissing' });
    });
  });

  describe('files', () => {
    test('what is written is read, with the mode asked for, and nothing lies beside it', async () => {
      const path = join(folder, 'deep', 'er', 'x.txt');
      await host.files.makeDirectory(join(folder, 'deep', 'er'), { mode: 0o700 });
      await host.files.writeText(path, 'one');
      await host.files.writeText(path, 'two äö', { mode: 0o600 });
      expect(await host.files.readText(path)).toBe('two äö');
      expect(await host.files.list(join(folder, 'deep', 'er'))).toEqual(['x.txt']);
      expect(await host.files.stat(path)).toMatchObject({ type: 'file', sizeBytes: 8, mode: 0o600 });
      expect(await host.files.stat(join(folder, 'deep', 'er'))).toMatchObject({ type: 'directory', mode: 0o700 });
      expect(Buffer.from(await host.files.readBytes(path, 4, 100)).toString()).toBe('äö');
    });
    test('what is missing is told apart', async () => {
      const path = join(folder, 'missing');
      const error = await host.files.readText(path).catch((thrown: unknown) => thrown);
      expect(isAppError(error, 'notFound')).toBe(true);
      expect(await host.files.stat(path)).toBeUndefined();
      expect(await host.files.list(path)).toEqual([]);
      await host.files.remove(path);
    });
    test('an absolute symlink leads to the same file as for a program on the host', async () => {
      const path = join(folder, 'link');
      await run('ln', ['-s', '/proc/sys/kernel/ostype', path]);
      expect(await host.files.stat(path)).toMatchObject({ type: 'symlink' });
      expect(await host.files.readText(path)).toBe((await run('cat', [path])).stdout);
      await host.files.remove(path);
      expect(await host.files.stat('/proc/sys/kernel/ostype')).toBeDefined();
    });
    test('a folder with something in it is not removed', async () => {
      await host.files.makeDirectory(join(folder, 'full'));
      await host.files.writeText(join(folder, 'full', 'x'), '');
      await expect(host.files.remove(join(folder, 'full'))).rejects.toMatchObject({ kind: 'precondition' });
      await host.files.remove(join(folder, 'full', 'x'));
      await host.files.remove(join(folder, 'full'));
    });
    test('a folder that can never be made is an error, not an endless attempt', async () => {
      // /proc takes no folders and says ENOENT, as it does for those of a process that has ended.
      await expect(host.files.makeDirectory('/proc/no such process/a')).rejects.toMatchObject({ kind: 'notFound' });
    });
    test('a folder where a file is, is an error', async () => {
      await host.files.writeText(join(folder, 'file'), '');
      await expect(host.files.makeDirectory(join(folder, 'file'))).rejects.toMatchObject({ kind: 'exists' });
      await expect(host.files.makeDirectory(join(folder, 'file', 'x'))).rejects.toMatchObject({ kind: 'notFound' });
    });
    test('the root is a folder', async () => {
      expect(await host.files.stat('/')).toMatchObject({ type: 'directory' });
      expect(await host.files.list('/')).toContain('proc');
    });
    test('space is measured', async () => {
      const { capacityBytes, freeBytes } = await host.files.usage('/');
      expect(freeBytes).toBeGreaterThan(0);
      expect(capacityBytes).toBeGreaterThanOrEqual(freeBytes);
    });
  });

  describe('mounts', () => {
    test.runIf(isRoot)('a mount is made, listed and undone', async () => {
      const target = join(folder, 'a mount');
      await host.files.makeDirectory(target);
      const request = {
        source: 'holdfast',
        target,
        fsType: 'tmpfs',
        options: ['size=1m', 'noexec'],
        timeoutMs: TIMEOUT_MS,
      };
      await host.mounts.mount(request);
      const entry = (await host.mounts.list()).find((each) => each.target === target);
      expect(entry).toMatchObject({ source: 'holdfast', fsType: 'tmpfs' });
      expect(entry?.options).toContain('noexec');
      await host.mounts.mount(request);
      await host.mounts.unmount(target, { timeoutMs: TIMEOUT_MS });
      expect((await host.mounts.list()).some((each) => each.target === target)).toBe(false);
      await host.mounts.unmount(target, { timeoutMs: TIMEOUT_MS });
    });
    test.runIf(isRoot)('one that is in use says so and stays, unless it is detached lazily', async () => {
      const target = join(folder, 'busy');
      await host.files.makeDirectory(target);
      await host.mounts.mount({ source: 'none', target, fsType: 'tmpfs', timeoutMs: TIMEOUT_MS });
      const user = await host.processes.start({ file: 'sleep', args: ['303'], logFile: '/dev/null', cwd: target });
      await expect(host.mounts.unmount(target, { timeoutMs: TIMEOUT_MS })).rejects.toMatchObject({
        reason: 'MountBusy',
      });
      await host.mounts.unmount(target, { timeoutMs: TIMEOUT_MS, lazy: true });
      expect((await host.mounts.list()).some((each) => each.target === target)).toBe(false);
      await host.processes.stop(user, { graceMs: 0 });
    });
    test.runIf(isRoot)('a mount that fails is an error', async () => {
      const target = join(folder, 'never');
      await host.files.makeDirectory(target);
      const failing = host.mounts.mount({ source: '/dev/null', target, fsType: 'xfs', timeoutMs: TIMEOUT_MS });
      expect((await failureOf(failing)).failure).toBe('exit');
    });
  });
});

test('a host that is off says so', async () => {
  const host = createNamespaceHost({ clock }, { name: 'kube9', init: async () => undefined });
  await expect(host.run({ file: 'true', args: [], timeoutMs: TIMEOUT_MS })).rejects.toMatchObject({
    reason: 'HostOff',
  });
  await expect(host.files.list('/')).rejects.toMatchObject({ kind: 'unavailable', message: 'kube9 is powered off' });
});

test('a folder is made although whoever cleans up takes its parents away at the same moment', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-parents-'));
  const { files } = createLocalHost({ clock });
  const path = join(folder, 'a', 'b', 'c');
  try {
    let isMade = false;
    const clean = async (each: string): Promise<void> => {
      while (!isMade) await files.remove(each).catch(() => undefined);
    };
    for (let round = 0; round < 100; round += 1) {
      isMade = false;
      const cleaners = [join(folder, 'a', 'b'), join(folder, 'a')].map(clean);
      await files.makeDirectory(path);
      isMade = true;
      await Promise.all(cleaners);
      expect(await files.stat(path)).toMatchObject({ type: 'directory' });
      for (const each of [path, join(folder, 'a', 'b'), join(folder, 'a')]) await files.remove(each);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
