/**
 * Control groups for a lab host that runs containers: a part of this machine's tree with a name of its own, so that all of it
 * can be found and taken away again, whatever died in between.
 */
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host, MachineHost } from '../../src/ports/host.ts';

const TIMEOUT_MS = 10_000;
/** What a new group of cpuset lacks, and no process can be in it without. */
const INHERITED = ['cpuset.cpus', 'cpuset.mems'];

/** Gives a host its part of each tree of this machine, at the place where programs look for it. */
export async function giveControlGroups(machine: MachineHost, host: Host, name: string): Promise<void> {
  const trees = (await machine.mounts.list()).filter(({ fsType }) => fsType === 'cgroup' || fsType === 'cgroup2');
  const run = (file: string, ...args: string[]) => host.run({ file, args, timeoutMs: TIMEOUT_MS });
  const isUnified = trees.every(({ target }) => target === '/sys/fs/cgroup');
  if (!isUnified) await run('mount', '-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', '/sys/fs/cgroup');
  for (const { target, fsType, options } of trees) {
    const part = join(target, name);
    await mkdir(part, { recursive: true });
    for (const file of INHERITED) await inherit(target, part, file);
    // Mounted anew, for this machine's own mounts are not seen in the host; then only the part of it stays in sight.
    await run('mkdir', '-p', target, '/run/cgroup');
    const what = fsType === 'cgroup2' ? [] : ['-o', subsystem(options, target)];
    await run('mount', '-t', fsType, ...what, fsType, '/run/cgroup');
    await run('mount', '--bind', `/run/cgroup/${name}`, target);
    await run('umount', '/run/cgroup');
  }
}

/** The options of a mount name its subsystems among others; the folder is called like them. */
function subsystem(options: readonly string[], target: string): string {
  const name = target.split('/').at(-1) ?? '';
  return options.includes(name) ? name : `none,name=${name}`;
}

async function inherit(from: string, to: string, file: string): Promise<void> {
  const value = await readFile(join(from, file), 'utf8').catch(() => undefined); // of another tree
  if (value !== undefined && value.trim() !== '') await writeFile(join(to, file), value);
}

/** Takes the parts away; nothing runs in them any more. */
export async function removeControlGroups(machine: MachineHost, name: string): Promise<void> {
  for (const { fsType, target } of await machine.mounts.list()) {
    if (fsType === 'cgroup' || fsType === 'cgroup2') await removeTree(join(target, name));
  }
}

/** Files in it are the kernel's and go with their folder. */
async function removeTree(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []); // not there
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(folder, entry.name));
  await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}
