/** What is there of a volume in its share. Looks only. */

import type { HashText } from '../../domain/ledger/record.ts';
import { isOwned } from '../../domain/nfs/share.ts';
import type { DesiredShare, DesiredVolume, ObservedVolume } from '../../ports/engine.ts';
import type { FileSystemUsage } from '../../ports/host.ts';
import type { ShareFolders } from '../../ports/share-folders.ts';
import type { PrivateMounts } from './private-mount.ts';
import { type FolderMark, readMark, type SharePaths, sharePaths } from './share-paths.ts';
import type { FolderOf } from './steps.ts';

export interface NfsDeps {
  readonly folders: ShareFolders;
  readonly shares: PrivateMounts;
  readonly hash: HashText;
}

export interface ObservedNfsVolume extends ObservedVolume {
  /**
   * Of one that is to be there: 'ready', 'absent', or 'taken' by what is not its own. Of one that is to go: 'ours', 'aside' (on
   * its way out), 'marked' (the folder is gone, the mark is not) or 'absent', which also says that there is nothing to take away.
   */
  readonly folder: 'ready' | 'absent' | 'taken' | 'ours' | 'aside' | 'marked';
  /** Of a folder that is taken: by what. */
  readonly takenBy?: string;
}

const NOTHING = { subject: 'volume', bricks: [], options: {} } as const;

/** Observes a volume. @throws {AppError} when the share does not answer, or a part of the way is no folder */
export async function observeNfsVolume(
  deps: NfsDeps,
  desired: DesiredVolume,
  signal: AbortSignal,
): Promise<ObservedNfsVolume> {
  const { share } = desired;
  const absent = { ...NOTHING, isPresent: false, isStarted: false, folder: 'absent' } as const;
  if (share === undefined) return absent;
  if (desired.isPresent) return deps.shares.use(share, signal, (root) => observePresent(deps, share, root));
  const { subDir } = share;
  // Nothing in it is ours to take away, so the server is not even asked.
  if (subDir === undefined || !isOwned(share)) return absent;
  const folder = await deps.shares.use(share, signal, (root) =>
    seeOwned(deps.folders, sharePaths({ root, subDir, volumeUid: share.volumeUid }, deps.hash), share.volumeUid),
  );
  return { ...absent, isPresent: folder !== 'absent', folder };
}

async function observePresent(
  { folders, hash }: NfsDeps,
  share: DesiredShare,
  root: string,
): Promise<ObservedNfsVolume> {
  const usage = await folders.usage(root);
  const { subDir, volumeUid } = share;
  if (subDir === undefined) return served(share, usage);
  const seen = await seeFolder(folders, { ...share, subDir }, sharePaths({ root, subDir, volumeUid }, hash));
  if (seen.folder === 'ready') return served(share, usage);
  return { ...NOTHING, isPresent: false, isStarted: false, ...seen };
}

function served({ volumeUid }: DesiredShare, { capacityBytes, freeBytes }: FileSystemUsage): ObservedNfsVolume {
  return {
    ...{ ...NOTHING, isPresent: true, isStarted: true, engineId: volumeUid, folder: 'ready', hasProfile: true },
    ...{ capacityBytes, freeBytes },
  };
}

type Seen = Pick<ObservedNfsVolume, 'folder' | 'takenBy'>;

/** What is in the place of a volume's folder. */
export async function seeFolder(folders: ShareFolders, share: FolderOf['share'], paths: SharePaths): Promise<Seen> {
  for (const mark of paths.aroundMarks) {
    const holder = readMark(await folders.readText(mark));
    if (holder !== undefined) return { folder: 'taken', takenBy: `it lies in the folder of ${name(holder)}` };
  }
  const [mark, here] = [readMark(await folders.readText(paths.mark)), await folders.stat(paths.folder)];
  if (mark !== undefined && mark.volumeUid !== share.volumeUid) {
    return { folder: 'taken', takenBy: `it belongs to ${name(mark)}` };
  }
  if (here === undefined) return { folder: 'absent' };
  if (here.type !== 'directory') return { folder: 'taken', takenBy: `there is a ${here.type} of that name` };
  if (!isOwned(share) || here.inode === mark?.inode) return { folder: 'ready' };
  return { folder: 'taken', takenBy: 'it was there before, and was not made for this volume' };
}

/** What is left of a folder that is to go. */
async function seeOwned(
  folders: ShareFolders,
  paths: SharePaths,
  volumeUid: string,
): Promise<ObservedNfsVolume['folder']> {
  const mark = readMark(await folders.readText(paths.mark));
  const isOurs = mark?.volumeUid === volumeUid;
  if (isOurs && (await folders.stat(paths.erasing)) !== undefined) return 'aside';
  if (isOurs && (await folders.stat(paths.folder))?.inode === mark.inode) return 'ours';
  return isOurs || (await folders.stat(paths.making)) !== undefined ? 'marked' : 'absent';
}

function name({ volume, volumeUid }: FolderMark): string {
  return `volume ${volume} (UID ${volumeUid})`;
}
