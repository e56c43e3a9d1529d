/**
 * What the local engine does beside what all engines do with images and folders: each copy's folder bears the name of its
 * owner, and nothing is mounted or erased that is another's, or that is in use.
 */
import { AppError, isAppError } from '../../domain/errors.ts';
import type { Host } from '../../ports/host.ts';
import { isRunError } from '../../ports/run-error.ts';
import type { CopyCare } from '../image/copy-actions.ts';
import { type FileSystem, fileSystemOf, measureFileSystem } from '../image/file-systems.ts';
import { type CopyPaths, OWNER_FILE } from '../image/paths.ts';
import type { OwnedCopy } from './steps.ts';

const SHORT_MS = 20_000;
/** A large file system that was not unmounted cleanly is looked through before it is mounted. */
const CHECK_MS = 3_600_000;
/** What a try that was cut short leaves before there is any data. */
const BEGUN: ReadonlySet<string> = new Set(['brick.img.new', 'clone', 'mnt']);

/** Creates the care for copies of a host. */
export function createLocalCare(host: Host): CopyCare<OwnedCopy> {
  return {
    markFolder: (copy, paths) => markFolder(host, copy, paths),
    beforeMount: async (copy, paths, signal) => {
      await proveOwned(host, copy, paths);
      await proveFree(host, paths, signal);
      await bringIntoOrder(host, { fileSystem: fileSystemOf(copy), image: paths.image, signal });
    },
    beforeErase: async (copy, paths, signal) => {
      if (!(await isOnlyBegun(host, paths))) await proveOwned(host, copy, paths);
      if (copy.brick === 'image') await proveFree(host, paths, signal);
      else await proveNotBound(host, paths);
    },
    unmarkFolder: async (_copy, paths) => {
      const left = await host.files.list(paths.folder);
      if (left.every((name) => name === OWNER_FILE)) await host.files.remove(`${paths.folder}/${OWNER_FILE}`);
    },
  };
}

/** Written first of all, so that whatever has data has an owner. */
async function markFolder(host: Host, copy: OwnedCopy, paths: CopyPaths): Promise<void> {
  const owner = await readOwner(host, paths);
  if (owner === undefined && (await isOnlyBegun(host, paths))) {
    await host.files.writeText(`${paths.folder}/${OWNER_FILE}`, ownerText(copy), { mode: 0o600 });
    return;
  }
  await proveOwned(host, copy, paths);
}

function ownerText({ volume, volumeUid }: OwnedCopy): string {
  return `volume ${volume}\nuid ${volumeUid}\n`;
}

async function readOwner(host: Host, { folder }: CopyPaths): Promise<string | undefined> {
  try {
    return await host.files.readText(`${folder}/${OWNER_FILE}`);
  } catch (error) {
    if (isAppError(error, 'notFound')) return undefined;
    throw error;
  }
}

async function isOnlyBegun(host: Host, { folder }: CopyPaths): Promise<boolean> {
  return (await host.files.list(folder)).every((name) => BEGUN.has(name));
}

/** @throws {AppError} precondition, when the folder is another volume's, or nobody says whose it is */
async function proveOwned(host: Host, copy: OwnedCopy, paths: CopyPaths): Promise<void> {
  const owner = await readOwner(host, paths);
  const uid = owner === undefined ? undefined : /^uid (\S+)$/m.exec(owner)?.[1];
  if (uid === copy.volumeUid) return;
  const whose = uid === undefined ? 'does not say whose it is' : `belongs to the volume with UID ${uid}`;
  throw new AppError('precondition', `${paths.folder} on ${host.name} ${whose}, not to volume ${copy.volume}`, {
    reason: 'NotTheOwner',
    hint: `nothing in it is touched; look at it, and see ${paths.folder}/${OWNER_FILE}`,
  });
}

/**
 * Invariant: an image is checked, mounted or erased only while no loop device of the machine has it, in whatever mount
 * namespace: mounts elsewhere, and programs with open files below a mount that was detached, go on using it.
 *
 * @throws {AppError} unavailable, while something does
 */
async function proveFree(host: Host, { image }: CopyPaths, signal: AbortSignal): Promise<void> {
  if ((await host.files.stat(image)) === undefined) return;
  const args = ['--associated', image, '--noheadings', '--output', 'NAME'];
  const { stdout } = await host.run({ file: 'losetup', args, timeoutMs: SHORT_MS, signal });
  const devices = stdout.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
  if (devices.length === 0) return;
  throw new AppError('unavailable', `${image} on ${host.name} is still in use (${devices.join(', ')})`, {
    reason: 'ImageHeld',
    hint: `end what uses it: see "findmnt ${devices[0]}" and "fuser -vm ${devices[0]}"`,
  });
}

/** @throws {AppError} unavailable, while the folder is mounted somewhere */
async function proveNotBound(host: Host, { brick }: CopyPaths): Promise<void> {
  // The end of the path has the copy's UID; the mount table has it from the root of the pool's file system.
  const end = brick.slice(brick.indexOf('/.holdfast/'));
  const bound = (await host.mounts.list()).find(({ root }) => root?.endsWith(end) === true);
  if (bound === undefined) return;
  throw new AppError('unavailable', `${brick} on ${host.name} is still mounted at ${bound.target}`, {
    reason: 'FolderHeld',
    hint: `unmount ${bound.target}`,
  });
}

interface Order {
  readonly fileSystem: FileSystem;
  readonly image: string;
  readonly signal: AbortSignal;
}

/** Checks what was not unmounted cleanly, and fills the image where its growth was cut short. The image is in no use. */
async function bringIntoOrder(host: Host, { fileSystem, image, signal }: Order): Promise<void> {
  const { check, fill } = fileSystem;
  if (check === undefined || fill === undefined) return;
  const run = async ([file, ...args]: readonly [string, ...string[]], okCodes: readonly number[]) => {
    try {
      await host.run({ file, args, okCodes, timeoutMs: CHECK_MS, signal });
    } catch (error) {
      if (!isRunError(error, 'exit')) throw error;
      throw new AppError(
        'dataLoss',
        `the file system in ${image} on ${host.name} is damaged: ${file} left with ${error.code}`,
        {
          reason: 'FileSystemDamaged',
          hint: `look at it by hand: ${check.thorough(image).join(' ').replace(' -p', ' -n')}; or clone a snapshot`,
          cause: error,
        },
      );
    }
  };
  await run(check.quick(image), check.okCodes);
  const size = (await host.files.stat(image))?.sizeBytes ?? 0;
  const filled = await measureFileSystem(host, fileSystem, { device: image, mountPoint: image, signal });
  if (filled >= size - fileSystem.tailBytes) return;
  await run(check.thorough(image), check.okCodes);
  await run(fill(image), [0]);
}
