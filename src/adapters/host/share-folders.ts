/** Folders of a share, each part of a way opened from the one before: openat(2), which Node has not, by way of /proc/self/fd. */
import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, opendir, rename, rmdir, statfs, unlink } from 'node:fs/promises';
import { AppError, type ErrorKind } from '../../domain/errors.ts';
import type { Command, CommandResult, FileInfo } from '../../ports/host.ts';
import type { ShareFolders, SharePlace } from '../../ports/share-folders.ts';
import { describeFile } from './files.ts';
import { readHandle } from './folder-handle.ts';

export interface ShareFoldersOptions {
  /** For messages. */
  readonly hostName: string;
  readonly run: (command: Command) => Promise<CommandResult>;
}

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const MAX_TEXT = 4_096;
const MAX_NAME = 255;
/** A large tree on a slow server. */
const ERASE_MS = 3_600_000;
const KINDS: Readonly<Record<string, ErrorKind>> = {
  ENOENT: 'notFound',
  EEXIST: 'exists',
  ENOTEMPTY: 'exists',
  EACCES: 'denied',
  EPERM: 'denied',
  ENOSPC: 'capacity',
  EDQUOT: 'capacity',
  EROFS: 'precondition',
  EXDEV: 'precondition',
};

/** Creates the access to folders of shares that this machine has mounted. */
export function createShareFolders({ hostName, run }: ShareFoldersOptions): ShareFolders {
  const at = async <T>(verb: string, place: SharePlace, act: () => Promise<T>): Promise<T> => {
    try {
      return await act();
    } catch (error) {
      if (error instanceof AppError) throw error;
      const code = codeOf(error);
      if (code === 'ELOOP' || code === 'ENOTDIR') throw notAFolder(place, hostName);
      throw new AppError(
        KINDS[code] ?? 'unavailable',
        `cannot ${verb} /${place.parts.join('/')} of the share on ${hostName}: ${code}`,
        { reason: 'ShareAccessFailed', cause: error, ...hintFor(code) },
      );
    }
  };
  return {
    stat: (place) => at('look at', place, () => statPlace(place)),
    handle: (place, signal) =>
      at('look at', place, () =>
        inFolder(place, (folder) => readHandle({ run }, `/proc/${process.pid}/fd/${folder.fd}`, signal)),
      ),
    list: (place, most) => at('look into', place, () => list(place, most)),
    makeFolder: (place, mode) => at('make', place, () => makeFolder(place, mode)),
    readText: (place) => at('read', place, () => readText(place)),
    createText: (place, text) => at('write', place, () => within(place, (path, parent) => create(path, text, parent))),
    move: (from, to) => at('move', from, () => within(from, (old) => within(to, (next) => rename(old, next)))),
    remove: (place) => at('remove', place, () => orMissing(undefined, () => within(place, removeOne))),
    erase: (place, signal) => at('erase', place, () => orMissing(undefined, () => erase(run, place, signal))),
    usage: (root) =>
      at('measure', { root, parts: [] }, async () => {
        const { blocks, bavail, bsize } = await statfs(root);
        return { capacityBytes: blocks * bsize, freeBytes: bavail * bsize };
      }),
  };
}

function notAFolder({ parts }: SharePlace, hostName: string): AppError {
  return new AppError(
    'precondition',
    `a part of /${parts.join('/')} of the share, seen from ${hostName}, is no folder`,
    {
      reason: 'NotAFolder',
      hint: 'symlinks, files and other file systems in the share are not followed; remove it, or choose another subDir',
    },
  );
}

function hintFor(code: string): { readonly hint?: string } {
  if (code !== 'EACCES' && code !== 'EPERM') return {};
  return {
    hint: 'the server has to let root of the nodes write: export it with no_root_squash, or let its anonymous user',
  };
}

/** Holds the folder of a place open and hands over the place as a path through it. */
async function within<T>(place: SharePlace, act: (path: string, parent: FileHandle) => Promise<T>): Promise<T> {
  const name = place.parts.at(-1);
  if (name === undefined)
    throw new AppError('invalid', 'the root of a share is not changed', { reason: 'InvalidPath' });
  return inFolder({ ...place, parts: place.parts.slice(0, -1) }, (parent) => act(child(parent, name), parent));
}

