/** Labs for engine tests: real hosts of namespaces, in a folder of the test's own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Injector } from '../../src/adapters/host/inject.ts';
import { createLocalHost } from '../../src/adapters/host/local-host.ts';
import { createNamespaceHost } from '../../src/adapters/host/namespace-host.ts';
import { createLabHardware } from '../../src/adapters/lab/hardware.ts';
import { createLabStore } from '../../src/adapters/lab/store.ts';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { createSystemRandom } from '../../src/adapters/system/random.ts';
import type { MachineHost } from '../../src/ports/host.ts';
import { createLabs } from '../../src/usecases/lab/create-labs.ts';
import type { Labs } from '../../src/usecases/lab/labs.ts';
import { createPatientHost } from '../contract/patient-host.ts';

export interface TestLabs {
  readonly labs: Labs;
  readonly machine: MachineHost;
  readonly labsFolder: string;
  /** Removes every lab in the folder, and the folder. */
  remove(): Promise<void>;
}

/**
 * Makes the labs of a folder; through an injector, if one is given.
 *
 * @param times - how many times longer than usual their programs may take
 */
export function labsIn(labsFolder: string, injector?: Injector, times = 1): Labs {
  const clock = createSystemClock();
  const random = createSystemRandom();
  const local = createPatientHost(createLocalHost({ clock }), times);
  const machine = injector?.wrapMachine(local) ?? local;
  const hardware = createLabHardware({
    clock,
    random,
    machine,
    hostOf: (name, init) => {
      const host = createPatientHost(createNamespaceHost({ clock }, { name, init }), times);
      return injector?.wrapMachine(host) ?? host;
    },
    labsFolder,
    userId: process.getuid?.() ?? -1,
  });
  const store = createLabStore({ clock, machine, labsFolder });
  return createLabs({ clock, random, store, hardware, processes: machine.processes });
}

/** Labs in a new folder, as `labsIn` makes them. */
export async function createTestLabs(times = 1): Promise<TestLabs> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-labs-'));
  const labsFolder = join(folder, 'labs');
  const labs = labsIn(labsFolder, undefined, times);
  return {
    labs,
    machine: createLocalHost({ clock: createSystemClock() }),
    labsFolder,
    remove: async () => {
      for (const { name } of await labs.list()) await labs.down(name);
      await rm(folder, { recursive: true });
    },
  };
}
