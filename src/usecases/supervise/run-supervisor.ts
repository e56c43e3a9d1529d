/**
 * Keeps the services of a machine without systemd running: starts them, and starts them again when they end.
 *
 * Each is recorded with pid and start time, so a supervisor that is started after another was killed takes its services
 * over instead of starting second ones; and they are stopped by that, never by a name. One that was killed between a
 * start and its record leads to a second try of the same service, which ends by itself: agent, controller and glusterd
 * each hold a lock of the machine.
 */
import { dirname } from 'node:path/posix';
import { AppError, isAppError } from '../../domain/errors.ts';
import type { Service } from '../../domain/install/services.ts';
import type { Clock } from '../../ports/clock.ts';
import type { HostFiles, HostProcesses, ProcessId } from '../../ports/host.ts';
import type { Logger } from '../../ports/logger.ts';
import { ServicesFile, SupervisorRecord } from '../../schemas/supervisor.ts';

export interface SupervisorDeps {
  readonly clock: Clock;
  readonly files: HostFiles;
  readonly processes: HostProcesses;
  readonly log: Logger;
}

export interface SupervisorOptions {
  /** {@link ServicesFile} */
  readonly servicesFile: string;
  /** {@link SupervisorRecord}; on a file system that a restart of the machine empties. */
  readonly recordFile: string;
  /** Each service's output goes to NAME.log in it. */
  readonly logFolder: string;
}

/** /proc is asked this often: the kernel tells only a parent, which this is not for services it took over. */
const LOOK_MS = 500;
const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 30_000;
/** A service that ran this long has not failed at its start. */
const SETTLED_MS = 60_000;
const STOP_GRACE_MS = 10_000;

/**
 * Runs until the signal aborts, then stops the services and returns.
 *
 * @throws {AppError} exists, when the machine has a supervisor; invalid or notFound, for the file of services
 */
export async function runSupervisor(
  deps: SupervisorDeps,
  options: SupervisorOptions,
  signal: AbortSignal,
): Promise<void> {
  const { services } = ServicesFile.parse(JSON.parse(await deps.files.readText(options.servicesFile)));
  await deps.files.makeDirectory(dirname(options.recordFile), { mode: 0o700 });
  const left = await takeOver(deps, options);
  const running = new Map<string, ProcessId>();
  const self = await deps.processes.self();
  const write = () => {
    const text = JSON.stringify({ supervisor: self, services: Object.fromEntries(running) });
    return deps.files.writeText(options.recordFile, `${text}\n`);
  };
  // One after the other, each with what is true by then: of two at once the older one could win.
  let writing = Promise.resolve();
  const record = (): Promise<void> => {
    writing = writing.then(write);
    return writing;
  };
  for (const [name, id] of Object.entries(left)) if (services.some((each) => each.name === name)) running.set(name, id);
  await record();
  await Promise.all(services.map((service) => keepRunning({ ...deps, running, record, options }, service, signal)));
  for (const { name } of services.toReversed()) {
    const id = running.get(name);
    if (id !== undefined) await deps.processes.stop(id, { graceMs: STOP_GRACE_MS });
  }
  await deps.files.remove(options.recordFile);
}

/** What an earlier supervisor of this boot has left running; one that is gone from the list of services is stopped. */
async function takeOver(
  { files, processes }: SupervisorDeps,
  { recordFile, servicesFile }: SupervisorOptions,
): Promise<Readonly<Record<string, ProcessId>>> {
  const earlier = await readSupervisorRecord(files, recordFile);
  if (earlier === undefined) return {};
  if (await processes.isAlive(earlier.supervisor)) {
    throw new AppError('exists', `the services of this machine are kept by process ${earlier.supervisor.pid} already`, {
      reason: 'SupervisorRuns',
    });
  }
  const { services } = ServicesFile.parse(JSON.parse(await files.readText(servicesFile)));
  for (const [name, id] of Object.entries(earlier.services)) {
    if (!services.some((each) => each.name === name)) await processes.stop(id, { graceMs: STOP_GRACE_MS });
  }
  return earlier.services;
}

/** Undefined when no supervisor has run since the machine was started, or it ended in order. */
export async function readSupervisorRecord(
  files: Pick<HostFiles, 'readText'>,
  recordFile: string,
): Promise<SupervisorRecord | undefined> {
  try {
    return SupervisorRecord.parse(JSON.parse(await files.readText(recordFile)));
  } catch (error) {
    if (isAppError(error, 'notFound')) return undefined;
    throw error;
  }
}

interface Keeping extends SupervisorDeps {
  readonly running: Map<string, ProcessId>;
  readonly record: () => Promise<void>;
  readonly options: SupervisorOptions;
}

async function keepRunning(keeping: Keeping, service: Service, signal: AbortSignal): Promise<void> {
  const { clock, processes, running, log } = keeping;
  let delay = FIRST_DELAY_MS;
  const pause = (ms: number) => clock.sleep(ms, signal).catch(() => undefined); // aborted: the loop's condition ends it
  while (!signal.aborted) {
    const id = running.get(service.name) ?? (await start(keeping, service));
    const since = clock.monotonic();
    while (id !== undefined && !signal.aborted && (await processes.isAlive(id))) await pause(LOOK_MS);
    if (signal.aborted) return;
    running.delete(service.name);
    delay = clock.monotonic() - since >= SETTLED_MS ? FIRST_DELAY_MS : Math.min(MAX_DELAY_MS, delay * 2);
    log.warn('a service has ended and is started again', { service: service.name, delayMs: delay });
    await pause(delay);
  }
}

async function start(keeping: Keeping, { name, argv }: Service): Promise<ProcessId | undefined> {
  const { processes, running, record, options, log } = keeping;
  const [file = '', ...args] = argv;
  try {
    const id = await processes.start({ file, args, logFile: `${options.logFolder}/${name}.log` });
    running.set(name, id);
    await record();
    log.info('a service is started', { service: name, pid: id.pid });
    return id;
  } catch (error) {
    log.error('a service cannot be started', { service: name, err: error });
    return undefined;
  }
}
