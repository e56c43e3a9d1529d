/** Composition of `lab run`: the driver's sockets of a lab, and the records of runs. */
import { resolve } from 'node:path';
import { createLocalHost } from '../adapters/host/local-host.ts';
import { LABS_FOLDER } from '../adapters/lab/layout.ts';
import { createLabRuns } from '../adapters/lab/runs.ts';
import { sha256 } from '../adapters/ledger/sha256.ts';
import { createSystemClock } from '../adapters/system/clock.ts';
import { createSystemRandom } from '../adapters/system/random.ts';
import { AppError, isAppError } from '../domain/errors.ts';
import type { LabRunDeps } from '../shells/cli/commands/lab-run.ts';
import { createDriverClient } from '../shells/csi/driver-client.ts';
import { csiSockets } from '../usecases/lab/bring-up-holdfast.ts';

/**
 * @param controllerFolder - as of the lab's own composition
 * @param labsFolder - where labs are kept
 */
export function composeLabRun(controllerFolder: (lab: string) => string, labsFolder: string = LABS_FOLDER): LabRunDeps {
  const clock = createSystemClock();
  const machine = createLocalHost({ clock });
  const { files, processes } = machine;
  return {
    ...{ clock, sha256, processes, random: createSystemRandom() },
    runs: createLabRuns({ clock, machine, labsFolder }),
    readFile: (path) => files.readText(resolve(path)),
    controllerOf: async ({ name }) => {
      const { controller } = csiSockets(controllerFolder(name));
      if ((await files.stat(controller)) !== undefined) return createDriverClient(controller);
      throw new AppError('precondition', `lab ${name} serves no CSI`, {
        resource: `lab ${name}`,
        hint: 'make one that does with: holdfast lab up --csi',
      });
    },
    nodeOf: async (lab, host) => {
      try {
        const { pid } = await lab.host(host).processes.self();
        // Seen through the root of its first process: the socket is in the host's own file system.
        return createDriverClient(`/proc/${pid}/root${csiSockets('').node}`);
      } catch (error) {
        if (isAppError(error, 'unavailable')) return undefined;
        throw error;
      }
    },
  };
}
