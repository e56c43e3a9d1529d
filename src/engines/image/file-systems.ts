/** The file systems that an image can hold, and how each is made, checked, grown and told apart. */
import { AppError } from '../../domain/errors.ts';
import type { FileSystemType } from '../../domain/volume/engines.ts';
import type { Host } from '../../ports/host.ts';
import type { CopyIdentity } from './paths.ts';

type Argv = readonly [program: string, ...args: string[]];

const SHORT_MS = 20_000;

export interface FileSystem {
  readonly type: FileSystemType;
  /** What it may leave unused at the end of its device. */
  readonly tailBytes: number;
  /** Discards nothing, so that reserved space stays so, and gives the file system the copy's UID as its UUID. */
  format(image: string, uuid: string): Argv;
  readonly mountOptions: readonly string[];
  /** In their place, of an image that is to give back what is deleted. */
  readonly thinMountOptions: readonly string[];
  /** Beside those that every clone has, for one whose source has the same UUID and may be mounted. */
  readonly cloneMountOptions: readonly string[];
  /**
   * Brings an image that was not unmounted cleanly into order, which no mount may be using. Undefined where the mount itself
   * does that (the log of XFS).
   */
  readonly check?: {
    /** Does little where it was unmounted cleanly. */
    readonly quick: (image: string) => Argv;
    readonly thorough: (image: string) => Argv;
    readonly okCodes: readonly number[];
  };
  /** Fills an image that no mount uses, after a thorough check; left out where only a mounted one can be grown. */
  readonly fill?: (image: string) => Argv;
  /** Fills the device, while it is mounted; no error when it does already. */
  grow(device: string, mountPoint: string): Argv;
  setUuid(image: string, uuid: string): Argv;
  /** The kernel tells file systems apart by their UUID: a clone may not be mounted before it has its own. */
  readonly isToldByUuid?: boolean;
  /** Prints how large it is, as it counts itself; mounted, where {@link FileSystem.fill} is left out. */
  measure(device: string, mountPoint: string): Argv;
  /** Without `count`, the size is in bytes. */
  readonly measured: { readonly size: RegExp; readonly count?: RegExp };
}

const XFS: FileSystem = {
  type: 'xfs',
  // The end of its device is unused where that is no whole allocation group: less than 64 blocks of 4 KiB.
  tailBytes: 256 * 1024,
  // Without reflink: XFS keeps 0.6 % more of the space back for it, and snapshots are made of the whole image.
  format: (image, uuid) => ['mkfs.xfs', '-q', '-K', '-m', `uuid=${uuid},reflink=0`, '-L', 'hf-copy', '--', image],
  // No nouuid: XFS then refuses an image that is mounted already, which is the one thing that would destroy it.
  mountOptions: ['inode64'],
  thinMountOptions: ['inode64', 'discard'],
  cloneMountOptions: ['nouuid'],
  // Says "data size unchanged" when it fills its device already.
  grow: (_device, mountPoint) => ['xfs_growfs', '-d', '--', mountPoint],
  setUuid: (image, uuid) => ['xfs_admin', '-U', uuid, image],
  // -n: prints, and changes nothing.
  measure: (_device, mountPoint) => ['xfs_growfs', '-n', '--', mountPoint],
  measured: { size: /^data\s+=\s+bsize=(\d+)\s+blocks=\d+/m, count: /^data\s+=\s+bsize=\d+\s+blocks=(\d+)/m },
};

/**
 * In as many bytes as XFS takes for itself: no blocks for root alone (-m 0), an inode for 64 KiB, a journal of 64 MiB at
 * most. With the checksum seed kept apart (metadata_csum_seed), so that a clone gets another UUID at once.
 */
