/** Where the images of snapshots are, below the pool: built from its path and checked UIDs only. */
import type { SnapshotImage } from '../../ports/snapshot-engine.ts';
import { copyPaths } from './paths.ts';

export interface SnapshotPaths {
  /** Folders from the pool down, outermost first; each must be a real folder, never a symlink. */
  readonly parents: readonly [pool: string, holdfast: string, snapshots: string, snapshot: string];
  readonly folder: string;
  readonly image: string;
  /** The image while it is being made. */
  readonly newImage: string;
  /** What client-numbers.ts keeps about the image. */
  readonly clients: string;
}

/** Names that the folder of an image may hold; with anything else in it, it is not erased. */
export const OWN_SNAPSHOT_ENTRIES: ReadonlySet<string> = new Set(['brick.img', 'brick.img.new', 'clients']);

/** The paths of one image. @throws {AppError} invalid, when a UID is no UUID or the pool's path is not a plain absolute one */
export function snapshotPaths({ poolPath, snapshotUid, copyUid }: SnapshotImage): SnapshotPaths {
  // copyPaths checks a UID and the pool's path; a snapshot's UID is of the same form.
  const [pool, holdfast] = copyPaths({ poolPath, copyUid, brick: 'image' }).parents;
  copyPaths({ poolPath, copyUid: snapshotUid, brick: 'image' });
  const snapshots = `${holdfast}/snapshots`;
  const snapshot = `${snapshots}/${snapshotUid}`;
  const folder = `${snapshot}/${copyUid}`;
  return {
    parents: [pool, holdfast, snapshots, snapshot],
    folder,
    image: `${folder}/brick.img`,
    newImage: `${folder}/brick.img.new`,
    clients: `${folder}/clients`,
  };
}
