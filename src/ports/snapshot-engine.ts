/**
 * Snapshots of the copies of a volume. Images are taken one by one on their nodes while a barrier on the whole volume holds
 * back the answers to writers, so that together they are one moment of the volume.
 */
import type { EngineVolumeName } from '../domain/names.ts';

import type { CopyEngineName } from '../domain/volume/engines.ts';

/** Where the image of a copy is kept: beside the copies, in the same pool. */
export interface SnapshotImage {
  readonly poolPath: string;
  /** UID of the VolumeSnapshotRecord. */
  readonly snapshotUid: string;
  /** UID of the VolumeCopy. */
  readonly copyUid: string;
  /** It has no file system that could be at rest: it is what a power cut would have left of the device. */
  readonly isBlock?: boolean;
}

/** The copies of a volume as the barrier was raised over them. */
export interface RaisedBarrier {
  /** The processes that serve the copies: another list means that one has ended meanwhile, and with it its barrier. */
  readonly processes: readonly string[];
}

/** The snapshots of every engine of a node. */
export interface SnapshotTable extends Readonly<Record<CopyEngineName, SnapshotEngine>> {
  readonly local: GroupSnapshotEngine;
}

export interface SnapshotEngine {
  /**
   * Holds back the answers to all writes of the volume that ask to be safe (fsync and its like), on every copy.
   *
   * @param seconds - after so long it falls by itself, on each copy, whoever has died meanwhile
   * @throws {AppError} precondition, when not every copy serves and is current; then nothing is held back
   */
  raiseBarrier(volume: EngineVolumeName, seconds: number, signal: AbortSignal): Promise<RaisedBarrier>;
  /**
   * Takes the barrier away; no error when there is none any more and no `raised` is given.
   *
   * @param raised - what to prove: that it stood on every copy since it was raised
   * @throws {AppError} precondition BarrierFell, when that cannot be shown; the barrier is away then too
   */
  lowerBarrier(volume: EngineVolumeName, raised: RaisedBarrier | undefined, signal: AbortSignal): Promise<void>;
  /**
   * Keeps what the copy holds now. Not to be repeated: a second image would be of another moment.
   *
   * @returns bytes of the pool that the image refers to
   * @throws {AppError} when there is no whole image afterwards; the copy goes on in any case
   */
  takeImage(image: SnapshotImage, signal: AbortSignal): Promise<{ readonly bytes: number }>;
  /** Lets the copy go on, which the death of an agent may have left frozen in the middle of an image. */
  thaw(image: Pick<SnapshotImage, 'poolPath' | 'copyUid'>, signal: AbortSignal): Promise<void>;
  /** No error when there is none. */
  eraseImage(image: SnapshotImage, signal: AbortSignal): Promise<void>;
}

/** Where all of a volume is on one node, the images of several volumes can be of one moment. */
export interface GroupSnapshotEngine extends SnapshotEngine {
  /**
   * Keeps what all of these copies hold at one moment: none is written to between the first image and the last. Not to be
   * repeated.
   *
   * @returns bytes of its pool that each image refers to, in the order of the images
   * @throws {AppError} when there is not a whole image of each; then there is none, and the copies go on in any case
   */
  takeImages(images: readonly SnapshotImage[], signal: AbortSignal): Promise<readonly number[]>;
}
