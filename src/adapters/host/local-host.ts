/** The machine that this process runs on, as a Host. */
import { readFile } from 'node:fs/promises';
import type { Clock } from '../../ports/clock.ts';
import type { MachineHost } from '../../ports/host.ts';
import type { Metrics } from '../../ports/metrics.ts';
import { createHostFiles } from './files.ts';
import { measureCommands } from './measure-commands.ts';
import { createHostMounts } from './mounts.ts';
import { createHostProcesses } from './processes.ts';
import { runAttached, runCommand } from './run.ts';

/**
 * Creates the Host for this machine.
 *
 * @param options - `name` as messages show it; "this machine" unless the caller knows better (an agent: its node's name)
 */
export function createLocalHost(
  deps: { readonly clock: Clock; readonly metrics?: Metrics },
  options: { readonly name?: string } = {},
): MachineHost {
  const name = options.name ?? 'this machine';
  const { clock, metrics } = deps;
  const run = metrics === undefined ? runCommand : measureCommands(runCommand, { clock, metrics });
  return {
    name,
    run,
    runAttached,
    processes: createHostProcesses(deps),
    files: createHostFiles({ hostName: name, root: async () => '/' }),
    mounts: createHostMounts({
      hostName: name,
      run,
      table: () => readFile('/proc/self/mountinfo', 'utf8'),
    }),
  };
}
