/**
 * What there is of a lab or of one of its hosts on this machine, found by fact: processes by the mark in their
 * environment, loop devices by the image behind them, the interface by its name and address. And its removal.
 */
import { AppError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Host, MachineHost, ProcessId } from '../../ports/host.ts';
import { parseProcessStat } from '../host/process-id.ts';
import { readProc } from './read-proc.ts';

/** Names the lab in the environment of each of its processes. */
export const LAB_MARK = 'HOLDFAST_LAB';
/** Names the host in the environment of each of its processes. */
export const HOST_MARK = 'HOLDFAST_LAB_HOST';

const COMMAND_TIMEOUT_MS = 20_000;
/** File systems are written back before the kernel lets go of their devices; a slow disk takes its time. */
const CLEAR_TIMEOUT_MS = 60_000;
const POLL_MS = 15;

export interface Scope {
  /** For messages: "host kube1 of lab demo". */
  readonly about: string;
  /** Environment entries that all have to be there: `HOLDFAST_LAB=...`. */
  readonly marks: readonly string[];
  /** Images whose loop devices belong to it, and those stacked on these. */
  readonly images: readonly string[];
  /** Interface of this machine, if one belongs to it; one of that name with another MAC address is another lab's. */
  readonly link?: { readonly name: string; readonly address: string };
}

export interface LoopDevice {
  readonly name: string;
  /** `major:minor` of the loop device itself. */
  readonly device: string;
  /** `major:minor` of the file system that the file behind it is on, and its inode there. */
  readonly backDevice: string;
  readonly backInode: number;
}

export interface LabProcess extends ProcessId {
  /** It is in the PID namespace of a host; otherwise it is one of those that started something there and wait for it. */
  readonly isInside: boolean;
}

export interface Leftovers {
  readonly processes: readonly LabProcess[];
  readonly loops: readonly LoopDevice[];
  readonly links: readonly string[];
}

/** Looks for everything in a scope. Changes nothing. */
export async function findLeftovers(machine: Host, scope: Scope): Promise<Leftovers> {
  const [processes, loops, link] = await Promise.all([
    findProcesses(machine, scope.marks),
    findLoops(machine, scope.images),
    scope.link === undefined ? undefined : findLink(machine, scope.link),
  ]);
  return { processes, loops, links: link === undefined ? [] : [link] };
}

async function findLink(machine: Host, link: { name: string; address: string }): Promise<string | undefined> {
  // Below /sys as below /proc: what is looked at may be going away.
  const address = await readProc(machine, `/sys/class/net/${link.name}/address`);
  return address.trim() === link.address ? link.name : undefined;
}

/**
 * Removes everything in a scope and returns when it is really gone.
 *
 * @throws {AppError} timeout, naming what the kernel still holds
 */
export async function clearLeftovers(deps: { clock: Clock; machine: MachineHost }, scope: Scope): Promise<void> {
  const { clock, machine } = deps;
  for (const end = clock.monotonic() + CLEAR_TIMEOUT_MS; ; await clock.sleep(POLL_MS)) {
    const found = await findLeftovers(machine, scope);
    if (found.processes.length + found.loops.length + found.links.length === 0) return;
    if (clock.monotonic() >= end) throw stillThere(scope, found);
    // The link first: it would go with the processes, and from then on another lab may have one of the same name.
    for (const link of found.links) {
      // Exit code 1: it went with the namespace at its other end in this moment.
      await machine.run({ file: 'ip', args: ['link', 'del', link], okCodes: [0, 1], timeoutMs: COMMAND_TIMEOUT_MS });
    }
    // Those outside last: they reap what they started. Without them that is up to the machine's own first process, and
    // where it is slow (1.7 s measured) a zombie keeps the namespace, and so the disks, for that long.
    const inside = found.processes.filter((each) => each.isInside);
    const dying = inside.length > 0 ? inside : found.processes;
    await Promise.all(dying.map((id) => machine.processes.stop(id, { graceMs: 0 })));
    for (const loop of found.loops) await detach(machine, loop);
  }
}

function stillThere(scope: Scope, found: Leftovers): AppError {
  const parts = [
    ...found.processes.map((id) => `process ${id.pid}`),
    ...found.loops.map((loop) => loop.name),
    ...found.links.map((link) => `interface ${link}`),
  ];
  return new AppError('timeout', `${scope.about} still holds ${parts.join(', ')}`, {
    reason: 'LabStillHeld',
    hint: 'somebody else may be using it (a mount, a shell in the host): see lsblk and fuser, then run the command again',
  });
}

/** Frees a loop device; one that is still mounted is freed by the kernel at its last use. */
async function detach(machine: Host, loop: LoopDevice): Promise<void> {
  // Exit code 1: it has gone by itself since it was listed.
  await machine.run({ file: 'losetup', args: ['-d', loop.name], okCodes: [0, 1], timeoutMs: COMMAND_TIMEOUT_MS });
}

async function findProcesses(machine: Host, marks: readonly string[]): Promise<LabProcess[]> {
  const pids = (await machine.files.list('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readProc(machine, `/proc/${pid}/environ`);
      const entries = new Set(environment.split('\0'));
      if (!marks.every((mark) => entries.has(mark))) return undefined;
      const stat = parseProcessStat(await readProc(machine, `/proc/${pid}/stat`));
      if (stat === undefined) return undefined;
      return { pid: Number(pid), startTicks: stat.startTicks, isInside: await isInside(machine, pid) };
    }),
  );
  return found.filter((each) => each !== undefined);
}

/** NSpid lists a process's ID in this namespace and in each one below it (proc(5)). */
async function isInside(machine: Host, pid: string): Promise<boolean> {
  const line = (await readProc(machine, `/proc/${pid}/status`)).split('\n').find((each) => each.startsWith('NSpid:'));
  return (line ?? '').trim().split(/\s+/).length > 2;
}

async function findLoops(machine: Host, images: readonly string[]): Promise<LoopDevice[]> {
  const all = await listLoops(machine);
  const stats = await Promise.all(images.map((image) => machine.files.stat(image)));
  const isImage = (loop: LoopDevice) =>
    stats.some((stat) => stat?.inode === loop.backInode && stat.deviceId === deviceNumber(loop.backDevice));
  const found = new Set(all.filter(isImage));
  // A host makes loop devices of files on its disks: those go first, or its disks never come free.
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    const devices = new Set([...found].map((loop) => loop.device));
    for (const loop of all) if (devices.has(loop.backDevice)) found.add(loop);
  }
  return [...found].toReversed();
}

/** All loop devices of this machine that have a file. */
export async function listLoops(machine: Host): Promise<LoopDevice[]> {
  const { stdout } = await machine.run({
    file: 'losetup',
    args: ['--list', '--noheadings', '--output', 'NAME,MAJ:MIN,BACK-MAJ:MIN,BACK-INO'],
    timeoutMs: COMMAND_TIMEOUT_MS,
  });
  return stdout.split('\n').flatMap((line) => {
    const [name, device, backDevice, backInode] = line.trim().split(/\s+/);
    if (name === undefined || device === undefined || backDevice === undefined || backInode === undefined) return [];
    return [{ name, device, backDevice, backInode: Number(backInode) }];
  });
}

/** st_dev as Node gives it, of "major:minor" (makedev(3)). */
function deviceNumber(text: string): number {
  const [major = 0, minor = 0] = text.split(':').map(Number);
  return (minor % 256) + (major % 4096) * 256 + (minor - (minor % 256)) * 4096 + (major - (major % 4096)) * 2 ** 32;
}
