/**
 * Images of several copies of one node at one moment: every file system is frozen before the first reflink and thawed after the
 * last, so whoever writes to one of them what rests on a write to another finds both in the images, or only the earlier.
 */
import { AppError, messageOf } from '../../domain/errors.ts';
import type { Host } from '../../ports/host.ts';
import type { SnapshotImage } from '../../ports/snapshot-engine.ts';
import { findMount } from './copy-folder.ts';
import { copyPaths } from './paths.ts';
import {
  eraseImage,
  FREEZE_MS,
  failed,
  finish,
  makeFolder,
  proveWhole,
  SYNC_MS,
  thawCopy,
  usedBytes,
} from './snapshot-image.ts';
import { snapshotPaths } from './snapshot-paths.ts';

/** What xfs_io takes for one word; it splits its commands at blanks, and knows no quotes. */
const ONE_WORD = /^[^\s"'\\]+$/;

/**
 * Takes the images; all of them, or none.
 *
 * Freezes, reflinks and thaws are one process of its own, which outlives the agent, as for a single image. It goes on after a
 * command that failed, so that it always thaws, and says at its end that one did.
 *
 * @returns bytes of its pool that each image refers to
 * @throws {AppError} precondition ImageFailed; then no image is left, and no file system frozen
 */
export async function takeImages(
  host: Host,
  images: readonly SnapshotImage[],
  signal: AbortSignal,
): Promise<readonly number[]> {
  const [first] = images;
  if (first === undefined) return [];
  for (const image of images) await assertTakeable(host, image);
  try {
    for (const image of images) await makeFolder(host, snapshotPaths(image));
    // What is dirty is written out before, so that the freeze is short.
    for (const image of images) await sync(host, image, signal);
    await reflinkAll(host, images);
    for (const image of images) await proveWhole(host, image, snapshotPaths(image));
    for (const image of images) await finish(host, snapshotPaths(image), signal);
    const bytes: number[] = [];
    for (const image of images) bytes.push(await usedBytes(host, snapshotPaths(image).image));
    return bytes;
  } catch (error) {
    // All thaws before the first image is erased: writers wait for these only.
    for (const image of images) await thawCopy(host, image);
    for (const image of images) await eraseImage(host, image);
    throw failed(first, host, `the images of its group were not taken: ${messageOf(error)}`, error);
  }
}

/** Before anything is made: what was tried before is not erased by trying again. */
async function assertTakeable(host: Host, image: SnapshotImage): Promise<void> {
  if (image.isBlock === true) throw failed(image, host, 'it is a device, and has no file system to freeze');
  if ((await findMount(host, copyPaths({ ...image, brick: 'image' }))) === undefined) {
    throw failed(image, host, 'the image of the copy is not mounted');
  }
  const { folder } = snapshotPaths(image);
  if ((await host.files.list(folder)).length > 0) throw failed(image, host, 'it was tried before');
}

async function sync(host: Host, image: SnapshotImage, signal: AbortSignal): Promise<void> {
  const { mountPoint } = copyPaths({ ...image, brick: 'image' });
  await host.run({ file: 'sync', args: ['--file-system', '--', mountPoint], timeoutMs: SYNC_MS, signal });
}

async function reflinkAll(host: Host, images: readonly SnapshotImage[]): Promise<void> {
  const [first] = images;
  if (first === undefined) return;
  const [, home] = snapshotPaths(first).parents;
  // Short names in the folder of the first pool; those of another pool have its path, which may not be one word.
  const name = (path: string): string => {
    const shown = path.startsWith(`${home}/`) ? path.slice(home.length + 1) : path;
    if (ONE_WORD.test(shown)) return shown;
    throw new AppError('precondition', `the path of its pool holds blanks or quotes: ${path}`, {
      hint: 'use volumes of one pool',
    });
  };
  const each = images.map((image) => ({ copy: copyPaths({ ...image, brick: 'image' }), kept: snapshotPaths(image) }));
  const commands = [
    ...each.flatMap((_, at) => [`file ${at}`, 'freeze']),
    ...each.flatMap(({ copy, kept }) => [`open -f ${name(kept.newImage)}`, `reflink ${name(copy.image)}`]),
    ...each.flatMap((_, at) => [`file ${at}`, 'thaw']),
  ];
  await host.run({
    file: 'xfs_io',
    // -C: once, and not for each open file.
    args: ['-x', '-r', ...commands.flatMap((command) => ['-C', command]), ...each.map(({ copy }) => copy.mountPoint)],
    cwd: home,
    timeoutMs: FREEZE_MS,
  });
}
