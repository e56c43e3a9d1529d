/** A host of the lab, as a Host: commands enter its namespaces, files are reached through the root of its first process. */
import { readFile, readlink } from 'node:fs/promises';
import { basename } from 'node:path';
import { AppError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Command, MachineHost, ProcessId, ProcessRequest } from '../../ports/host.ts';
import { isRunError, RunError } from '../../ports/run-error.ts';
import { createHostFiles } from './files.ts';
import { createHostMounts } from './mounts.ts';
import { isAlive, readProcessIdSync } from './process-id.ts';
import { createHostProcesses } from './processes.ts';
import { runAttached, runCommand, startProcess } from './run.ts';

export interface NamespaceHostOptions {
  readonly name: string;
  /** The host's first process; undefined while the host is off. Asked at each call, for it changes with each boot. */
  readonly init: () => Promise<ProcessId | undefined>;
}

/** How long nsenter may take to enter the namespaces and start the program. */
const ENTER_MS = 5_000;
const POLL_MS = 2;

/**
 * Creates the Host for a machine made of namespaces. Every call fails with `unavailable` while it is off.
 *
 * The log file of a process that is started in it lies on this machine, so that it can be read when the host is gone.
 */
export function createNamespaceHost(deps: { readonly clock: Clock }, options: NamespaceHostOptions): MachineHost {
  const { name } = options;
  const init = async (): Promise<ProcessId> => {
    const id = await options.init();
    if (id !== undefined && (await isAlive(id))) return id;
    throw new AppError('unavailable', `${name} is powered off`, {
      reason: 'HostOff',
      resource: `host ${name}`,
      hint: `holdfast lab power on ${name}`,
    });
  };
  const run = async ({ cwd, ...command }: Command) => {
    const entered = enter((await init()).pid, command, cwd);
    try {
      return await runCommand({ ...command, ...entered, shownAs: `${command.file} on ${name}` });
    } catch (error) {
      throw isRunError(error, 'exit') ? asSeenInside(error, command.file, name) : error;
    }
  };
  const processes = createHostProcesses(deps);
  return {
    name,
    run,
    runAttached: async ({ cwd, ...command }) => runAttached({ ...command, ...enter((await init()).pid, command, cwd) }),
    processes: {
      ...processes,
      self: init,
      start: async (request) => startInside(deps.clock, await init(), request),
    },
    files: createHostFiles({ hostName: name, root: async () => `/proc/${(await init()).pid}/root` }),
    mounts: createHostMounts({
      hostName: name,
      run,
      table: async () => readFile(`/proc/${(await init()).pid}/mountinfo`, 'utf8'),
    }),
  };
}

/** nsenter(1): mount, UTS, IPC, network and PID namespace; it forks, since only children get into a PID namespace. */
function enter(
  pid: number,
  { file, args }: { readonly file: string; readonly args: readonly string[] },
  folder?: string,
): { file: string; args: string[] } {
  const within = folder === undefined ? [] : [`--wdns=${folder}`];
  return { file: 'nsenter', args: ['-t', String(pid), '-m', '-u', '-i', '-n', '-p', ...within, '--', file, ...args] };
}

/** nsenter leaves with 127 when the program it should start is not there; the caller asked for that program. */
function asSeenInside(error: RunError, file: string, name: string): RunError {
  const { code, stdout, stderr, cause } = error;
  const isMissing = code === 127 && stderr.startsWith('nsenter: failed to execute');
  const message = isMissing ? `${file} on ${name} cannot be started: it is not installed` : error.message;
  return new RunError(message, {
    failure: isMissing ? 'spawn' : 'exit',
    file,
    stdout,
    stderr,
    cause,
    ...(isMissing ? { reason: 'ProgramMissing' } : {}),
    ...(code === undefined ? {} : { code }),
  });
}

/** Starts a process in the host and finds it: it is the one child of nsenter, which stays to wait for it. */
async function startInside(clock: Clock, init: ProcessId, request: ProcessRequest): Promise<ProcessId> {
  const { cwd, file, args, ...rest } = request;
  // setsid makes it lead a group, so that stopping it stops what it started too.
  const entered = enter(init.pid, { file: 'setsid', args: [file, ...args] }, cwd);
  const starter = await startProcess({ ...rest, ...entered });
  let seen: ProcessId | undefined;
  for (const end = clock.monotonic() + ENTER_MS; clock.monotonic() < end; await clock.sleep(POLL_MS)) {
    const id = await onlyChild(starter);
    if (id !== undefined && (await runsOtherThan(id, ['nsenter', 'setsid']))) return id;
    seen = id ?? seen;
    if (!(await isAlive(starter))) break;
  }
  const lastLine = (await readFile(request.logFile, 'utf8')).trim().split('\n').at(-1) ?? '';
  const isMissing = /^(?:nsenter|setsid): failed to execute/.test(lastLine);
  // It was there and has ended again already: that is for the caller to find out, as with any process.
  if (seen !== undefined && !isMissing) return seen;
  throw new RunError(`${file} cannot be started: ${lastLine === '' ? 'it left no message' : lastLine}`, {
    failure: 'spawn',
    file,
    ...(isMissing ? { reason: 'ProgramMissing' } : {}),
  });
}

async function onlyChild(parent: ProcessId): Promise<ProcessId | undefined> {
  try {
    const children = (await readFile(`/proc/${parent.pid}/task/${parent.pid}/children`, 'utf8')).trim();
    return children === '' ? undefined : readProcessIdSync(Number(children.split(' ')[0]));
  } catch {
    // It ended in this moment; the caller asks whether it is alive.
    return undefined;
  }
}

async function runsOtherThan(id: ProcessId, programs: readonly string[]): Promise<boolean> {
  try {
    return !programs.includes(basename(await readlink(`/proc/${id.pid}/exe`)));
  } catch {
    return false;
  }
}
