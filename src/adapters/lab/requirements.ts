/** What a machine must have for a lab, asked before anything is changed. */
import { LAB_PROGRAMS } from '../../domain/needed-programs.ts';
import type { Host, MachineHost } from '../../ports/host.ts';
import { isRunError } from '../../ports/run-error.ts';
import { createApt } from '../packages/apt.ts';

const COMMAND_TIMEOUT_MS = 10_000;

/** One sentence for each thing that is missing. */
export async function findMissing(machine: MachineHost, userId: number): Promise<readonly string[]> {
  if (userId !== 0) return ['a lab needs root: run the command with sudo'];
  const missing: string[] = [];
  const packages = await createApt({ host: machine, processes: machine.processes, userId }).findMissing(LAB_PROGRAMS);
  for (const { program, debianPackage } of packages) {
    missing.push(`the program ${program} is missing: apt-get install ${debianPackage}`);
  }
  for (const [device, what] of [
    ['/dev/fuse', 'FUSE, which GlusterFS mounts need'],
    ['/dev/loop-control', 'loop devices, which the disks of the hosts are'],
  ] as const) {
    if ((await machine.files.stat(device))?.type !== 'device') missing.push(`the kernel offers no ${what} (${device})`);
  }
  for (const fileSystem of ['xfs', 'overlay']) {
    if (!(await hasFileSystem(machine, fileSystem))) missing.push(`the kernel has no file system ${fileSystem}`);
  }
  if (missing.length === 0) missing.push(...(await tryNamespaces(machine)));
  return missing;
}

/** Built in or loaded, or a module that mount(8) will have loaded. */
async function hasFileSystem(machine: Host, name: string): Promise<boolean> {
  const known = await machine.files.readText('/proc/filesystems');
  if (known.split('\n').some((line) => line.split('\t').at(-1) === name)) return true;
  try {
    await machine.run({ file: 'modprobe', args: ['--dry-run', '--quiet', name], timeoutMs: COMMAND_TIMEOUT_MS });
    return true;
  } catch (error) {
    if (isRunError(error, 'exit') || isRunError(error, 'spawn')) return false;
    throw error;
  }
}

/** Makes a pair of interfaces in namespaces that end with the command. */
async function tryNamespaces(machine: Host): Promise<string[]> {
  const namespaces = ['--net', '--mount', '--uts', '--ipc', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const pair = ['ip', 'link', 'add', 'veth0', 'type', 'veth', 'peer', 'name', 'veth1'];
  try {
    await machine.run({ file: 'unshare', args: [...namespaces, '--', ...pair], timeoutMs: COMMAND_TIMEOUT_MS });
    return [];
  } catch (error) {
    if (!isRunError(error, 'exit')) throw error;
    const said = error.stderr.trim().split('\n').at(-1) ?? '';
    return [
      `the kernel does not let root make namespaces and veth interfaces (${said}); in a container, run it privileged`,
    ];
  }
}
