/**
 * The lab's network: a switch in a network namespace of its own, one port per host, and one interface of this machine
 * that leads into it. The switch is kept out of this machine's own namespace because firewalls there (Docker's for one,
 * through bridge-nf-call-iptables) drop what passes between the ports of a bridge.
 */
import { AppError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Host, MachineHost, ProcessId } from '../../ports/host.ts';
import { isRunError } from '../../ports/run-error.ts';
import type { LabHostRecord, LabRecord } from '../../schemas/lab-record.ts';
import { waitForProgram } from './wait-for-program.ts';

const COMMAND_TIMEOUT_MS = 20_000;

export interface NetworkDeps {
  readonly clock: Clock;
  readonly machine: MachineHost;
}

function portName(host: LabHostRecord): string {
  return `port${host.index}`;
}

/**
 * MAC address of this machine's interface into a lab. The kernel gives it to the interface with its name in one step, so
 * whose an interface of that name is can be told at any moment. Its first octet says "given locally, for one machine".
 */
export function linkAddress(lab: LabRecord): string {
  return ['02', ...(lab.mark.match(/[0-9a-f]{2}/g) ?? []).slice(0, 5)].join(':');
}

/**
 * Starts the switch. Nothing of an earlier one may be left.
 *
 * @throws {AppError} conflict NetworkTaken, when another lab was faster: the name of the interface stands for the network,
 *   and the kernel makes no second one of a name
 */
export async function startSwitch(
  deps: NetworkDeps,
  lab: LabRecord,
  options: { readonly env: Readonly<Record<string, string>>; readonly logFile: string },
): Promise<ProcessId> {
  const { machine } = deps;
  const { link, gateway } = lab.network;
  // Nothing happens in it: the process is there to hold the namespace, which ends with it.
  const id = await machine.processes.start({
    file: 'unshare',
    args: ['--net', '--', 'sleep', 'infinity'],
    ...options,
  });
  await waitForProgram(deps, id, 'sleep');
  await addLink(machine, lab, id);
  await inSwitch(machine, id, [
    'link add br0 type bridge',
    'link set br0 up',
    'link set uplink master br0',
    'link set uplink up',
  ]);
  await machine.run(ip(['addr', 'add', `${gateway}/24`, 'dev', link]));
  await machine.run(ip(['link', 'set', link, 'up']));
  return id;
}

async function addLink(machine: MachineHost, lab: LabRecord, id: ProcessId): Promise<void> {
  const { link } = lab.network;
  const peer = ['peer', 'name', 'uplink', 'netns', String(id.pid)];
  try {
    await machine.run(ip(['link', 'add', link, 'address', linkAddress(lab), 'type', 'veth', ...peer]));
  } catch (error) {
    if (!isRunError(error, 'exit') || !error.stderr.includes('File exists')) throw error;
    await machine.processes.stop(id, { graceMs: 0 });
    throw new AppError('conflict', `another lab has taken the network of ${link} in this moment`, {
      reason: 'NetworkTaken',
      hint: 'run the command again',
      cause: error,
    });
  }
}

/** Gives a host its interface, address and port of the switch. */
export async function connectHost(
  machine: MachineHost,
  lab: LabRecord,
  host: LabHostRecord,
  { init, inside }: { readonly init: ProcessId; readonly inside: Host },
): Promise<void> {
  const port = portName(host);
  const id = await switchOf(machine, lab);
  const ends = ['netns', String(id.pid), 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(init.pid)];
  await machine.run(ip(['link', 'add', port, ...ends]));
  const state = host.isPlugged ? 'up' : 'down';
  await inSwitch(machine, id, [`link set ${port} master br0`, `link set ${port} ${state}`]);
  await batch(inside, ['link set lo up', `addr add ${host.address}/24 dev eth0`, 'link set eth0 up']);
}

/** Takes a host's port away; no error when there is none. */
export async function disconnectHost(machine: MachineHost, lab: LabRecord, host: LabHostRecord): Promise<void> {
  if (lab.switch === undefined || !(await machine.processes.isAlive(lab.switch))) return;
  const args = ['-t', String(lab.switch.pid), '-n', '--', 'ip', 'link', 'del', portName(host)];
  await machine.run({ file: 'nsenter', args, okCodes: [0, 1], timeoutMs: COMMAND_TIMEOUT_MS });
}

/** Plugs a host's cable in or out at the switch: the host sees its link go down, as with a real cable. */
export async function setPort(machine: MachineHost, lab: LabRecord, host: LabHostRecord, isUp: boolean): Promise<void> {
  await inSwitch(machine, await switchOf(machine, lab), [`link set ${portName(host)} ${isUp ? 'up' : 'down'}`]);
}

/** Networks of this machine's addresses and routes; the default route is none. */
export async function networksInUse(machine: Host): Promise<readonly string[]> {
  const addresses = await machine.run(ip(['-4', '-o', 'addr', 'show']));
  const routes = await machine.run(ip(['-4', '-o', 'route', 'show', 'table', 'all']));
  const found = `${addresses.stdout}\n${routes.stdout}`.matchAll(/\b\d{1,3}(?:\.\d{1,3}){3}(?:\/\d{1,2})?\b/g);
  return [...new Set([...found].map(([network]) => network))].filter((network) => !network.startsWith('0.0.0.0'));
}

async function switchOf(machine: MachineHost, lab: LabRecord): Promise<ProcessId> {
  if (lab.switch !== undefined && (await machine.processes.isAlive(lab.switch))) return lab.switch;
  throw new AppError('unavailable', `the network of lab ${lab.name} is down`, {
    reason: 'LabNetworkDown',
    hint: `remove the lab with: holdfast lab down --name ${lab.name}`,
  });
}

function ip(args: readonly string[]) {
  return { file: 'ip', args, timeoutMs: COMMAND_TIMEOUT_MS };
}

/** Several ip commands in one process; what stands in them was made or checked here, none of it is free text. */
async function batch(host: Host, lines: readonly string[]): Promise<void> {
  await host.run({ ...ip(['-batch', '-']), stdin: `${lines.join('\n')}\n` });
}

async function inSwitch(machine: Host, id: ProcessId, lines: readonly string[]): Promise<void> {
  await machine.run({
    file: 'nsenter',
    args: ['-t', String(id.pid), '-n', '--', 'ip', '-batch', '-'],
    stdin: `${lines.join('\n')}\n`,
    timeoutMs: COMMAND_TIMEOUT_MS,
  });
}
