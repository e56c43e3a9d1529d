/**
 * Takes a folder for that of a volume although its mark is of another: a file server that is set up anew has the same folders, and
 * other inodes or file handles for them. Nobody but a person can know that they are the same.
 */
import { AppError } from '../../domain/errors.ts';
import { assertOwned } from '../../domain/nfs/accept-folder.ts';
import { mountSource } from '../../domain/nfs/share.ts';
import type { FolderLook, FolderOfVolume, ShareWork } from '../../ports/share-work.ts';
import { identify } from './folder-identity.ts';
import type { NfsDeps } from './observe-volume.ts';
import { type FolderMark, readMark, type SharePaths, sharePaths, writeMark } from './share-paths.ts';

const MOST_NAMES = 20;

interface Found {
  readonly root: string;
  readonly paths: SharePaths;
  readonly now: Pick<FolderMark, 'inode' | 'handle'>;
  readonly mark: FolderMark | undefined;
}

/** Creates the work of a node. */
export function createShareWork(deps: NfsDeps): ShareWork {
  return {
    lookAtFolder: (of, signal) => withFolder(deps, of, signal, (found) => look(deps, found)),
    acceptFolder: (of, identity, signal) =>
      withFolder(deps, of, signal, (found) => accept(deps, { ...found, ...of }, identity)),
  };
}

async function withFolder<T>(
  { folders, shares, hash }: NfsDeps,
  of: FolderOfVolume,
  signal: AbortSignal,
  act: (found: Found) => Promise<T>,
): Promise<T> {
  const { share } = of;
  assertOwned(of.volume, share);
  const resource = `volume ${of.volume}`;
  return shares.use(share, signal, async (root) => {
    const paths = sharePaths({ root, ...share }, hash);
    const refuseTaken = (by: string) => {
      const hint = 'only a person who knows whose data it is can put that right, on the file server';
      return new AppError('precondition', `${mountSource(share)} is not the folder of ${of.volume}: ${by}`, {
        ...{ resource, reason: 'FolderTaken', hint },
      });
    };
    for (const around of paths.aroundMarks) {
      const holder = readMark(await folders.readText(around));
      if (holder !== undefined) throw refuseTaken(`it lies in that of volume ${holder.volume}`);
    }
    const mark = readMark(await folders.readText(paths.mark));
    if (mark !== undefined && mark.volumeUid !== share.volumeUid) {
      throw refuseTaken(`it is that of volume ${mark.volume} (UID ${mark.volumeUid})`);
    }
    const now = await identify(folders, paths.folder, signal);
    if (now === undefined) {
      throw new AppError('precondition', `there is no folder ${mountSource(share)}`, {
        ...{ resource, reason: 'FolderLost' },
        hint: 'put it there on the file server, with what was in it',
      });
    }
    return act({ root, paths, now, mark });
  });
}

async function look({ folders }: NfsDeps, { root, paths, now, mark }: Found): Promise<FolderLook> {
  const [listed, usage] = [await folders.list(paths.folder, MOST_NAMES), await folders.usage(root)];
  return {
    identity: identityOf(now),
    ...(mark === undefined ? {} : { before: identityOf(mark) }),
    names: listed.names.map((name) => name.replaceAll(/\p{C}/gu, '?')),
    hasMore: listed.hasMore,
    ...{ capacityBytes: usage.capacityBytes, freeBytes: usage.freeBytes },
  };
}

/** Between the two writes it has no mark, as one that was never accepted: nothing is done with it then. */
async function accept(
  { folders }: NfsDeps,
  { volume, share, paths, now, mark }: Found & FolderOfVolume,
  identity: string,
): Promise<void> {
  if (identityOf(now) !== identity) {
    throw new AppError('precondition', `${mountSource(share)} is another folder by now: ${identityOf(now)}`, {
      ...{ resource: `volume ${volume}`, reason: 'OtherFolder' },
      hint: 'look at it again: repeat the command',
    });
  }
  if (mark !== undefined && identityOf(mark) === identity) return;
  for (const own of paths.own) await folders.makeFolder(own, 0o700);
  if (mark !== undefined) await folders.remove(paths.mark);
  // Only where there is none: of two volumes that want one folder a single one gets it.
  await folders.createText(paths.mark, writeMark({ volume, volumeUid: share.volumeUid, ...now }));
}

function identityOf({ inode, handle }: Pick<FolderMark, 'inode' | 'handle'>): string {
  return handle === undefined ? `inode ${inode}` : `inode ${inode} handle ${handle}`;
}
