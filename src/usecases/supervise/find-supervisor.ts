/** Finds what keeps the engine of this machine running, for whoever wants to run beside it. */
import type { Clock } from '../../ports/clock.ts';
import type { HostFiles, HostProcesses, ProcessId } from '../../ports/host.ts';
import type { Logger } from '../../ports/logger.ts';
import { readSupervisorRecord } from './run-supervisor.ts';

export interface FindSupervisorDeps {
  readonly clock: Clock;
  readonly files: Pick<HostFiles, 'readText'>;
  readonly processes: Pick<HostProcesses, 'isAlive'>;
  readonly log: Logger;
}

const POLL_MS = 500;

/**
 * Waits until there is one: at the start of a machine the two begin in any order.
 *
 * @returns its process; undefined when the signal aborted first
 */
export async function findSupervisor(
  { clock, files, processes, log }: FindSupervisorDeps,
  recordFile: string,
  signal: AbortSignal,
): Promise<ProcessId | undefined> {
  let isTold = false;
  while (!signal.aborted) {
    const record = await readSupervisorRecord(files, recordFile);
    if (record !== undefined && (await processes.isAlive(record.supervisor))) return record.supervisor;
    if (!isTold) log.info('the engine of this machine is not there yet', { record: recordFile });
    isTold = true;
    await clock.sleep(POLL_MS, signal).catch(() => undefined); // aborted: the loop ends
  }
  return undefined;
}
