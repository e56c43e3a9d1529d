/** How large a copy is: the bytes wanted in it, and the bytes that it takes from its pool. */
import { MIB, parseQuantity } from '../bytes.ts';
import type { CopyRole } from '../placement/model.ts';

/** Names and attributes only: GlusterFS keeps an empty file per file, so a sixteenth is ample for files of 64 KiB and more. */
const ARBITER_SHARE = 16;
/** XFS of xfsprogs 6.1 is not made smaller than 300 MiB; half a GiB holds about 100,000 names. */
const ARBITER_MIN_BYTES = 512 * MIB;

/**
 * What XFS takes of an image for itself. Measured with xfsprogs 6.1, reflink on: 64 MiB of log (1/2048 from 128 GiB
 * on) and, once mounted, 32 MiB and 0.7 % of tables and reserve.
 */
const IMAGE_OVERHEAD_BYTES = 96 * MIB;
const IMAGE_OVERHEAD_SHARE = 0.01;

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
  return sizeBytes + IMAGE_OVERHEAD_BYTES + Math.ceil(sizeBytes * IMAGE_OVERHEAD_SHARE);
}
