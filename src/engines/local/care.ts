/**
 * What the local engine does beside what all engines do with images and folders: each copy's folder bears the name of its
 * owner, and nothing is mounted or erased that is another's, or that is in use.
 */
import { AppError, isAppError } from '../../domain/errors.ts';
import type { Host } from '../../ports/host.ts';
import type { CopyCare } from '../image/copy-actions.ts';
import { proveFree } from '../image/image-order.ts';
import { type CopyPaths, OWNER_FILE } from '../image/paths.ts';
import type { OwnedCopy } from './steps.ts';

/** What a try that was cut short leaves before there is any data. */
const BEGUN: ReadonlySet<string> = new Set(['brick.img.new', 'clone', 'mnt']);

/** Creates the care for copies of a host. */
export function createLocalCare(host: Host): CopyCare<OwnedCopy> {
  return {
    markFolder: (copy, paths) => markFolder(host, copy, paths),
    beforeMount: async (copy, paths, signal) => {
      await proveOwned(host, copy, paths);
      await proveFree(host, paths, signal);
    },
    beforeErase: async (copy, paths, signal) => {
      if (!(await isOnlyBegun(host, paths))) await proveOwned(host, copy, paths);
      if (copy.brick !== 'directory') await proveFree(host, paths, signal);
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
