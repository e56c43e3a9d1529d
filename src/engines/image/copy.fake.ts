/** A copy on a fake node's disk, as the fakes of all engines keep it. */

/** One copy as it lies in a pool: it survives power off, its mount does not. */
export interface FakeCopy {
  readonly uid: string;
  readonly poolPath: string;
  readonly brickPath: string;
  readonly brick: 'image' | 'directory';
  /** Size of the image, which its file system fills; 0 of a folder. */
  reservedBytes: number;
  hasImage: boolean;
  isMounted: boolean;
  hasBrick: boolean;
  isShutDown: boolean;
}
