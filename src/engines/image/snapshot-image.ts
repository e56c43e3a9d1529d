/**
 * Images of copies by reflink: the file system in the image is frozen for the moment of the reflink, so that it is written
 * out and at rest, and the image mounts without a repair.
 */
import { AppError, messageOf } from '../../domain/errors.ts';
import type { FileInfo, Host } from '../../ports/host.ts';
import type { SnapshotImage } from '../../ports/snapshot-engine.ts';
import { findMount, statAs } from './copy-folder.ts';
import { loopDevicesOf } from './loop-devices.ts';
import { findMapping } from './luks.ts';
import { copyPaths } from './paths.ts';
import { OWN_SNAPSHOT_ENTRIES, type SnapshotPaths, snapshotPaths } from './snapshot-paths.ts';

const SHORT_MS = 20_000;
/**
 * Longest freeze. What is not written out by then would hold up writers for longer than anybody should wait, and a brick's
 * health check (20 s) would take the disk for dead.
 */
export const FREEZE_MS = 8_000;
export const SYNC_MS = 60_000;

/**
 * Takes the image of one copy.
 *
 * Freeze, reflink and thaw are one process of its own, which outlives the agent: only when it is itself killed in the
 * middle is a file system left frozen, and then it is thawed here or, after this agent's death, by {@link thawCopy}.
 */
export async function takeImage(
  host: Host,
  image: SnapshotImage,
  {
    signal,
    keepBeside = async () => undefined,
  }: {
    readonly signal: AbortSignal;
    /** Writes down, before the image is taken, what a clone of it has to know. */
    readonly keepBeside?: (paths: SnapshotPaths) => Promise<void>;
  },
): Promise<{ bytes: number }> {
  const paths = snapshotPaths(image);
  const [, holdfast] = paths.parents;
  const mount = await findMount(host, copyPaths({ ...image, brick: 'image' }));
  if (mount === undefined) throw failed(image, host, 'the image of the copy is not mounted');
  await makeFolder(host, paths);
  if ((await host.files.list(paths.folder)).length > 0) throw failed(image, host, 'it was tried before');
  try {
    await keepBeside(paths);
    // xfs_io splits its commands at blanks and knows no quotes: all names in them are UIDs, from the pool's own folder.
    const copy = `copies/${image.copyUid}`;
    const target = `snapshots/${image.snapshotUid}/${image.copyUid}/brick.img.new`;
    const commands = ['freeze', `open -f ${target}`, `reflink ${copy}/brick.img`, 'file 0', 'thaw'];
    await host.run({
      file: 'xfs_io',
      args: ['-x', '-r', ...commands.flatMap((command) => ['-c', command]), `${copy}/mnt`],
      cwd: holdfast,
      timeoutMs: FREEZE_MS,
    });
    await proveWhole(host, image, paths);
    await finish(host, paths, signal);
  } catch (error) {
    await thawCopy(host, image);
    await eraseImage(host, image);
    throw failed(image, host, messageOf(error), error);
  }
  return { bytes: await usedBytes(host, paths.image) };
}

/**
 * Takes the image of a copy that is a device: what its user has flushed is in it, and of what is being written any part, as
 * after a power cut. The reflink is one moment by itself.
 */
export async function takeBlockImage(
  host: Host,
  image: SnapshotImage,
  signal: AbortSignal,
): Promise<{ bytes: number }> {
  const paths = snapshotPaths(image);
  const copy = copyPaths({ ...image, brick: 'block' });
  await makeFolder(host, paths);
  if ((await host.files.list(paths.folder)).length > 0) throw failed(image, host, 'it was tried before');
  const run = (file: string, ...args: readonly string[]) => host.run({ file, args, timeoutMs: SYNC_MS, signal });
  try {
    // What was written to the device and not flushed is in the kernel's cache of the device yet, and not in the image.
    const mapping = await findMapping(host, image.copyUid);
    if (mapping !== undefined) await run('blockdev', '--flushbufs', mapping);
    for (const { path } of await loopDevicesOf(host, copy.image, signal)) await run('blockdev', '--flushbufs', path);
    await run('cp', '--reflink=always', '--no-target-directory', '--', copy.image, paths.newImage);
    await proveWhole(host, image, paths);
    await finish(host, paths, signal);
  } catch (error) {
    await eraseImage(host, image);
    throw failed(image, host, messageOf(error), error);
  }
  return { bytes: await usedBytes(host, paths.image) };
}

