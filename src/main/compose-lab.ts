/** Composition of the lab: hosts of namespaces on this machine, and Holdfast in them. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createLocalHost } from '../adapters/host/local-host.ts';
import { createNamespaceHost } from '../adapters/host/namespace-host.ts';
import { createKubeClient } from '../adapters/kube/client.ts';
import { loadKubeconfig } from '../adapters/kube/kubeconfig.ts';
import { createLabHardware } from '../adapters/lab/hardware.ts';
import { LABS_FOLDER, labFolder } from '../adapters/lab/layout.ts';
import { createLabStore } from '../adapters/lab/store.ts';
import { createApt } from '../adapters/packages/apt.ts';
import { createSystemClock } from '../adapters/system/clock.ts';
import { createSystemRandom } from '../adapters/system/random.ts';
import { loadOrCreateAuthority } from '../adapters/tls/authority-files.ts';
import { GLUSTERD_ARGV } from '../engines/gluster/index.ts';
import type { MachineHost } from '../ports/host.ts';
import type { Packages } from '../ports/packages.ts';
import type { BringUpDeps } from '../usecases/lab/bring-up-holdfast.ts';
import { createLabs } from '../usecases/lab/create-labs.ts';
import { issueKubeconfig } from './issue-kubeconfig.ts';
import { VERSION } from './version.ts';

export interface ComposedLab extends BringUpDeps {
  readonly machine: MachineHost;
}

/**
 * @param labsFolder - where labs are kept; another one than the default is for tests
 * @param packageFolder - the Holdfast package to run in the hosts; by default the one this program is part of
 */
export function composeLab(labsFolder: string = LABS_FOLDER, packageFolder: string = ownPackageFolder()): ComposedLab {
  const clock = createSystemClock();
  const random = createSystemRandom();
  const machine = createLocalHost({ clock });
  const hardware = createLabHardware({
    clock,
    random,
    machine,
    hostOf: (name, init) => createNamespaceHost({ clock }, { name, init }),
    labsFolder,
    userId: process.getuid?.() ?? -1,
  });
  const store = createLabStore({ clock, machine, labsFolder });
  return {
    clock,
    machine,
    labs: createLabs({ clock, random, store, hardware, processes: machine.processes }),
    controllerFolder: (lab) => join(labFolder(labsFolder, lab), 'controller'),
    openAuthority: (folder) => loadOrCreateAuthority({ clock }, folder),
    kubeconfigFor: issueKubeconfig,
    readFile: (path) => machine.files.readText(path),
    connect: async (path) => createKubeClient(await loadKubeconfig(path), { userAgent: `holdfast/${VERSION}` }),
    engineDaemon: GLUSTERD_ARGV,
    installation: { packageFolder, node: process.execPath },
  };
}

/** Debian's packages on this machine. */
export function composePackages(machine: MachineHost): Packages {
  return createApt({ host: machine, processes: machine.processes, userId: process.getuid?.() ?? -1 });
}

/** The folder with package.json: this file is src/main/compose-lab.ts, or has been bundled into dist/ or dist/chunks/. */
export function ownPackageFolder(): string {
  const here = fileURLToPath(import.meta.url);
  const cut = Math.max(here.lastIndexOf('/dist/'), here.lastIndexOf('/src/main/'));
  return here.slice(0, cut);
}