/** Opens a folder part by part and closes it when `act` has ended. */
async function inFolder<T>({ root, parts }: SharePlace, act: (folder: FileHandle) => Promise<T>): Promise<T> {
  let folder = await open(root, FOLDER);
  try {
    const device = (await folder.stat()).dev;
    for (const part of parts) {
      const next = await open(child(folder, part), FOLDER);
      await folder.close();
      folder = next;
      // What is mounted in the share is another one.
      if ((await folder.stat()).dev !== device) throw Object.assign(new Error('another device'), { code: 'ENOTDIR' });
    }
    return await act(folder);
  } finally {
    await folder.close();
  }
}

/** @throws {AppError} invalid, for what could lead elsewhere */
function child(folder: FileHandle, name: string): string {
  const isPlain = name !== '' && name !== '.' && name !== '..' && !/[/\u0000-\u001f\u007f]/.test(name);
  if (isPlain && Buffer.byteLength(name) <= MAX_NAME) return `/proc/self/fd/${folder.fd}/${name}`;
  throw new AppError('invalid', `${JSON.stringify(name.slice(0, 60))} is no plain name of a folder`, {
    reason: 'InvalidPath',
  });
}

function statPlace(place: SharePlace): Promise<FileInfo | undefined> {
  const look = async () =>
    place.parts.length === 0
      ? await inFolder(place, async (folder) => describeFile(await folder.stat()))
      : await within(place, async (path) => describeFile(await lstat(path)));
  return orMissing(undefined, look);
}

function list(place: SharePlace, most: number): Promise<Awaited<ReturnType<ShareFolders['list']>>> {
  return inFolder(place, async (folder) => {
    const names: string[] = [];
    for await (const entry of await opendir(`/proc/self/fd/${folder.fd}`)) {
      if (names.length === most) return { names: names.toSorted(), hasMore: true };
      names.push(entry.name);
    }
    return { names: names.toSorted(), hasMore: false };
  });
}

async function makeFolder({ root, parts }: SharePlace, mode: number): Promise<void> {
  for (const [index] of parts.entries()) {
    const isLast = index === parts.length - 1;
    await within({ root, parts: parts.slice(0, index + 1) }, async (path) => {
      try {
        await mkdir(path, { mode: isLast ? 0o700 : 0o755 });
      } catch (error) {
        if (codeOf(error) === 'EEXIST') return;
        throw error;
      }
      const made = await open(path, FOLDER);
      try {
        await made.chmod(isLast ? mode : 0o755); // mkdir(2) leaves out what the umask forbids
      } finally {
        await made.close();
      }
    });
  }
  // The last is a folder, and no link to one, also where it was there already.
  await inFolder({ root, parts }, (folder) => folder.sync());
}

function readText(place: SharePlace): Promise<string | undefined> {
  return orMissing(undefined, () =>
    within(place, async (path) => {
      const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      try {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_TEXT), 0, MAX_TEXT, 0);
        return buffer.subarray(0, bytesRead).toString('utf8');
      } finally {
        await file.close();
      }
    }),
  );
}

async function create(path: string, text: string, parent: FileHandle): Promise<void> {
  const file = await open(path, NEW_FILE, 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await parent.sync();
}

async function removeOne(path: string): Promise<void> {
  if ((await lstat(path)).isDirectory()) await rmdir(path);
  else await unlink(path);
}

/** rm(1) goes down by openat(2), follows no symlink, and can be ended; it is started in the folder that is held open. */
async function erase(run: ShareFoldersOptions['run'], place: SharePlace, signal: AbortSignal): Promise<void> {
  await within(place, async (_path, parent) => {
    const args = ['--recursive', '--force', '--one-file-system', '--', place.parts.at(-1) ?? ''];
    await run({ file: 'rm', args, cwd: `/proc/${process.pid}/fd/${parent.fd}`, timeoutMs: ERASE_MS, signal });
  });
}

async function orMissing<T>(missing: T, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return missing;
    throw error;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
