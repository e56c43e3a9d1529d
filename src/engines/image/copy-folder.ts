/** Proofs about the folder of a copy, asked before anything is made or removed in it. */
import { AppError } from '../../domain/errors.ts';
import type { FileInfo, Host, MountEntry } from '../../ports/host.ts';
import { type CopyPaths, OWN_ENTRIES } from './paths.ts';

/**
 * Whether the copy's folder is there, having proven that each folder on the way to it is a real one.
 *
 * @throws {AppError} precondition, when the pool is missing or something on the way is a symlink or a file
 */
export async function findFolder(host: Host, paths: CopyPaths): Promise<boolean> {
  const [pool] = paths.parents;
  for (const path of [...paths.parents, paths.folder]) {
    const seen = await host.files.stat(path);
    if (seen?.type === 'directory') continue;
    if (seen !== undefined) throw notReal(host, path, seen);
    if (path !== pool) return false;
    throw new AppError('precondition', `the pool ${pool} does not exist on ${host.name}`, {
      reason: 'PoolMissing',
      hint: 'mount the pool, or correct its path in the plan',
    });
  }
  return true;
}

/** The folders for copies are there and hold none. */
export async function hasEmptyParents(host: Host, { parents: [, holdfast, copies] }: CopyPaths): Promise<boolean> {
  if ((await host.files.stat(holdfast)) === undefined) return false;
  return (
    (await host.files.list(copies)).length === 0 && (await host.files.list(holdfast)).every((name) => name === 'copies')
  );
}

/** Names in the copy's folder that Holdfast did not put there. */
export async function foreignEntries(host: Host, paths: CopyPaths): Promise<readonly string[]> {
  return (await host.files.list(paths.folder)).filter((name) => !OWN_ENTRIES.has(name));
}

/** What a path of the copy is. @throws {AppError} precondition, when it is there but of another type */
export async function statAs(host: Host, path: string, type: 'file' | 'directory'): Promise<FileInfo | undefined> {
  const seen = await host.files.stat(path);
  if (seen !== undefined && seen.type !== type) throw notReal(host, path, seen);
  return seen;
}

/**
 * The mount of the copy's image, if it is mounted.
 *
 * Found by the end of its path, which holds the UID: the mount table shows paths with symlinks above the pool resolved.
 */
export async function findMount(host: Host, paths: CopyPaths): Promise<MountEntry | undefined> {
  const end = paths.mountPoint.slice(paths.parents[0].length);
  return (await host.mounts.list()).findLast((entry) => entry.target.endsWith(end));
}

function notReal(host: Host, path: string, seen: FileInfo): AppError {
  return new AppError('precondition', `${path} on ${host.name} is a ${seen.type}, which Holdfast did not make`, {
    reason: 'UnexpectedFile',
    hint: 'look at it and move it away; nothing below it is touched until then',
  });
}