/**
 * Looks at the image that a reflink made: xfs_io goes on after a command that failed, so that it always thaws.
 *
 * @throws {AppError} unavailable
 */
export async function proveWhole(host: Host, image: SnapshotImage, { newImage }: SnapshotPaths): Promise<void> {
  const copy = copyPaths({ ...image, brick: 'image' });
  const [source, made] = [await host.files.stat(copy.image), await host.files.stat(newImage)];
  if (source === undefined || made === undefined || source.sizeBytes !== made.sizeBytes) {
    throw new AppError('unavailable', `the reflink made ${describe(made)} of ${describe(source)}`);
  }
}

function describe(file: FileInfo | undefined): string {
  return file === undefined ? 'nothing' : `${file.sizeBytes} bytes`;
}

/** Gives a whole image its name, safe from a power cut. */
export async function finish(host: Host, paths: SnapshotPaths, signal: AbortSignal): Promise<void> {
  const run = (file: string, args: readonly string[]) => host.run({ file, args, timeoutMs: SYNC_MS, signal });
  await run('sync', ['--', paths.newImage]);
  await run('mv', ['--no-clobber', '--no-target-directory', '--', paths.newImage, paths.image]);
  await run('sync', ['--', paths.folder]);
}

/** Thaws the file system of a copy; no error when it is not frozen, or not mounted. */
export async function thawCopy(host: Host, copy: Pick<SnapshotImage, 'poolPath' | 'copyUid'>): Promise<void> {
  const mount = await findMount(host, copyPaths({ ...copy, brick: 'image' }));
  if (mount === undefined) return;
  // fsfreeze(8) leaves with 1 when it is not frozen (EINVAL), which is what is wanted. Not bound to a signal: it must be done.
  await host.run({ file: 'fsfreeze', args: ['--unfreeze', mount.target], timeoutMs: SHORT_MS, okCodes: [0, 1] });
}

/**
 * Erases an image; what else lies in its folder is not ours, and keeps it.
 *
 * @throws {AppError} precondition, when something else is there
 */
export async function eraseImage(host: Host, image: SnapshotImage): Promise<void> {
  const paths = snapshotPaths(image);
  if (await isReal(host, paths)) {
    const foreign = (await host.files.list(paths.folder)).filter((name) => !OWN_SNAPSHOT_ENTRIES.has(name));
    if (foreign.length > 0) {
      const what = foreign.slice(0, 5).join(', ');
      throw failed(image, host, `not erased: ${paths.folder} holds what Holdfast did not put there (${what})`);
    }
    await host.files.remove(paths.newImage);
    await host.files.remove(paths.image);
    await host.files.remove(paths.clients);
  }
  const [, holdfast, snapshots, snapshot] = paths.parents;
  for (const folder of [paths.folder, snapshot, snapshots, holdfast]) {
    if ((await host.files.stat(folder))?.type !== 'directory') continue;
    // A copy, or the image of another snapshot, may keep or take the parents in this moment: 1 is "not there any more".
    const args = ['--ignore-fail-on-non-empty', '--', folder];
    await host.run({ file: 'rmdir', args, timeoutMs: SHORT_MS, okCodes: [0, 1] });
  }
}

/** Makes the folder of an image; each on the way to it is a real one. @throws {AppError} precondition */
export async function makeFolder(host: Host, paths: SnapshotPaths): Promise<void> {
  await isReal(host, paths);
  await host.files.makeDirectory(paths.folder, { mode: 0o700 });
  // Once more: nobody put a symlink there meanwhile.
  await isReal(host, paths);
}

/** Whether the folder is there, having proven that each on the way is a real one. @throws {AppError} precondition */
async function isReal(host: Host, paths: SnapshotPaths): Promise<boolean> {
  for (const path of [...paths.parents, paths.folder]) {
    if ((await statAs(host, path, 'directory')) === undefined) return false;
  }
  return true;
}

/** Bytes of its pool that a file refers to. */
export async function usedBytes(host: Host, path: string): Promise<number> {
  const { stdout } = await host.run({ file: 'stat', args: ['--format=%b %B', '--', path], timeoutMs: SHORT_MS });
  const [blocks = 0, size = 0] = stdout.trim().split(' ').map(Number);
  return blocks * size;
}

/** The error of an image that was not taken. */
export function failed(image: SnapshotImage, host: Host, why: string, cause?: unknown): AppError {
  return new AppError('precondition', `no image of copy ${image.copyUid} on ${host.name}: ${why}`, {
    reason: 'ImageFailed',
    ...(cause === undefined ? {} : { cause }),
  });
}
