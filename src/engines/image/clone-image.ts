/**
 * The image of a copy that begins with a snapshot: a reflink of the snapshot's image, made into a copy of its own.
 *
 * All is done to `brick.img.new`, which gets its name only when it is whole: a crash anywhere leaves something that the next
 * try throws away. The file system gets the copy's own UUID, which is what tells images apart at the mount; it can only be
 * given to one whose log is clean, so the image is mounted and unmounted first; btrfs alone has none in such an image, and may not
 * be mounted with the UUID of another.
 */
import { AppError } from '../../domain/errors.ts';
import type { DesiredCopy } from '../../ports/engine.ts';
import type { Host } from '../../ports/host.ts';
import type { VolumeKeys } from '../../ports/volume-keys.ts';
import { seeEncryption } from './choose-encryption.ts';
import { findFolder, statAs } from './copy-folder.ts';
import { luksImage, withMapping } from './encrypted-device.ts';
import { fileSystemOf } from './file-systems.ts';
import { detachLeftBehind } from './loop-devices.ts';
import { closeLuks, renameLuks } from './luks.ts';
import { mountAside, UNUSED, unmountAside } from './mount-aside.ts';
import { type CopyIdentity, type CopyPaths, copyPaths } from './paths.ts';
import { type SnapshotPaths, snapshotPaths } from './snapshot-paths.ts';

/** Unsharing takes nothing, reserving and the replay of a log take their time on a slow disk. */
const LONG_MS = 300_000;

/** A copy that begins with the image of a snapshot in its pool. */
export interface CloneRequest {
  readonly copy: CopyIdentity;
  readonly source: NonNullable<DesiredCopy['source']>;
  /** Size of the new image; it is never smaller than the snapshot's. */
  readonly imageBytes: number;
}

/** Takes out of the data what ties it to the volume of the snapshot. */
export type Rework = (brick: string, snapshot: SnapshotPaths) => Promise<void>;

/** What {@link cloneImage} borrows from the making of any image. */
export interface ImageMaking {
  /** Makes the copy's folder, having proven that nothing leads away. */
  makeFolder(paths: CopyPaths): Promise<void>;
  /** Reserves the space of the new image, of what it does not have yet. @throws {AppError} capacity PoolFull */
  reserve(paths: CopyPaths, imageBytes: number): Promise<void>;
}

/** @throws {AppError} precondition SnapshotMissing; capacity, when the pool has no room for the whole image */
export async function cloneImage(
  host: Host,
  { copy, source, imageBytes }: CloneRequest,
  {
    making,
    rework = async () => undefined,
    keys,
    signal,
  }: {
    readonly making: ImageMaking;
    readonly rework?: Rework | undefined;
    readonly keys: VolumeKeys;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const paths = copyPaths(copy);
  await making.makeFolder(paths);
  if ((await statAs(host, paths.image, 'file')) !== undefined) return;
  await discardClone(host, copy);
  const snapshot = snapshotPaths({ poolPath: copy.poolPath, ...source });
  const from = snapshot.image;
  const found = await statAs(host, from, 'file');
  if (found === undefined) throw missing(host, from);
  const run = (file: string, args: readonly string[]) => host.run({ file, args, timeoutMs: LONG_MS, signal });
  await run('cp', ['--reflink=always', '--no-target-directory', '--', from, paths.newImage]);
  await making.reserve(paths, Math.max(found.sizeBytes, imageBytes));
  const identify = async (device?: string): Promise<void> => {
    const { cloneMountOptions, isToldByUuid = false } = fileSystemOf(copy);
    const options = [...cloneMountOptions, ...UNUSED];
    const [program, ...args] = fileSystemOf(copy).setUuid(device ?? paths.newImage, copy.copyUid);
    // The image was taken from a file system at rest: there is no log to replay first.
    if (isToldByUuid) await run(program, args);
    const aside = { copy, paths, image: paths.newImage, options, signal, ...(device === undefined ? {} : { device }) };
    await mountAside({ host, keys }, aside, async (mountPoint) => {
      const brick = `${mountPoint}${paths.brick.slice(paths.mountPoint.length)}`;
      if ((await statAs(host, brick, 'directory')) === undefined) throw missing(host, brick);
      await rework(brick, snapshot);
    });
    if (!isToldByUuid) await run(program, args);
  };
  const scope = { host, keys, copy, paths, signal };
  const isDevice = (await seeEncryption(host, copy, paths.newImage)) === 'luks';
  if (isDevice) await renameLuks(host, luksImage(scope, paths.newImage));
  if (copy.brick !== 'block' && isDevice) await withMapping(scope, paths.newImage, identify);
  else if (copy.brick !== 'block') await identify();
  await run('sync', ['--', paths.newImage]);
  await run('mv', ['--no-clobber', '--no-target-directory', '--', paths.newImage, paths.image]);
  await run('sync', ['--', paths.folder]);
}

/** Throws away what a try that was cut short has left of a new image. */
export async function discardClone(host: Host, copy: CopyIdentity): Promise<void> {
  const paths = copyPaths(copy);
  if (!(await findFolder(host, paths))) return;
  await unmountAside(host, paths);
  if (copy.keySecret !== undefined) await closeLuks(host, copy.copyUid);
  if (copy.thinProvision === true) await detachLeftBehind(host, paths.newImage);
  await host.files.remove(paths.newImage);
}

function missing(host: Host, path: string): AppError {
  return new AppError('precondition', `the image of the snapshot is not on ${host.name}: ${path} is missing`, {
    reason: 'SnapshotMissing',
    hint: 'delete this volume and clone another snapshot',
  });
}
