/** Paths of a host seen through /proc/PID/root: symlinks are followed inside that root, never out of it. */
import { lstat, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../domain/errors.ts';

/** As many as the kernel follows (path_resolution(7)). */
const MAX_SYMLINKS = 40;

/**
 * Turns a host's absolute path into one that this process can open.
 *
 * The kernel would resolve an absolute symlink (/var/run -> /run) against the root of this process, so each part is
 * looked at here. Parts that do not exist are kept as they are.
 *
 * @param followLast - whether a symlink as the last part is followed too
 */
export async function resolvePath(root: string, path: string, followLast: boolean): Promise<string> {
  assertAbsolute(path);
  let todo = partsOf(path);
  let done: readonly string[] = [];
  for (let links = 0; todo.length > 0; ) {
    const [part = '', ...rest] = todo;
    todo = rest;
    if (part === '..') {
      done = done.slice(0, -1);
      continue;
    }
    const isKept = rest.length === 0 && !followLast;
    const target = isKept ? undefined : await linkTarget(join(root, ...done, part));
    if (target === undefined) {
      done = [...done, part];
      continue;
    }
    links += 1;
    if (links > MAX_SYMLINKS) throw new AppError('invalid', `${path} leads through too many symlinks`);
    if (target.startsWith('/')) done = [];
    todo = [...partsOf(target), ...rest];
  }
  // With a slash at its end: /proc/PID/root itself is a symlink, and it is what it leads to that is meant.
  return done.length === 0 ? join(root, '/') : join(root, ...done);
}

/**
 * The same for whoever only looks. Below this process's own root the kernel finds the way by itself, in one call and not in
 * one for each part.
 */
export async function resolveForLook(root: string, path: string, followLast: boolean): Promise<string> {
  if (root !== '/') return resolvePath(root, path, followLast);
  assertAbsolute(path);
  // A slash at the end would have a symlink followed that is to be looked at.
  return path.replace(/\/+$/, '') || '/';
}

function assertAbsolute(path: string): void {
  if (path.startsWith('/')) return;
  throw new AppError('invalid', `"${path.slice(0, 200)}" is not an absolute path`, { reason: 'RelativePath' });
}

function partsOf(path: string): readonly string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return (await lstat(path)).isSymbolicLink() ? await readlink(path) : undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) {
      return undefined;
    }
    throw error;
  }
}
