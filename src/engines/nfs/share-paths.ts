/** Where things are in a share, and the mark that says whose a folder is. */
import { AppError } from '../../domain/errors.ts';
import type { HashText } from '../../domain/ledger/record.ts';
import { OWN_FOLDER, subDirFault } from '../../domain/nfs/sub-dir.ts';
import type { SharePlace } from '../../ports/share-folders.ts';

/** Whose a folder is: written before the folder gets its name, and read before anything is done to it. */
export interface FolderMark {
  readonly volume: string;
  readonly volumeUid: string;
  /** Of the folder itself: another one of the same name is not ours. */
  readonly inode: number;
  /** What its file system has for it (ShareFolders.handle); not in marks of before there were any, nor where the file system has none. */
  readonly handle?: string;
}

export interface SharePaths {
  /** The volume's folder. */
  readonly folder: SharePlace;
  /** Folders that hold it, the outermost first, and their marks. */
  readonly around: readonly SharePlace[];
  readonly aroundMarks: readonly SharePlace[];
  /** Its mark. */
  readonly mark: SharePlace;
  /** Where it is while it is being made. */
  readonly making: SharePlace;
  /** Where it is while it is being erased. */
  readonly erasing: SharePlace;
  /** What an archived one is called, and what when that is taken. */
  readonly archived: readonly [SharePlace, SharePlace];
  /** The folders of Holdfast's own that have to be there. */
  readonly own: readonly SharePlace[];
}

const UID = /^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/;
const MARK = /^volume (?<volume>\S+)\nuid (?<uid>\S+)\ninode (?<inode>\d+)\n(?:handle (?<handle>[0-9a-f:]+)\n)?$/;

/** The parts of a share's folder. @throws {AppError} invalid, for what is no plain folder */
export function partsOf(subDir: string): readonly string[] {
  const fault = subDirFault(subDir);
  if (fault === undefined) return subDir.split('/');
  throw new AppError('invalid', `the folder of the share ${JSON.stringify(subDir.slice(0, 80))} ${fault}`, {
    reason: 'InvalidSubDir',
  });
}

export interface FolderInShare {
  /** Where the share is mounted. */
  readonly root: string;
  readonly subDir: string;
  readonly volumeUid: string;
}

/** Everything that belongs to a volume in its share. @throws {AppError} invalid */
export function sharePaths({ root, subDir, volumeUid }: FolderInShare, hash: HashText): SharePaths {
  const parts = partsOf(subDir);
  if (!UID.test(volumeUid)) throw new AppError('internal', `${JSON.stringify(volumeUid.slice(0, 80))} is no UID`);
  const at = (...names: readonly string[]): SharePlace => ({ root, parts: names });
  // Not in the folder, where whoever uses the volume could change it.
  const mark = (names: readonly string[]) => at(OWN_FOLDER, 'owners', hash(names.join('/')));
  const [around, last] = [parts.slice(0, -1), parts.at(-1) ?? ''];
  return {
    folder: at(...parts),
    around: around.map((_part, index) => at(...parts.slice(0, index + 1))),
    aroundMarks: around.map((_part, index) => mark(parts.slice(0, index + 1))),
    mark: mark(parts),
    making: at(OWN_FOLDER, 'new', volumeUid),
    erasing: at(OWN_FOLDER, 'gone', volumeUid),
    archived: [at(...around, `archived-${last}`), at(...around, `archived-${last}-${volumeUid.slice(0, 8)}`)],
    own: [at(OWN_FOLDER), ...['owners', 'new', 'gone'].map((name) => at(OWN_FOLDER, name))],
  };
}

/** The text of a mark. */
export function writeMark({ volume, volumeUid, inode, handle }: FolderMark): string {
  return `volume ${volume}\nuid ${volumeUid}\ninode ${inode}\n${handle === undefined ? '' : `handle ${handle}\n`}`;
}

/** Undefined for no mark. @throws {AppError} precondition, for a text that is none: then nobody knows whose the folder is */
export function readMark(text: string | undefined): FolderMark | undefined {
  if (text === undefined) return undefined;
  const found = MARK.exec(text)?.groups;
  if (found === undefined) {
    throw new AppError('precondition', `a file in ${OWN_FOLDER}/owners of the share cannot be read as a mark`, {
      reason: 'MarkUnreadable',
      hint: 'look at it; remove it only when no volume is in the folder that it is for',
    });
  }
  const { volume = '', uid: volumeUid = '', inode, handle } = found;
  return { volume, volumeUid, inode: Number(inode), ...(handle === undefined ? {} : { handle }) };
}
