/** How large a copy is: the bytes wanted in it, and the bytes that it takes from its pool. */
import { formatQuantity, MIB, parseQuantity } from '../bytes.ts';
import { AppError } from '../errors.ts';
import type { CopyRole } from '../placement/model.ts';
import type { BrickKind, FileSystemType } from './engines.ts';
import { fragmentsOf, type LayoutSpec, setCount } from './replica-sets.ts';

/** Names and attributes only: GlusterFS keeps an empty file per file, so a sixteenth is ample for files of 64 KiB and more. */
const ARBITER_SHARE = 16;
/** XFS of xfsprogs 6.1 is not made smaller than 300 MiB; half a GiB holds about 100,000 names. */
const ARBITER_MIN_BYTES = 512 * MIB;

/** What a file system keeps of its image for itself. */
interface Overhead {
  readonly fixedBytes: number;
  readonly share: number;
  /** A share that stops growing at {@link Overhead.metadataMaxBytes}. */
  readonly metadataShare: number;
  readonly metadataMaxBytes: number;
}

/** How a copy is kept, as far as that decides about sizes. */
export interface KeptAs {
  readonly brick: BrickKind;
  readonly fsType?: FileSystemType | undefined;
  /** It is encrypted: said by a volume. */
  readonly encryption?: boolean | undefined;
  /** It is encrypted: said by a copy. */
  readonly keySecret?: string | undefined;
}

/** mkfs.xfs 6.1 refuses less: "Filesystem must be larger than 300MB". */
const MIN_IMAGE_BYTES = 300 * MIB;
/**
 * What an empty XFS (log, allocation groups, their reserves) takes from an image, measured with mkfs.xfs 6.1 and
 * reflink=0 as image size minus available bytes: 80 MiB of 300 MiB, 97 of 1 GiB, 198 of 100 GiB, 1.6 GiB of 1 TiB,
 * 10.2 GiB of 8 TiB. A fixed part and two thousandths lie above all of them.
 */
const XFS: Overhead = { fixedBytes: 112 * MIB, share: 0.002, metadataShare: 0, metadataMaxBytes: 0 };
/**
 * btrfs sets whole chunks aside for its metadata, twice (DUP), each of a tenth at most, measured with btrfs-progs 6.2 as image
 * size minus what could be written: 81 MiB of 300 MiB, 119 of 1 GiB, 247 of 2.25 GiB, 529 of 5 GiB, 532 of 45 GiB, 2068 of 60
 * GiB and of 500 GiB. Checksums of the data take a thousandth.
 */
const BTRFS: Overhead = { fixedBytes: 64 * MIB, share: 0.004, metadataShare: 0.11, metadataMaxBytes: 2304 * MIB };
/**
 * What LUKS keeps at the beginning of an image; see engines/image/luks.ts. In one with a file system it is taken from what that
 * is counted to keep for itself, of which it needs 14 MiB less at every size that was measured.
 */
export const LUKS_HEADER_BYTES = 2 * MIB;
/** GlusterFS keeps storage.reserve (1 %) of a brick back, so that it can still write its own marks when it is full. */
const GLUSTER_RESERVE_SHARE = 0.01;

/** A loop device has whole sectors, and what is in whole pages is never half reserved. */
const PAGE_BYTES = 4096;

/** Smallest volume, and smallest copy: what the smallest image holds, rounded down. */
export const MIN_VOLUME_BYTES = 128 * MIB;

/**
 * Usable bytes of each role's copies of a volume, as the controller writes them into VolumeCopy specs: each set holds its
 * part of the volume, and each copy of a set all of that, or its fragment of it.
 *
 * GlusterFS spreads files by a hash of their names, not by their size, so one set can be full while others have room;
 * nothing is added for that, since no addition would rule it out. With shard the pieces even it out.
 */
export function copySizes(spec: { readonly size: string } & LayoutSpec): Readonly<Record<CopyRole, number>> {
  const sizeBytes = Math.ceil(parseQuantity(spec.size) / setCount(spec) / (fragmentsOf(spec)?.data ?? 1));
  return { data: sizeBytes, arbiter: arbiterSizeBytes(sizeBytes) };
}

/** Bytes wanted in an arbiter's copy of a volume; never more than in a data copy. */
export function arbiterSizeBytes(sizeBytes: number): number {
  return Math.min(sizeBytes, Math.max(ARBITER_MIN_BYTES, Math.ceil(sizeBytes / ARBITER_SHARE)));
}

/**
 * Bytes that a copy of `sizeBytes` usable bytes takes from its pool: what placement counts, and for an image the size of
 * the file that the engine makes.
 */
export function poolBytesOf(kept: KeptAs, sizeBytes: number): number {
  const { brick, fsType } = kept;
  const headerBytes = headerBytesOf(kept);
  if (brick === 'block') return Math.ceil(sizeBytes / PAGE_BYTES) * PAGE_BYTES + headerBytes;
  if (brick === 'directory') return sizeBytes;
  // The smallest XFS has to find room behind the header.
  return Math.max(MIN_IMAGE_BYTES + ((fsType ?? 'xfs') === 'xfs' ? headerBytes : 0), imageBytes(sizeBytes, fsType));
}

/** The most that is kept at the beginning of a copy's image and cannot be used. */
export function headerBytesOf({ encryption, keySecret }: Omit<KeptAs, 'brick'>): number {
  return encryption === true || keySecret !== undefined ? LUKS_HEADER_BYTES : 0;
}

/** ext4 is made so that it takes what XFS takes. */
function overheadOf(fsType: FileSystemType): Overhead {
  return fsType === 'btrfs' ? BTRFS : XFS;
}

/**
 * Size of the image whose file system offers at least `sizeBytes` to its users (what df shows as available when empty; of
 * btrfs what can be written).
 *
 * @returns whole MiB, at least the smallest XFS
 */
export function imageBytes(sizeBytes: number, fsType: FileSystemType = 'xfs'): number {
  const { fixedBytes, share, metadataShare, metadataMaxBytes } = overheadOf(fsType);
  const withReserve = sizeBytes / (1 - GLUSTER_RESERVE_SHARE) + fixedBytes;
  const image = Math.min(withReserve / (1 - share - metadataShare), (withReserve + metadataMaxBytes) / (1 - share));
  return Math.max(MIN_IMAGE_BYTES, Math.ceil(image / MIB) * MIB);
}

/** The most usable bytes that an image of so many bytes is counted for; the other way round of {@link imageBytes}. */
export function usableBytes(image: number, fsType: FileSystemType = 'xfs'): number {
  const { fixedBytes, share, metadataShare, metadataMaxBytes } = overheadOf(fsType);
  const metadata = Math.min(image * metadataShare, metadataMaxBytes);
  return Math.max(0, Math.floor((image * (1 - share) - metadata - fixedBytes) * (1 - GLUSTER_RESERVE_SHARE)));
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
