/** Files of a host: this machine's, or those of a lab host through /proc/PID/root. */
import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, rename, rmdir, stat, statfs, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AppError, type ErrorKind } from '../../domain/errors.ts';
import type { FileInfo, HostFiles } from '../../ports/host.ts';
import { resolveForLook, resolvePath } from './resolve-path.ts';

export interface FilesOptions {
  /** For messages: the host's name. */
  readonly hostName: string;
  /** Folder that is the host's root, asked at each call: a lab host has another one after each boot. */
  readonly root: () => Promise<string>;
}

const KINDS: Readonly<Record<string, ErrorKind>> = {
  ENOENT: 'notFound',
  ENOTDIR: 'notFound',
  EACCES: 'denied',
  EPERM: 'denied',
  ENOSPC: 'capacity',
  EDQUOT: 'capacity',
  ENOTEMPTY: 'precondition',
  EBUSY: 'precondition',
  EROFS: 'precondition',
  EEXIST: 'exists',
  EISDIR: 'invalid',
  ELOOP: 'invalid',
};

/** Creates the file access of a host. Paths are absolute, as the host itself sees them. */
export function createHostFiles({ hostName, root }: FilesOptions): HostFiles {
  /** Does something with a path, found so, and names path and host when it fails. */
  const by =
    (resolve: typeof resolvePath) =>
    async <T>(verb: string, path: string, followLast: boolean, act: (real: string) => Promise<T>): Promise<T> => {
      try {
        return await act(await resolve(await root(), path, followLast));
      } catch (error) {
        if (error instanceof AppError) throw error;
        const code = codeOf(error);
        throw new AppError(KINDS[code] ?? 'unavailable', `cannot ${verb} ${path} on ${hostName}: ${code}`, {
          reason: 'FileAccessFailed',
          cause: error,
        });
      }
    };
  const at = by(resolvePath);
  /** Only looks, as an agent does at each of its copies all the time. */
  const seen = by(resolveForLook);
  return {
    readText: (path) => seen('read', path, true, (real) => withFile(real, 'r', (file) => file.readFile('utf8'))),
    readBytes: (path, offset, length) => seen('read', path, true, (real) => readRange(real, offset, length)),
    writeText: (path, text, options) =>
      at('write', path, true, (real) => replaceFile(real, text, options?.mode ?? 0o644)),
    makeDirectory: (path, options) => at('create', path, true, (real) => makeDirectory(real, options?.mode)),
    remove: (path) => at('remove', path, false, removeOne),
    stat: (path) =>
      seen('look at', path, false, (real) => absent(undefined, async () => describeFile(await lstat(real)))),
    list: (path) => seen('list', path, true, (real) => absent([], async () => (await readdir(real)).toSorted())),
    usage: (path) =>
      seen('measure', path, true, async (real) => {
        const { blocks, bavail, bsize } = await statfs(real);
        return { capacityBytes: blocks * bsize, freeBytes: bavail * bsize };
      }),
  };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

async function absent<T>(fallback: T, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return fallback;
    throw error;
  }
}

async function withFile<T>(path: string, flags: string | number, act: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, flags);
  try {
    return await act(file);
  } finally {
    await file.close();
  }
}

function readRange(path: string, offset: number, length: number): Promise<Uint8Array> {
  return withFile(path, 'r', async (file) => {
    const buffer = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await file.read(buffer, filled, length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  });
}

async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  const folder = dirname(path);
  const beside = join(folder, `.${basename(path).slice(0, 200)}.${randomBytes(6).toString('hex')}`);
  const file = await open(beside, 'wx', mode);
  try {
    try {
      await file.writeFile(text);
      await file.chmod(mode); // open() leaves out what the umask forbids
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    await absent(undefined, () => unlink(beside));
    throw error;
  }
  await withFile(folder, constants.O_RDONLY | constants.O_DIRECTORY, (opened) => opened.sync());
}

/**
 * Not mkdir's own `recursive`: below /proc/PID of a host that has just ended mkdir says ENOENT for ever, and Node then
 * tries for ever, in a thread that nothing can stop.
 */
async function makeDirectory(path: string, mode: number | undefined): Promise<void> {
  if (!(await makeWithParents(path)) || mode === undefined) return;
  await withFile(path, constants.O_RDONLY | constants.O_DIRECTORY, (folder) => folder.chmod(mode));
}

/** A parent that is empty may be taken away again by whoever cleans up, just before something is put into it. */
const PARENT_TRIES = 20;

/** @returns whether it was made just now */
async function makeWithParents(path: string): Promise<boolean> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await makeOne(path);
    } catch (error) {
      const parent = dirname(path);
      if (codeOf(error) !== 'ENOENT' || parent === path || tries > PARENT_TRIES) throw error;
      await makeWithParents(parent);
    }
  }
}

async function makeOne(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && (await stat(path)).isDirectory()) return false;
    throw error;
  }
}

async function removeOne(path: string): Promise<void> {
  await absent(undefined, async () => {
    if ((await lstat(path)).isDirectory()) await rmdir(path);
    else await unlink(path);
  });
}

/** What lstat(2) says, in the words of the port. */
export function describeFile(seen: Stats): FileInfo {
  const type = seen.isFile()
    ? 'file'
    : seen.isDirectory()
      ? 'directory'
      : seen.isSymbolicLink()
        ? 'symlink'
        : seen.isBlockDevice() || seen.isCharacterDevice()
          ? 'device'
          : 'other';
  return {
    type,
    sizeBytes: Number(seen.size),
    mode: Number(seen.mode) & 0o7777,
    deviceId: Number(seen.dev),
    inode: Number(seen.ino),
  };
}
