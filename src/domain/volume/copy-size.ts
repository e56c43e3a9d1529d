/** How large a copy is: the bytes wanted in it, and the bytes that it takes from its pool. */
import { formatQuantity, MIB, parseQuantity } from '../bytes.ts';
import { AppError } from '../errors.ts';
import type { CopyRole } from '../placement/model.ts';

/** Names and attributes only: GlusterFS keeps an empty file per file, so a sixteenth is ample for files of 64 KiB and more. */
const ARBITER_SHARE = 16;
/** XFS of xfsprogs 6.1 is not made smaller than 300 MiB; half a GiB holds about 100,000 names. */
const ARBITER_MIN_BYTES = 512 * MIB;

/**
 * What an image takes beyond the wish: XFS's log and tables (measured with xfsprogs 6.1: 112 MiB and 0.2 % lie above
 * them from 300 MiB to 8 TiB) and the 1 % that GlusterFS holds back (storage.reserve). A little more than the engine
 * makes, never less (test/contract/copy-size.test.ts).
 */
const IMAGE_OVERHEAD_BYTES = 116 * MIB;
const IMAGE_OVERHEAD_SHARE = 0.0125;
/** mkfs.xfs refuses less. */
const IMAGE_MIN_BYTES = 300 * MIB;

/** Smallest volume: what the smallest image holds, rounded down. */
export const MIN_VOLUME_BYTES = 128 * MIB;

/** Usable bytes of each role's copies of a volume, as the controller writes them into VolumeCopy specs. */
export function copySizes(spec: { readonly size: string }): Readonly<Record<CopyRole, number>> {
  const sizeBytes = parseQuantity(spec.size);
  return { data: sizeBytes, arbiter: arbiterSizeBytes(sizeBytes) };
}

/** Bytes wanted in an arbiter's copy of a volume; never more than in a data copy. */
export function arbiterSizeBytes(sizeBytes: number): number {
  return Math.min(sizeBytes, Math.max(ARBITER_MIN_BYTES, Math.ceil(sizeBytes / ARBITER_SHARE)));
}

/** Bytes that a copy of `sizeBytes` usable bytes takes from its pool: of an image, the size of the image file. */
export function poolBytesOf(brick: 'image' | 'directory', sizeBytes: number): number {
  if (brick === 'directory') return sizeBytes;
  return Math.max(IMAGE_MIN_BYTES, sizeBytes + IMAGE_OVERHEAD_BYTES + Math.ceil(sizeBytes * IMAGE_OVERHEAD_SHARE));
}

/**
 * Reads the size of a new volume.
 *
 * @throws {AppError} invalid, when the text is no size; range, when no volume can be that small or large
 */
export function parseVolumeSize(text: string): number {
  const sizeBytes = parseQuantity(text);
  if (sizeBytes < MIN_VOLUME_BYTES) {
    throw new AppError(
      'range',
      `a volume of ${text} is too small: the smallest is ${formatQuantity(MIN_VOLUME_BYTES)}`,
      {
        hint: 'write a number and a unit, for example 10Gi or 500Mi',
      },
    );
  }
  return sizeBytes;
}
