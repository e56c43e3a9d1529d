/**
 * Whether a folder is the very one that a mark was written for. Its inode alone does not tell: a server gives the number of a folder
 * that is gone to one that is made later. The handle does. Reading it costs a process, so it is asked for only before something is
 * done with the folder.
 */
import { AppError } from '../../domain/errors.ts';
import type { ShareFolders, SharePlace } from '../../ports/share-folders.ts';
import type { FolderMark } from './share-paths.ts';

/** What is written down of a folder; undefined when there is none. */
export async function identify(
  folders: ShareFolders,
  place: SharePlace,
  signal: AbortSignal,
): Promise<Pick<FolderMark, 'inode' | 'handle'> | undefined> {
  const seen = await folders.stat(place);
  if (seen?.type !== 'directory') return undefined;
  const handle = await folders.handle(place, signal);
  return { inode: seen.inode, ...(handle === undefined ? {} : { handle }) };
}

/**
 * Looks at what is there. A mark without a handle, of before there were any, is held against the inode alone.
 *
 * @throws {AppError} precondition HandleUnknown, where nobody can tell
 */
export async function isMarked(
  folders: ShareFolders,
  { place, mark }: { readonly place: SharePlace; readonly mark: FolderMark },
  signal: AbortSignal,
): Promise<boolean> {
  const seen = await folders.stat(place);
  if (seen?.type !== 'directory' || seen.inode !== mark.inode) return false;
  if (mark.handle === undefined) return true;
  const handle = await folders.handle(place, signal);
  if (handle !== undefined) return handle === mark.handle;
  throw new AppError(
    'precondition',
    `this node cannot tell whether /${place.parts.join('/')} is that of ${mark.volume}`,
    {
      reason: 'HandleUnknown',
      hint: 'its kernel shows no file handles (CONFIG_FHANDLE), and the mark of the folder has one; use another node',
    },
  );
}
