/** The one place that starts programs: argv lists only, a fixed environment, a deadline, and a process group to kill. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import type { AttachedCommand, Command, CommandResult, ProcessId, ProcessRequest } from '../../ports/host.ts';
import type { RunError, RunFailure } from '../../ports/run-error.ts';
import { describeRunFailure } from './describe-run-failure.ts';
import { readProcessIdSync } from './process-id.ts';

/** Where programs are looked up, whatever the caller's own PATH says. */
export const PROGRAM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const DEFAULT_MAX_BYTES = 4 * 1024 * 1024;
/** A killed process that is still there after this long sits in the kernel (state D); nobody can end it. */
const KILL_WAIT_MS = 2_000;
/** A daemon may inherit the pipes of the command that started it and hold them for ever. */
const DRAIN_MS = 250;

/** A command, and how errors name it where what is started (nsenter) is not what was asked for. */
export type RunnableCommand = Command & { readonly shownAs?: string };

/**
 * Runs one command to its end. See {@link Command} for the limits.
 *
 * @throws {RunError}
 */
export function runCommand(command: RunnableCommand): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    if (command.signal?.aborted)
      return reject(describeRunFailure(command, 'aborted', { cause: command.signal.reason }));
    const child = spawn(command.file, [...command.args], {
      shell: false,
      detached: true,
      stdio: [command.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      env: environment(command.env),
      ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
    });
    watch({ child, command, resolve, reject });
  });
}

interface Watched {
  readonly child: ChildProcess;
  readonly command: RunnableCommand;
  readonly resolve: (result: CommandResult) => void;
  readonly reject: (error: RunError) => void;
}

function watch({ child, command, resolve, reject }: Watched): void {
  const timers = new Set<NodeJS.Timeout>();
  const after = (ms: number, then: () => void) => timers.add(setTimeout(then, ms));
  let stopped: { failure: RunFailure; cause?: unknown } | undefined;

  const finish = (settle: () => void) => {
    for (const timer of timers) clearTimeout(timer);
    command.signal?.removeEventListener('abort', onAbort);
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
    child.unref();
    settle();
  };
  const stop = (failure: RunFailure, cause?: unknown) => {
    if (stopped !== undefined || hasEnded(child)) return;
    stopped = { failure, cause };
    killGroup(child);
    after(KILL_WAIT_MS, () =>
      finish(() => reject(describeRunFailure(command, failure, { cause, isStuck: true, ...output() }))),
    );
  };
  const onAbort = () => stop('aborted', command.signal?.reason);
  const output = collect(child, command.maxBytes ?? DEFAULT_MAX_BYTES, () => stop('output-too-large'));
  const conclude = () => {
    const code = child.exitCode ?? undefined;
    const { stdout, stderr } = output();
    if (stopped !== undefined) {
      const { failure, cause } = stopped;
      return finish(() => reject(describeRunFailure(command, failure, { cause, stdout, stderr })));
    }
    if (code === undefined) {
      return finish(() => reject(describeRunFailure(command, 'signal', { signal: child.signalCode, stdout, stderr })));
    }
    if (!(command.okCodes ?? [0]).includes(code)) {
      return finish(() => reject(describeRunFailure(command, 'exit', { code, stdout, stderr })));
    }
    finish(() => resolve({ stdout, stderr, code }));
  };

  child.once('error', (cause) => {
    if (child.pid === undefined) finish(() => reject(describeRunFailure(command, 'spawn', { cause })));
  });
  child.once('close', conclude);
  // Pipes that a daemon still holds are let go; one more turn of the event loop reads what is already in them.
  child.once('exit', () => after(DRAIN_MS, () => setImmediate(conclude)));
  after(command.timeoutMs, () => stop('timeout'));
  command.signal?.addEventListener('abort', onAbort, { once: true });
  if (command.stdin !== undefined) {
    // EPIPE: the program did not want all of its input; its exit code tells whether that matters.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(command.stdin);
  }
}

function collect(child: ChildProcess, maxBytes: number, onTooMuch: () => void): () => Output {
  const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  for (const name of ['stdout', 'stderr'] as const) {
    let size = 0;
    child[name]?.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) return onTooMuch();
      chunks[name].push(chunk);
    });
  }
  return () => ({
    stdout: Buffer.concat(chunks.stdout).toString('utf8'),
    stderr: Buffer.concat(chunks.stderr).toString('utf8'),
  });
}

interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Starts a process in a session of its own that goes on after this one has ended.
 *
 * @throws {RunError} spawn, when the program is missing or may not be run
 */
export function startProcess(request: ProcessRequest): Promise<ProcessId> {
  mkdirSync(dirname(request.logFile), { recursive: true, mode: 0o750 });
  const log = openSync(request.logFile, 'a', 0o640);
  try {
    const child = spawn(request.file, [...request.args], {
      shell: false,
      detached: true,
      stdio: ['ignore', log, log],
      env: environment(request.env),
      ...(request.cwd === undefined ? {} : { cwd: request.cwd }),
    });
    // Read in this very turn of the event loop: the child cannot have been reaped yet, so the pid is still its own.
    const id = child.pid === undefined ? undefined : readProcessIdSync(child.pid);
    child.unref();
    return new Promise((resolve, reject) => {
      child.once('error', (cause) => reject(describeRunFailure(request, 'spawn', { cause })));
      if (id !== undefined) resolve(id);
    });
  } finally {
    closeSync(log);
  }
}

/**
 * Runs a command on this process's own terminal, for `exec`.
 *
 * @returns its exit code, or 128 + the number of the signal that ended it
 * @throws {RunError} spawn
 */
export function runAttached(command: AttachedCommand): Promise<number> {
  return new Promise((resolve, reject) => {
    // Not detached: only the terminal's own foreground group may read from it, and Ctrl-C then reaches the program itself.
    const child = spawn(command.file, [...command.args], {
      shell: false,
      stdio: 'inherit',
      env: { ...environment(command.env), TERM: process.env['TERM'] ?? 'dumb' },
      ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
    });
    const ignore = () => undefined;
    const pass = () => child.kill('SIGTERM');
    process.on('SIGINT', ignore).on('SIGTERM', pass);
    const settle = (done: () => void) => {
      process.off('SIGINT', ignore).off('SIGTERM', pass);
      done();
    };
    child.once('error', (cause) => settle(() => reject(describeRunFailure(command, 'spawn', { cause }))));
    child.once('exit', (code, signal) =>
      settle(() => resolve(code ?? 128 + (signal === null ? 0 : (constants.signals[signal] ?? 0)))),
    );
  });
}

function environment(added: Readonly<Record<string, string>> | undefined): NodeJS.ProcessEnv {
  return { PATH: PROGRAM_PATH, LC_ALL: 'C', ...added };
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // ESRCH: it ended in this very moment, which is what was wanted; `exit` follows.
  }
}
