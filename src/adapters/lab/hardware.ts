/** The lab's hosts, made of this machine's kernel: namespaces, loop devices, overlays, a switch. Implements LabHardware. */
import { join } from 'node:path';
import type { Clock } from '../../ports/clock.ts';
import type { MachineHost, ProcessId } from '../../ports/host.ts';
import type { BootedHost, LabHardware } from '../../ports/lab.ts';
import type { Random } from '../../ports/random.ts';
import type { LabHostRecord, LabRecord } from '../../schemas/lab-record.ts';
import { attachDataDisk, cutDisks, makeDisks } from './disks.ts';
import { type HostLayout, hostLayout, labFolder } from './layout.ts';
import { clearLeftovers, HOST_MARK, LAB_MARK, type Scope } from './leftovers.ts';
import { connectHost, disconnectHost, linkAddress, networksInUse, setPort, startSwitch } from './network.ts';
import { findMissing } from './requirements.ts';
import { enterRoot } from './root-file-system.ts';
import { waitForChild } from './wait-for-program.ts';

const REMOVE_TIMEOUT_MS = 60_000;

export interface LabHardwareDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly machine: MachineHost;
  /** Makes the Host for a machine of namespaces: `createNamespaceHost`, or one that tests have wrapped. */
  readonly hostOf: (name: string, init: () => Promise<ProcessId | undefined>) => MachineHost;
  readonly labsFolder: string;
  /** User ID of this process. */
  readonly userId: number;
}

/** Creates the lab hardware of this machine. */
export function createLabHardware(deps: LabHardwareDeps): LabHardware {
  const { machine, labsFolder } = deps;
  const layoutOf = (lab: LabRecord, host: LabHostRecord) => hostLayout(labsFolder, lab.name, host.name);
  return {
    missing: () => findMissing(machine, deps.userId),
    networksInUse: () => networksInUse(machine),
    startNetwork: (lab) =>
      startSwitch(deps, lab, {
        env: { [LAB_MARK]: lab.mark },
        logFile: join(labFolder(labsFolder, lab.name), 'switch.log'),
      }),
    boot: (lab, host) => boot(deps, lab, host),
    powerOff: (lab, host) => powerOff(deps, lab, host),
    powerCut: async (lab, host) => {
      if (host.init !== undefined && (await machine.processes.isAlive(host.init))) {
        // First the cable: a host without power tells nobody that its disks are gone.
        await disconnectHost(machine, lab, host);
        const { init } = host;
        await cutDisks(machine, layoutOf(lab, host), { init, inside: deps.hostOf(host.name, async () => init) });
      }
      await powerOff(deps, lab, host);
    },
    setCable: (lab, host, isPlugged) => setPort(machine, lab, host, isPlugged),
    wipe: async (lab, host) => {
      const args = ['-rf', '--one-file-system', '--', layoutOf(lab, host).folder];
      await machine.run({ file: 'rm', args, timeoutMs: REMOVE_TIMEOUT_MS });
    },
    clear: (lab) => clearLeftovers(deps, scopeOfLab(deps, lab)),
    host: (_lab, name, init) => deps.hostOf(name, init),
    logFile: (lab, host, process) => join(hostLayout(labsFolder, lab.name, host).logs, `${process}.log`),
    markOf: (lab, host) => ({ [LAB_MARK]: lab.mark, [HOST_MARK]: host }),
  };
}

function imagesOf(layout: HostLayout): readonly string[] {
  return [layout.systemImage, layout.dataImage];
}

function scopeOfLab({ labsFolder }: LabHardwareDeps, lab: LabRecord): Scope {
  return {
    about: `lab ${lab.name}`,
    marks: [`${LAB_MARK}=${lab.mark}`],
    images: lab.hosts.flatMap((host) => imagesOf(hostLayout(labsFolder, lab.name, host.name))),
    link: { name: lab.network.link, address: linkAddress(lab) },
  };
}

function scopeOfHost({ labsFolder }: LabHardwareDeps, lab: LabRecord, host: LabHostRecord): Scope {
  return {
    about: `host ${host.name} of lab ${lab.name}`,
    marks: [`${LAB_MARK}=${lab.mark}`, `${HOST_MARK}=${host.name}`],
    images: imagesOf(hostLayout(labsFolder, lab.name, host.name)),
  };
}

async function powerOff(deps: LabHardwareDeps, lab: LabRecord, host: LabHostRecord): Promise<void> {
  await clearLeftovers(deps, scopeOfHost(deps, lab, host));
  await disconnectHost(deps.machine, lab, host);
}

async function boot(deps: LabHardwareDeps, lab: LabRecord, host: LabHostRecord): Promise<BootedHost> {
  const { machine } = deps;
  const layout = hostLayout(deps.labsFolder, lab.name, host.name);
  // Whatever a boot that was interrupted has left goes first.
  await powerOff(deps, lab, host);
  for (const folder of [layout.rootMount, layout.systemMount, layout.logs]) await machine.files.makeDirectory(folder);
  const bootId = deps.random.uuid();
  await machine.files.writeText(layout.bootIdFile, `${bootId}\n`);
  await makeDisks(machine, layout, host);
  const [dataDisk, init] = await Promise.all([
    attachDataDisk(machine, layout),
    startInit(deps, layout, { [LAB_MARK]: lab.mark, [HOST_MARK]: host.name }),
  ]);
  const inside = deps.hostOf(host.name, async () => init);
  await enterRoot({ machine, inside, lab, host, layout, bootId, dataDisk });
  await connectHost(machine, lab, host, { init, inside });
  return { init, bootId };
}

/** Starts a host's first process: tini, which reaps what is orphaned; when it dies the kernel kills everything else. */
async function startInit(
  deps: LabHardwareDeps,
  layout: HostLayout,
  env: Readonly<Record<string, string>>,
): Promise<ProcessId> {
  const namespaces = ['--net', '--mount', '--uts', '--ipc', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const starter = await deps.machine.processes.start({
    file: 'unshare',
    args: [...namespaces, '--propagation', 'private', '--', 'tini', '--', 'sleep', 'infinity'],
    env,
    logFile: layout.console,
  });
  return waitForChild(deps, starter, 'tini');
}
