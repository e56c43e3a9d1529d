/** How large an image must be for the size that was asked for. */
import { KIB, MIB } from '../../domain/bytes.ts';

/** mkfs.xfs 6.1 refuses less: "Filesystem must be larger than 300MB". */
const MIN_IMAGE_BYTES = 300 * MIB;
/**
 * What an empty XFS (log, allocation groups, their reserves) takes from an image, measured with mkfs.xfs 6.1 and
 * reflink=0 as image size minus available bytes: 80 MiB of 300 MiB, 97 of 1 GiB, 198 of 100 GiB, 1.6 GiB of 1 TiB,
 * 10.2 GiB of 8 TiB. A fixed part and two thousandths lie above all of them.
 */
const XFS_FIXED_BYTES = 112 * MIB;
const XFS_SHARE = 0.002;
/** GlusterFS keeps storage.reserve (1 %) of a brick back, so that it can still write its own marks when it is full. */
const GLUSTER_RESERVE_SHARE = 0.01;

/** Smallest usable size of a copy: what the smallest image holds, rounded down. */
export const MIN_COPY_BYTES = 128 * MIB;

/**
 * Size of the image whose volume offers at least `sizeBytes` to its users (what df shows as available when empty).
 *
 * @returns whole MiB, at least the smallest XFS
 */
export function imageBytes(sizeBytes: number): number {
  const withReserve = sizeBytes / (1 - GLUSTER_RESERVE_SHARE);
  const wanted = (withReserve + XFS_FIXED_BYTES) / (1 - XFS_SHARE);
  return Math.max(MIN_IMAGE_BYTES, Math.ceil(wanted / MIB) * MIB);
}

/** The GlusterFS documentation's rule for arbiter bricks: 4 KiB for each file; one file per 64 KiB of data is many. */
const ARBITER_BYTES_PER_FILE = 4 * KIB;
const DATA_BYTES_PER_FILE = 64 * KIB;

/** Size of an arbiter copy (names and attributes of all files, no data) for a volume of `sizeBytes`. */
export function arbiterSizeBytes(sizeBytes: number): number {
  const wanted = Math.ceil(sizeBytes / DATA_BYTES_PER_FILE) * ARBITER_BYTES_PER_FILE;
  return Math.max(MIN_COPY_BYTES, Math.ceil(wanted / MIB) * MIB);
}
