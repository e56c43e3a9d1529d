/** Work on single entries in the copies of this node, and through a mount of this node. */
import type { EngineVolumeName } from '../domain/names.ts';
import type { EntryVersion } from '../domain/split-brain/entry-version.ts';

export type { EntryVersion };

/** A version that was put aside, whole and synced. */
export interface SavedVersion extends EntryVersion {
  /** Folder that holds it, on the node of the copy. */
  readonly savedIn: string;
}

/** Where versions are put aside: below the pool of the copy, by volume, Task and copy. */
export interface SavePlace {
  readonly poolPath: string;
  readonly volumeUid: string;
  readonly taskUid: string;
  readonly copyUid: string;
}

export interface PutBackRequest {
  readonly volume: EngineVolumeName;
  /** Nodes to fetch the volume's description from, the nearest first. */
  readonly servers: readonly string[];
  readonly path: string;
  /** The version to put back. */
  readonly from: SavePlace;
  /** Where what is in the volume now is put aside first. */
  readonly aside: SavePlace;
}

export interface ReadRequest {
  readonly volume: EngineVolumeName;
  /** Nodes to fetch the volume's description from, the nearest first. */
  readonly servers: readonly string[];
  readonly path: string;
  /** Task that asks; its mount is named after it. */
  readonly taskUid: string;
}

/** A file as everybody sees it. */
export interface SeenEntry {
  readonly gfid: string;
  readonly sha256: string;
}

export interface TidyRequest {
  /** Of the pools of this node. */
  readonly poolPaths: readonly string[];
  /** UIDs of all Tasks that there are: what was put aside for them stays. */
  readonly knownTasks: ReadonlySet<string>;
  /** UIDs of those that are not finished: their mounts stay. */
  readonly openTasks: ReadonlySet<string>;
  /** Milliseconds since the epoch: what was put aside later stays, whatever is known of its Task. */
  readonly savedBefore: number;
}

export interface BrickWork {
  /** Undefined when the copy does not hold the entry. Never follows a symlink. */
  inspectEntry(brickPath: string, path: string, signal: AbortSignal): Promise<EntryVersion | undefined>;
  /**
   * Puts the version of one copy aside. What was put aside before in this place stays as it is and is returned.
   * Undefined when the copy does not hold the entry.
   *
   * @throws {AppError} precondition, for what is no file; capacity, when the pool has no room
   */
  saveEntry(
    request: { readonly brickPath: string; readonly path: string; readonly place: SavePlace },
    signal: AbortSignal,
  ): Promise<SavedVersion | undefined>;
  /**
   * Puts a saved version in the place of what the volume holds now, in one rename through a mount; what it held is put
   * aside first and returned.
   *
   * @throws {AppError} notFound, without a saved version; dataLoss, when it is not what was saved; precondition
   *   WrittenMeanwhile, when this was begun before, and the file has been written since
   */
  putBack(request: PutBackRequest, signal: AbortSignal): Promise<SavedVersion | undefined>;
  /**
   * Reads a file whole through a fresh mount on this node.
   *
   * @throws {AppError} unavailable, while it cannot be read
   */
  readEntry(request: ReadRequest, signal: AbortSignal): Promise<SeenEntry>;
  /** Removes what was put aside for Tasks of which nothing is known any more, and returns those folders. */
  tidyUp(request: TidyRequest, signal: AbortSignal): Promise<readonly string[]>;
}
