/** Waits until unshare has made its namespaces and become, or started, the program it was told to. */
import { AppError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { MachineHost, ProcessId } from '../../ports/host.ts';
import { parseProcessStat } from '../host/process-id.ts';
import { readProc } from './read-proc.ts';

const START_TIMEOUT_MS = 10_000;
const POLL_MS = 3;

interface Deps {
  readonly clock: Clock;
  readonly machine: MachineHost;
}

/** Waits until the process itself runs the program. @throws {AppError} unavailable or timeout */
export async function waitForProgram(deps: Deps, id: ProcessId, program: string): Promise<void> {
  await waitFor(deps, id, program, async () => ((await runs(deps, id.pid, program)) ? id : undefined));
}

/** Waits until a child of the process runs the program, and returns the child. @throws {AppError} unavailable or timeout */
export async function waitForChild(deps: Deps, parent: ProcessId, program: string): Promise<ProcessId> {
  return waitFor(deps, parent, program, async () => {
    const children = await readProc(deps.machine, `/proc/${parent.pid}/task/${parent.pid}/children`);
    const pid = Number(children.trim().split(' ')[0]);
    if (!(pid > 0) || !(await runs(deps, pid, program))) return undefined;
    const stat = parseProcessStat(await readProc(deps.machine, `/proc/${pid}/stat`));
    return stat === undefined ? undefined : { pid, startTicks: stat.startTicks };
  });
}

async function waitFor<T>(deps: Deps, id: ProcessId, program: string, look: () => Promise<T | undefined>): Promise<T> {
  const { clock, machine } = deps;
  for (const end = clock.monotonic() + START_TIMEOUT_MS; clock.monotonic() < end; await clock.sleep(POLL_MS)) {
    const found = await look();
    if (found !== undefined) return found;
    if (!(await machine.processes.isAlive(id))) {
      throw new AppError('unavailable', `unshare ended before it started ${program}`, {
        reason: 'NamespaceFailed',
        hint: 'try it by hand: unshare --net --mount --uts --ipc --pid --fork true',
      });
    }
  }
  throw new AppError('timeout', `${program} did not start in its namespaces within ${START_TIMEOUT_MS / 1000} s`);
}

/** comm holds the first 15 characters of the program's name; every name asked for here is shorter. */
async function runs(deps: Deps, pid: number, program: string): Promise<boolean> {
  return (await readProc(deps.machine, `/proc/${pid}/comm`)).trim() === program;
}