const EXT4: FileSystem = {
  type: 'ext4',
  // The last group is left out where little more than its own tables would fit.
  tailBytes: 4 * 1024 * 1024,
  format: (image, uuid) => [
    ...([
      'mkfs.ext4',
      '-q',
      '-F',
      '-b',
      '4096',
      '-m',
      '0',
      '-i',
      '65536',
      '-J',
      'size=32',
      '-e',
      'remount-ro',
    ] as const),
    ...['-O', 'metadata_csum_seed', '-E', 'nodiscard,lazy_itable_init=0', '-U', uuid, '-L', 'hf-copy', '--', image],
  ],
  mountOptions: [],
  thinMountOptions: ['discard'],
  cloneMountOptions: [],
  // e2fsck(8) -p: 1 is "errors corrected", 4 and more that it needs a person.
  check: {
    quick: (image) => ['e2fsck', '-p', '--', image],
    thorough: (image) => ['e2fsck', '-p', '-f', '--', image],
    okCodes: [0, 1],
  },
  fill: (image) => ['resize2fs', image],
  grow: (device) => ['resize2fs', device],
  setUuid: (image, uuid) => ['tune2fs', '-U', uuid, image],
  measure: (device) => ['dumpe2fs', '-h', device],
  measured: { size: /^Block size:\s+(\d+)$/m, count: /^Block count:\s+(\d+)$/m },
};

/**
 * It writes nothing in place, so what a crash leaves is whole, and its small log is replayed by the mount: no check before
 * that, as none of btrfs-progs is advised to repair anything by itself. Never `-f`: whatever else is in the image is refused.
 */
const BTRFS: FileSystem = {
  type: 'btrfs',
  // Whole sectors.
  tailBytes: 4096,
  // DUP: what it says about files is there twice, on a disk that lies.
  format: (image, uuid) => [
    ...(['mkfs.btrfs', '-q', '-K', '-m', 'dup', '-d', 'single', '-U', uuid, '-L', 'hf-copy', '--', image] as const),
  ],
  // It discards by itself else, and with that gives back what the image has reserved.
  mountOptions: ['nodiscard'],
  // Not with each commit, which would wait for it.
  thinMountOptions: ['discard=async'],
  cloneMountOptions: ['nodiscard'],
  grow: (_device, mountPoint) => ['btrfs', 'filesystem', 'resize', 'max', mountPoint],
  // -f: it asks otherwise.
  setUuid: (image, uuid) => ['btrfstune', '-f', '-U', uuid, image],
  isToldByUuid: true,
  measure: (_device, mountPoint) => ['btrfs', 'filesystem', 'usage', '-b', mountPoint],
  measured: { size: /^\s+Device size:\s+(\d+)$/m },
};

const FILE_SYSTEMS: Readonly<Record<FileSystemType, FileSystem>> = { xfs: XFS, ext4: EXT4, btrfs: BTRFS };

/** The file system of a copy's image. */
export function fileSystemOf({ fsType = 'xfs' }: { readonly fsType?: FileSystemType | undefined }): FileSystem {
  return FILE_SYSTEMS[fsType];
}

/** Options of the mount of a copy's image, beside those that all have. */
export function mountOptionsOf(copy: Pick<CopyIdentity, 'fsType' | 'thinProvision'>): readonly string[] {
  const { mountOptions, thinMountOptions } = fileSystemOf(copy);
  return copy.thinProvision === true ? thinMountOptions : mountOptions;
}

/** Size of a file system as it counts itself. */
export async function measureFileSystem(
  host: Host,
  fileSystem: FileSystem,
  {
    device,
    mountPoint,
    signal,
  }: { readonly device: string; readonly mountPoint: string; readonly signal: AbortSignal },
): Promise<number> {
  const [file, ...args] = fileSystem.measure(device, mountPoint);
  const { stdout } = await host.run({ file, args, timeoutMs: SHORT_MS, signal });
  const { size, count } = fileSystem.measured;
  const bytes = Number(size.exec(stdout)?.[1]) * (count === undefined ? 1 : Number(count.exec(stdout)?.[1]));
  if (Number.isSafeInteger(bytes)) return bytes;
  throw new AppError('internal', `${file} on ${host.name} does not say how large ${mountPoint} is`, {
    reason: 'UnknownSize',
    hint: `compare with what it prints: ${file} ${args.join(' ')}`,
  });
}
