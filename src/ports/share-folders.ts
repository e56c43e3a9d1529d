/**
 * Folders of a file system that others write to as well, and may wish us ill: whoever has the whole of a share mounted can put a
 * symlink in the place of a folder between a look at it and what is done with it. So each part of a way is opened from the
 * folder before it and must be a folder itself, and whatever is done is done in the folder that is held open.
 */
import type { FileInfo, FileSystemUsage } from './host.ts';

/** A place below a root that nobody else can move: the mount of a share at a path of Holdfast's own. */
export interface SharePlace {
  readonly root: string;
  /** Plain names, one for each part of the way; none for the root itself. */
  readonly parts: readonly string[];
}

/**
 * All of them reject with AppError `precondition` NotAFolder when a part of the way is a symlink, a file, or of another file
 * system, and with `invalid` for a part that is no plain name.
 */
export interface ShareFolders {
  /** What is there, without following a symlink; undefined when it, or a part of the way, is missing. */
  stat(place: SharePlace): Promise<FileInfo | undefined>;
  /**
   * What tells a folder from each other one, also from one that was made when it was gone and has its inode. Undefined where its file
   * system has no such thing. Costs a process.
   *
   * @throws {AppError} notFound
   */
  handle(place: SharePlace, signal: AbortSignal): Promise<string | undefined>;
  /** Names in a folder, in order of the alphabet, of as many as asked for. @throws {AppError} notFound */
  list(place: SharePlace, most: number): Promise<{ readonly names: readonly string[]; readonly hasMore: boolean }>;
  /** Makes a folder and those on the way to it that are missing; no error when it is there. `mode` is for the last, if it is made. */
  makeFolder(place: SharePlace, mode: number): Promise<void>;
  /** Undefined when it is missing. Only files of up to 4 KiB. */
  readText(place: SharePlace): Promise<string | undefined>;
  /** Writes a new file for root alone, whole and on disk. @throws {AppError} exists, when the name is taken, whatever has it */
  createText(place: SharePlace, text: string): Promise<void>;
  /**
   * Renames a folder within the share; those on the way to the new place have to be there.
   *
   * @throws {AppError} exists, when something is at the new place (an empty folder is taken for nothing); notFound
   */
  move(from: SharePlace, to: SharePlace): Promise<void>;
  /** Removes one file or empty folder; no error when it is missing. */
  remove(place: SharePlace): Promise<void>;
  /** Removes a folder with all that is in it, following no symlink; no error when it is missing. */
  erase(place: SharePlace, signal: AbortSignal): Promise<void>;
  usage(root: string): Promise<FileSystemUsage>;
}
