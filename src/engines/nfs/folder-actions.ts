/**
 * Makes, archives and removes the folder of a volume. A folder is ours when its mark says so and it is the very one that the
 * mark was written for (folder-identity.ts); nothing else is ever renamed or erased.
 */

import { AppError, isAppError } from '../../domain/errors.ts';
import { isOwned } from '../../domain/nfs/share.ts';
import type { DesiredShare } from '../../ports/engine.ts';
import type { ShareFolders } from '../../ports/share-folders.ts';
import { identify, isMarked } from './folder-identity.ts';
import type { NfsDeps } from './observe-volume.ts';
import { seeFolder } from './observe-volume.ts';
import { type FolderMark, readMark, type SharePaths, sharePaths, writeMark } from './share-paths.ts';
import type { FolderOf } from './steps.ts';

type Act = (of: FolderOf, signal: AbortSignal) => Promise<void>;

export interface FolderActions {
  readonly makeFolder: Act;
  readonly archiveFolder: Act;
  readonly setAside: Act;
  readonly eraseAside: Act;
  readonly forgetFolder: Act;
}

interface Scope extends FolderOf {
  readonly folders: ShareFolders;
  readonly paths: SharePaths;
  readonly signal: AbortSignal;
}

/** What a folder is made with when the volume does not say; as csi-driver-nfs does. */
const DEFAULT_MODE = 0o755;

/** Creates the actions of a node. */
export function createFolderActions({ folders, shares, hash }: NfsDeps): FolderActions {
  const act =
    (todo: (scope: Scope) => Promise<void>): Act =>
    ({ volume, share }, signal) =>
      shares.use(share, signal, (root) =>
        todo({ folders, volume, share, signal, paths: sharePaths({ root, ...share }, hash) }),
      );
  return {
    makeFolder: act(makeFolder),
    archiveFolder: act(archiveFolder),
    setAside: act(setAside),
    eraseAside: act(eraseAside),
    forgetFolder: act(forgetFolder),
  };
}

async function makeFolder(scope: Scope): Promise<void> {
  const { folders, paths, share } = scope;
  const seen = await seeFolder(folders, share, paths);
  if (seen.folder === 'ready') return;
  if (seen.folder === 'taken') throw folderTaken(scope, seen.takenBy);
  const last = paths.around.at(-1);
  if (last !== undefined) await folders.makeFolder(last, DEFAULT_MODE);
  if (!isOwned(share)) return folders.makeFolder(paths.folder, modeOf(share));
  for (const own of paths.own) await folders.makeFolder(own, 0o700);
  await folders.makeFolder(paths.making, modeOf(share));
  const made = await identify(folders, paths.making, scope.signal);
  if (made === undefined) throw folderTaken(scope, 'what was made for it is no folder');
  await claim(scope, made);
  try {
    await folders.move(paths.making, paths.folder);
  } catch (error) {
    if (!isAppError(error, 'exists')) throw error;
    await forgetFolder(scope);
    throw folderTaken(scope, 'it has just been made by somebody else');
  }
}

function modeOf({ permissions }: DesiredShare): number {
  return permissions === undefined ? DEFAULT_MODE : Number.parseInt(permissions, 8);
}

/** The mark is written once, and only where there is none: of two volumes that want one folder a single one gets it. */
async function claim(scope: Scope, made: Pick<FolderMark, 'inode' | 'handle'>): Promise<void> {
  const { folders, paths, share, volume } = scope;
  const before = readMark(await folders.readText(paths.mark));
  if (before !== undefined && before.volumeUid !== share.volumeUid) throw folderTaken(scope, 'another volume has it');
  if (before?.inode === made.inode && before.handle === made.handle) return;
  if (before !== undefined) await folders.remove(paths.mark);
  try {
    await folders.createText(paths.mark, writeMark({ volume, volumeUid: share.volumeUid, ...made }));
  } catch (error) {
    if (isAppError(error, 'exists')) throw folderTaken(scope, 'another volume has it');
    throw error;
  }
}

/** The failure of whoever wants a folder that is not theirs. */
function folderTaken({ volume, share }: FolderOf, why = 'it is not its own'): AppError {
  return new AppError('precondition', `the folder ${share.subDir} of the share cannot be that of ${volume}: ${why}`, {
    ...{ resource: `volume ${volume}`, reason: 'FolderTaken' },
    hint: 'choose another subDir; a folder that is there already is used, and never deleted from, with onDelete retain',
  });
}

/** Renames beside it; what was archived before keeps its name. */
async function archiveFolder(scope: Scope): Promise<void> {
  const { folders, paths } = scope;
  if (!(await isOurs(scope, paths.folder))) return;
  const [first, second] = paths.archived;
  const isFree = (await folders.stat(first)) === undefined;
  await folders.move(paths.folder, isFree ? first : second);
}

/** Out of reach of everybody who knows its name, before anything in it is touched. */
async function setAside(scope: Scope): Promise<void> {
  const { folders, paths } = scope;
  if (await isOurs(scope, paths.folder)) await folders.move(paths.folder, paths.erasing);
}

async function eraseAside(scope: Scope): Promise<void> {
  const { folders, paths, volume, signal } = scope;
  const aside = await folders.stat(paths.erasing);
  if (aside === undefined) return;
  if (!(await isOurs(scope, paths.erasing))) {
    throw new AppError('precondition', `what was set aside of ${volume} is not the folder that was made for it`, {
      reason: 'NotTheOwner',
      hint: `nothing in it is touched; look at ${paths.erasing.parts.join('/')} in the share, and move it back`,
    });
  }
  await folders.erase(paths.erasing, signal);
}

async function forgetFolder(scope: Scope): Promise<void> {
  const { folders, paths, share } = scope;
  const mark = readMark(await folders.readText(paths.mark));
  if (mark?.volumeUid === share.volumeUid) await folders.remove(paths.mark);
  await folders.remove(paths.making);
}

async function isOurs({ folders, paths, share, signal }: Scope, place: SharePaths['folder']): Promise<boolean> {
  const mark = readMark(await folders.readText(paths.mark));
  return mark?.volumeUid === share.volumeUid && (await isMarked(folders, { place, mark }, signal));
}
