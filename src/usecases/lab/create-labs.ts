/** Puts the verbs of the lab together behind the interfaces that callers hold. */
import { BootAction, type LabRecord } from '../../schemas/lab-record.ts';
import { startDaemon, startMachineDaemon, stopDaemon } from './daemons.ts';
import { downLab } from './down-lab.ts';
import { findHost, isAbandoned, type LabDeps, readLab, THIS_MACHINE, updateHost, updateLab } from './lab-deps.ts';
import type { Lab, LabHostStatus, LabStatus, Labs } from './labs.ts';
import { powerCut, powerOff, powerOn, reinstall } from './power.ts';
import { upLab } from './up-lab.ts';

/** Creates the labs of this machine. */
export function createLabs(deps: LabDeps): Labs {
  return {
    up: async (options, signal) => {
      await upLab(deps, options, signal);
      return handleOf(deps, await readLab(deps, options.name));
    },
    open: async (name) => handleOf(deps, await readLab(deps, name)),
    list: async () => {
      const records = await Promise.all((await deps.store.list()).map((name) => deps.store.read(name)));
      return Promise.all(records.flatMap((record) => (record === undefined ? [] : [statusOf(deps, record)])));
    },
    down: (name) => downLab(deps, name),
  };
}

function handleOf(deps: LabDeps, made: LabRecord): Lab {
  const { name } = made;
  return {
    name,
    gateway: made.network.gateway,
    hostNames: made.hosts.map((host) => host.name),
    addressOf: (host) => findHost(made, host).address,
    record: () => readLab(deps, name),
    status: async () => statusOf(deps, await readLab(deps, name)),
    host: (host) => {
      findHost(made, host);
      return deps.hardware.host(made, host, async () => findHost(await readLab(deps, name), host).init);
    },
    powerOn: (host) => powerOn(deps, name, host),
    powerOff: (host) => powerOff(deps, name, host),
    powerCut: (host) => powerCut(deps, name, host),
    unplug: (host) => setCable(deps, name, host, false),
    plug: (host) => setCable(deps, name, host, true),
    reinstall: (host) => reinstall(deps, name, host),
    startDaemon: (host, daemon) => startDaemon(deps, name, host, daemon),
    stopDaemon: (host, daemon, { graceMs }) => stopDaemon(deps, name, host, { daemon, graceMs }),
    startMachineDaemon: (daemon) => startMachineDaemon(deps, name, daemon),
    logOfMachineDaemon: (daemon) => deps.hardware.logFile(made, THIS_MACHINE, daemon),
    logOf: (host, daemon) => deps.hardware.logFile(made, host, daemon),
    addBootAction: async (input) => {
      const action = BootAction.parse(input);
      await updateLab(deps, name, (record) => {
        const others = record.bootActions.filter((each) => each.name !== action.name || each.host !== action.host);
        return { ...record, bootActions: [...others, action] };
      });
    },
    keep: async () => {
      await updateLab(deps, name, (record) => ({ ...record, isKept: true }));
    },
    down: () => downLab(deps, name),
  };
}

/** The state of the cable is kept for a host that is off and holds at its next power on. */
async function setCable(deps: LabDeps, labName: string, hostName: string, isPlugged: boolean): Promise<void> {
  const lab = await updateHost(deps, labName, hostName, (host) => ({ ...host, isPlugged }));
  const host = findHost(lab, hostName);
  if (host.init !== undefined && (await deps.processes.isAlive(host.init))) {
    await deps.hardware.setCable(lab, host, isPlugged);
  }
}

async function statusOf(deps: LabDeps, lab: LabRecord): Promise<LabStatus> {
  return {
    name: lab.name,
    state: (await isAbandoned(deps, lab)) ? 'abandoned' : lab.phase,
    subnet: lab.network.gateway.replace(/\d+$/, '0/24'),
    gateway: lab.network.gateway,
    isKept: lab.isKept,
    createdAt: lab.createdAt,
    hosts: await Promise.all(lab.hosts.map((host) => statusOfHost(deps, host))),
  };
}

async function statusOfHost(deps: LabDeps, host: LabRecord['hosts'][number]): Promise<LabHostStatus> {
  const isOn = host.init !== undefined && (await deps.processes.isAlive(host.init));
  const daemons = await Promise.all(
    Object.entries(host.daemons).map(async ([name, id]) => [name, await deps.processes.isAlive(id)] as const),
  );
  return {
    name: host.name,
    ...(host.zone === undefined ? {} : { zone: host.zone }),
    address: host.address,
    isOn,
    isPlugged: host.isPlugged,
    ...(isOn && host.bootId !== undefined ? { bootId: host.bootId } : {}),
    daemons: Object.fromEntries(daemons),
  };
}
