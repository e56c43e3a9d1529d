/**
 * Where a copy lives below its pool. Every path is built here, from the pool's path and a checked UID only, and never
 * used for another copy: that is why `volume create ... force` is safe (whatever a brick directory holds, an earlier
 * try at the same copy left it there).
 */
import { AppError } from '../../domain/errors.ts';
import { isPlainPath } from '../../domain/paths.ts';
import type { BrickKind } from '../../domain/volume/engines.ts';
import type { DesiredCopy } from '../../ports/engine.ts';

/** What identifies a copy on disk. */
export type CopyIdentity = Pick<
  DesiredCopy,
  'copyUid' | 'poolPath' | 'brick' | 'fsType' | 'keySecret' | 'thinProvision'
>;

/** What of a copy a step carries along: never more than is needed to find its paths, and to know its image. */
export function identify(copy: DesiredCopy): CopyIdentity {
  const { copyUid, poolPath, brick, fsType, keySecret, thinProvision } = copy;
  return {
    ...{ copyUid, poolPath, brick },
    ...(fsType === undefined ? {} : { fsType }),
    ...(keySecret === undefined ? {} : { keySecret }),
    ...(thinProvision === undefined ? {} : { thinProvision }),
  };
}

export interface CopyPaths {
  /** Folders from the pool down, outermost first; each must be a real folder, never a symlink. */
  readonly parents: readonly [pool: string, holdfast: string, copies: string];
  /** Everything of the copy is in here, and nothing else. */
  readonly folder: string;
  readonly image: string;
  /** The image while it is being made; never mounted, always safe to delete. */
  readonly newImage: string;
  readonly mountPoint: string;
  /** Where an image is mounted while it is made from a snapshot, or is given its key. */
  readonly cloneMount: string;
  /** Parent of the brick. */
  readonly brickParent: string;
  /** What the volume is served from: a folder, or the image itself where that is a device. */
  readonly brick: string;
}

/** In a copy's folder: whose it is, where an engine writes that down. */
export const OWNER_FILE = 'owner';

/** Names that a copy's folder may hold; anything else in it is not ours, and the copy is not deleted. */
export const OWN_ENTRIES: ReadonlySet<string> = new Set([
  ...['brick.img', 'brick.img.new', 'mnt', 'clone', 'brick'],
  OWNER_FILE,
]);

/** RFC 9562 text form, as Kubernetes writes metadata.uid; mkfs.xfs takes it as the file system's UUID. */
export const UID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * The paths of one copy.
 *
 * An image's brick directory is two levels below the mount point: glusterd creates the last part of a brick path by
 * itself, so with one level it would put an empty brick below an image that is not mounted, in the pool itself.
 *
 * @throws {AppError} invalid, when the UID is no UUID or the pool's path is not a plain absolute one
 */
export function copyPaths(copy: CopyIdentity): CopyPaths {
  if (!UID.test(copy.copyUid)) {
    throw new AppError('invalid', `copy UID ${JSON.stringify(copy.copyUid.slice(0, 60))} is no UUID`, {
      reason: 'InvalidUid',
      hint: 'the UID is metadata.uid of the VolumeCopy; it is not to be written by hand',
    });
  }
  const pool = plainPath(copy.poolPath, 'pool path');
  const holdfast = `${pool}/.holdfast`;
  const copies = `${holdfast}/copies`;
  const folder = `${copies}/${copy.copyUid}`;
  const mountPoint = `${folder}/mnt`;
  const brickParent = copy.brick === 'image' ? `${mountPoint}/data` : folder;
  const image = `${folder}/brick.img`;
  return {
    parents: [pool, holdfast, copies],
    folder,
    image,
    newImage: `${folder}/brick.img.new`,
    mountPoint,
    cloneMount: `${folder}/clone`,
    brickParent,
    brick: copy.brick === 'block' ? image : `${brickParent}/brick`,
  };
}

const KINDS: Readonly<Record<string, BrickKind>> = { 'mnt/data/brick': 'image', 'brick.img': 'block' };

/**
 * The copy that a brick path is of.
 *
 * @throws {AppError} invalid, for a path that {@link copyPaths} does not make
 */
export function parseCopyPath(path: string): CopyIdentity {
  const found = /^(\/.+)\/\.holdfast\/copies\/([^/]+)\/(mnt\/data\/brick|brick|brick\.img)$/.exec(path);
  const [, poolPath = '', copyUid = '', end = ''] = found ?? [];
  const copy = { copyUid, poolPath, brick: KINDS[end] ?? 'directory' } as const;
  if (found !== null && copyPaths(copy).brick === path) return copy;
  throw new AppError('invalid', `${JSON.stringify(path.slice(0, 120))} is not the path of a copy`, {
    reason: 'InvalidPath',
    hint: 'it is status.path of the VolumeCopy; it is not to be written by hand',
  });
}

/** True for a brick path as {@link copyPaths} makes them, in whatever pool. */
export function isCopyPath(path: string): boolean {
  return /\/\.holdfast\/copies\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\/(?:mnt\/data\/)?brick$/.test(path);
}

/**
 * Checks that a path is absolute and plain: no "..", ".", empty parts or control characters.
 *
 * @param what - for the message: "pool path"
 * @throws {AppError} invalid
 */
export function plainPath(path: string, what: string): string {
  if (!isPlainPath(path) || path.length > 1024) {
    throw new AppError('invalid', `${what} ${JSON.stringify(path.slice(0, 80))} is not a plain absolute path`, {
      reason: 'InvalidPath',
      hint: 'write it as /pool/name, without "..", ".", "//" or control characters',
    });
  }
  return path;
}
