/**
 * The process of NFS-Ganesha on a node: found again after a restart of the agent, started, told of another configuration,
 * and stopped, always by its own pid and start time.
 */
import { AppError, isAppError } from '../../domain/errors.ts';
import { NFS_PORT } from '../../domain/nfs-export/names.ts';
import type { Clock } from '../../ports/clock.ts';
import type { MachineHost, ProcessId } from '../../ports/host.ts';
import { isRunError } from '../../ports/run-error.ts';
import { NfsServerRecord } from '../../schemas/nfs-server-record.ts';
import type { ServerPaths } from './configuration.ts';
import { complaintsOf, endOfLog, readLog } from './logs.ts';

export interface ProcessDeps {
  readonly host: MachineHost;
  readonly clock: Clock;
  readonly paths: ServerPaths;
}

export interface Running {
  readonly id: ProcessId;
  /** What it was told to serve last; undefined where nobody knows. */
  readonly configuration?: string;
}

const PROGRAM = 'ganesha.nfsd';
const RECORD = '/run/holdfast/nfs-server.json';
const SHORT_MS = 20_000;
/** It is ready within two seconds; one that cannot reach a volume tries that for a while first. */
const READY_MS = 60_000;
const POLL_MS = 100;
/**
 * It ends by itself in a second, but not while a client is connected (measured, 6 s and more). What clients were promised
 * is with the engine by then, and the rest they send again to the next one.
 */
const GRACE_MS = 2_000;

/** The running server of this node, also one whose start was not recorded any more. */
export async function findServer(deps: ProcessDeps): Promise<Running | undefined> {
  const recorded = await readRecord(deps);
  const { processes } = deps.host;
  if (recorded !== undefined && (await processes.isAlive(recorded.process))) {
    return { id: recorded.process, configuration: recorded.configuration };
  }
  const id = await readPidFile(deps);
  return id !== undefined && (await processes.isAlive(id)) ? { id } : undefined;
}

/**
 * Starts the server and waits until it serves.
 *
 * @throws {AppError} precondition, where it is not installed; unavailable, with its own words, when it ends at once
 */
export async function startServer(deps: ProcessDeps, configuration: string, signal: AbortSignal): Promise<ProcessId> {
  const { host, paths } = deps;
  for (const folder of [paths.recovery, '/run/holdfast', '/var/log/holdfast']) await host.files.makeDirectory(folder);
  const from = await endOfLog(host, paths.log);
  const args = ['-F', '-f', paths.configuration, '-L', paths.log, '-p', paths.pidFile];
  let id: ProcessId;
  try {
    id = await host.processes.start({ file: PROGRAM, args, logFile: paths.output });
  } catch (error) {
    if (isRunError(error, 'spawn')) throw notInstalled(host.name);
    throw error;
  }
  await record(deps, id, configuration);
  await waitForWords(deps, { id, from, words: 'NFS SERVER INITIALIZED', signal });
  return id;
}

/** Tells the server to read its exports anew, and waits until it has; clients of those that stay go on. */
export async function reloadServer(
  deps: ProcessDeps,
  id: ProcessId,
  { configuration, signal }: { readonly configuration: string; readonly signal: AbortSignal },
): Promise<void> {
  const { host, paths } = deps;
  const from = await endOfLog(host, paths.log);
  if (!(await host.processes.isAlive(id))) throw ended(host.name, undefined);
  await host.run({ file: 'kill', args: ['-HUP', String(id.pid)], timeoutMs: SHORT_MS, signal });
  await waitForWords(deps, { id, from, words: 'Reread exports complete', signal });
  await record(deps, id, configuration);
}

/** Ends the server. No error when there is none. */
export async function stopServer(deps: ProcessDeps): Promise<void> {
  const running = await findServer(deps);
  if (running !== undefined) await deps.host.processes.stop(running.id, { graceMs: GRACE_MS });
  for (const path of [RECORD, deps.paths.pidFile]) await deps.host.files.remove(path);
}

async function record({ host }: ProcessDeps, id: ProcessId, configuration: string): Promise<void> {
  const text = JSON.stringify({ process: id, configuration } satisfies NfsServerRecord);
  await host.files.writeText(RECORD, text, { mode: 0o600 });
}

async function readRecord({ host }: ProcessDeps): Promise<NfsServerRecord | undefined> {
  const text = await readOr(host, RECORD, '');
  if (text === '') return undefined;
  try {
    return NfsServerRecord.parse(JSON.parse(text));
  } catch {
    // Of another version of Holdfast, or not ours: the server's own file says who it is too.
    return undefined;
  }
}

/** By the file that the server wrote itself, if that process is surely ours: an agent was killed before it recorded it. */
async function readPidFile({ host, paths }: ProcessDeps): Promise<ProcessId | undefined> {
  const pid = Number((await readOr(host, paths.pidFile, '')).trim());
  if (!Number.isSafeInteger(pid) || pid < 1) return undefined;
  const words = (await readOr(host, `/proc/${pid}/cmdline`, '')).split('\0');
  if (words[0]?.endsWith(PROGRAM) !== true || !words.includes(paths.configuration)) return undefined;
  // Field 22; the program's name before may hold anything, so it is cut off first.
  const fields = (await readOr(host, `/proc/${pid}/stat`, '')).split(') ').at(-1)?.split(' ') ?? [];
  const startTicks = Number(fields[19]);
  return Number.isSafeInteger(startTicks) ? { pid, startTicks } : undefined;
}

async function readOr(host: MachineHost, path: string, otherwise: string): Promise<string> {
  try {
    return await host.files.readText(path);
  } catch (error) {
    if (isAppError(error, 'notFound')) return otherwise;
    throw error;
  }
}

interface Awaited {
  readonly id: ProcessId;
  readonly from: number;
  readonly words: string;
  readonly signal: AbortSignal;
}

/** It says in its log alone what it has done. @throws {AppError} unavailable, when it ends; timeout */
async function waitForWords(deps: ProcessDeps, { id, from, words, signal }: Awaited): Promise<void> {
  const { host, clock, paths } = deps;
  for (const end = clock.monotonic() + READY_MS; clock.monotonic() < end; await clock.sleep(POLL_MS, signal)) {
    const isAlive = await host.processes.isAlive(id);
    const said = await readLog(host, paths.log, from);
    if (said.includes(words)) return;
    if (!isAlive) throw ended(host.name, complaintsOf(said));
  }
  const said = complaintsOf(await readLog(host, paths.log, from));
  throw new AppError(
    'timeout',
    `NFS-Ganesha on ${host.name} was not ready within ${READY_MS / 1000} s${said === undefined ? '' : `: ${said}`}`,
    { reason: 'NfsServerSilent', hint: `see ${paths.log} there` },
  );
}

function notInstalled(host: string): AppError {
  return new AppError('precondition', `NFS-Ganesha is not installed on ${host}`, {
    reason: 'NfsServerMissing',
    hint: 'install the packages nfs-ganesha and nfs-ganesha-gluster there, and disable the service nfs-ganesha that they bring',
  });
}

function ended(host: string, said: string | undefined): AppError {
  return new AppError('unavailable', `NFS-Ganesha on ${host} has ended${said === undefined ? '' : `: ${said}`}`, {
    reason: 'NfsServerEnded',
    hint: `if its port is taken, see by whom: ss -tlnp 'sport = :${NFS_PORT}'`,
  });
}
