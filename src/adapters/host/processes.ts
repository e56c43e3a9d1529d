/** Long-lived processes of this machine: started in sessions of their own, stopped by pid and start time. */
import { AppError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { HostProcesses, ProcessId } from '../../ports/host.ts';
import { isAlive, readProcessIdSync, readProcessStat } from './process-id.ts';
import { startProcess } from './run.ts';

/** How often /proc is asked whether a process that is no child of ours has ended; the kernel tells only its parent. */
const POLL_MS = 10;
/** After SIGKILL only the kernel can hold a process. */
const KILL_WAIT_MS = 5_000;

/** Creates the process control of this machine. */
export function createHostProcesses(deps: { readonly clock: Clock }): HostProcesses {
  const { clock } = deps;
  const hasEndedWithin = async (id: ProcessId, ms: number): Promise<boolean> => {
    for (const end = clock.monotonic() + ms; ; await clock.sleep(POLL_MS)) {
      if (!(await isAlive(id))) return true;
      if (clock.monotonic() >= end) return false;
    }
  };
  return {
    self: async () => {
      const id = readProcessIdSync(process.pid);
      if (id === undefined) throw new AppError('internal', '/proc does not show this process; is /proc mounted?');
      return id;
    },
    start: startProcess,
    isAlive,
    stop: async (id, { graceMs }) => {
      if (graceMs > 0) {
        await signal(id, 'SIGTERM');
        if (await hasEndedWithin(id, graceMs)) return;
      }
      await signal(id, 'SIGKILL');
      if (await hasEndedWithin(id, KILL_WAIT_MS)) return;
      throw new AppError('timeout', `process ${id.pid} is still there ${KILL_WAIT_MS / 1000} s after SIGKILL`, {
        reason: 'ProcessStuck',
        hint: `it waits inside the kernel for a disk or a mount; see /proc/${id.pid}/stack`,
      });
    },
  };
}

async function signal(id: ProcessId, name: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const stat = await readProcessStat(id.pid);
  if (stat === undefined || stat.startTicks !== id.startTicks) return;
  try {
    // Nothing is awaited between the check and the signal: the window in which a pid could be reused is microseconds.
    process.kill(stat.group === id.pid ? -id.pid : id.pid, name);
  } catch (error) {
    // ESRCH: it ended by itself in this moment.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
