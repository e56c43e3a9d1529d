/** Control groups of another process, and how to become a member of them (cgroups(7)). */
import { readFile, writeFile } from 'node:fs/promises';
import { AppError } from '../../domain/errors.ts';
import type { MountEntry } from '../../ports/host.ts';
import { parseMountInfo } from './parse-mountinfo.ts';

/**
 * The folders of groups, one for each hierarchy that is mounted.
 *
 * @param groups - /proc/PID/cgroup
 * @param mounts - of the process through whose root they are reached
 */
export function groupFolders(groups: string, mounts: readonly MountEntry[]): readonly string[] {
  const trees = mounts.filter(({ fsType }) => fsType === 'cgroup' || fsType === 'cgroup2');
  return groups.split('\n').flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) return [];
    const found = trees.filter((tree) => isOf(tree, controllers)).flatMap((tree) => below(tree, path) ?? []);
    return found.slice(0, 1);
  });
}

/** Version 2 has one hierarchy, whose line names no controllers. */
function isOf({ fsType, options }: MountEntry, controllers: string): boolean {
  if (controllers === '') return fsType === 'cgroup2';
  return fsType === 'cgroup' && controllers.split(',').every((name) => options.includes(name));
}

/** Undefined where only another part of the hierarchy is mounted. */
function below({ root = '/', target }: MountEntry, path: string): string | undefined {
  if (root === '/') return path === '/' ? target : `${target}${path}`;
  if (path === root) return target;
  return path.startsWith(`${root}/`) ? `${target}${path.slice(root.length)}` : undefined;
}

/**
 * Moves this process into the groups of another. What it starts from then on is a member of them, and outlives the container
 * that this process is of.
 *
 * @param pid - of the other, in a namespace of processes that this one shares with the machine's first
 * @throws {AppError} precondition, when none of its groups can be reached
 */
export async function joinControlGroups(pid: number): Promise<void> {
  const [groups, mounts] = await Promise.all([
    readFile(`/proc/${pid}/cgroup`, 'utf8'),
    // The machine's own: a container sees its part only.
    readFile('/proc/1/mountinfo', 'utf8'),
  ]);
  const folders = groupFolders(groups, parseMountInfo(mounts));
  if (folders.length === 0) {
    throw new AppError('precondition', `the control groups of process ${pid} are mounted nowhere`, {
      reason: 'NoControlGroups',
      hint: "a pod that runs in the engine needs hostPID: true, and privileged: true; kubelet's machine has /sys/fs/cgroup",
    });
  }
  for (const folder of folders) await writeFile(`/proc/1/root${folder}/cgroup.procs`, String(process.pid));
}
