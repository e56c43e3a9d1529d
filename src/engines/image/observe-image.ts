/** What is there of the image of a copy. Looks only. */
import { headerBytesOf, usableBytes } from '../../domain/volume/copy-size.ts';
import type { DesiredCopy, ObservedCopy } from '../../ports/engine.ts';
import type { Host } from '../../ports/host.ts';
import { findMount, statAs } from './copy-folder.ts';
import { fileSystemOf, measureFileSystem } from './file-systems.ts';
import { type CopyPaths, copyPaths } from './paths.ts';

/** What is seen of an image, beside what every engine reports of a copy. */
export interface SeenImage {
  /** A whole image of this copy is there. */
  readonly hasImage?: boolean;
  /** Size of the image's file. */
  readonly imageBytes?: number;
  /** What the file system in it fills; only where it was asked, see DesiredCopy.seenSizeBytes. */
  readonly fileSystemBytes?: number;
  /** The copy's image is mounted. */
  readonly isMounted?: boolean;
}

/** Looks at the image and its mount. */
export async function seeImage(host: Host, paths: CopyPaths): Promise<SeenImage> {
  const image = await statAs(host, paths.image, 'file');
  const isMounted = (await findMount(host, paths)) !== undefined;
  return { hasImage: image !== undefined, isMounted, ...(image === undefined ? {} : { imageBytes: image.sizeBytes }) };
}

/** A folder has no size of its own; an image is as large as its file system, which is asked only when it may have changed. */
export async function seeSize(
  host: Host,
  desired: DesiredCopy,
  { imageBytes = 0, signal }: { readonly imageBytes?: number | undefined; readonly signal: AbortSignal },
): Promise<SeenImage & Pick<ObservedCopy, 'sizeBytes'>> {
  const { sizeBytes } = desired;
  if (desired.brick === 'directory') return { sizeBytes };
  if (desired.seenSizeBytes === sizeBytes)
    return { sizeBytes: Math.min(sizeBytes, usableBytes(imageBytes, desired.fsType)) };
  const paths = copyPaths(desired);
  const fileSystem = fileSystemOf(desired);
  const device = (await findMount(host, paths))?.source ?? '';
  const fileSystemBytes = await measureFileSystem(host, fileSystem, { device, mountPoint: paths.mountPoint, signal });
  const usable = usableBytes(Math.min(imageBytes, fileSystemBytes + unfilledBytes(desired)), desired.fsType);
  return { fileSystemBytes, sizeBytes: Math.min(sizeBytes, usable) };
}

/** The image, or the file system in it, is smaller than is wanted: the latter where a growth was cut short in between. */
export function isTooSmall(desired: DesiredCopy, observed: SeenImage, wanted: number): boolean {
  const { imageBytes: had = wanted, fileSystemBytes = had } = observed;
  return had < wanted || fileSystemBytes < wanted - unfilledBytes(desired);
}

/** What of an image its file system may leave out: at its end, and for the header of one that is encrypted. */
function unfilledBytes(desired: DesiredCopy): number {
  return fileSystemOf(desired).tailBytes + headerBytesOf(desired);
}
