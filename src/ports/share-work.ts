/** Work on the folder of a volume in its share that a person asks for once with a Task. */
import type { DesiredShare } from './engine.ts';

/** The folder of a volume as it is now. */
export interface FolderLook {
  /** Tells it from each other folder: its inode and, where the file system has such a thing, its file handle. */
  readonly identity: string;
  /** What the mark of the volume says; undefined where it has none. */
  readonly before?: string;
  /** Some of what is in it, without characters that cannot be seen. */
  readonly names: readonly string[];
  readonly hasMore: boolean;
  /** Of the file system behind the share. */
  readonly capacityBytes: number;
  readonly freeBytes: number;
}

export interface FolderOfVolume {
  readonly volume: string;
  readonly share: DesiredShare;
}

export interface ShareWork {
  /**
   * Looks at the folder that is at the place of the volume's.
   *
   * @throws {AppError} precondition FolderLost, when there is none; FolderTaken, when it is that of another volume; unsupported, for a volume
   *   whose folder is not known by a mark
   */
  lookAtFolder(of: FolderOfVolume, signal: AbortSignal): Promise<FolderLook>;
  /**
   * Takes it for the volume's own from now on: it is mounted, and goes with the volume as `onDelete` says. Safe to repeat.
   *
   * @param identity - of the folder that a person has looked at
   * @throws {AppError} as lookAtFolder; precondition OtherFolder, when it is another one by now
   */
  acceptFolder(of: FolderOfVolume, identity: string, signal: AbortSignal): Promise<void>;
}
