/**
 * The image of a copy that begins with a snapshot: a reflink of the snapshot's image, made into a copy of its own.
 *
 * All is done to `brick.img.new`, which gets its name only when it is whole: a crash anywhere leaves something that the next
 * try throws away. The file system gets the copy's own UUID, which is what tells images apart at the mount; it can only be
 * given to one whose log is clean, so the image is mounted and unmounted first.
 */
import { AppError } from '../../domain/errors.ts';
import { parseVolumeName } from '../../domain/names.ts';
import type { Host } from '../../ports/host.ts';
import { keptClientNumbers, renameMark } from './client-numbers.ts';
import { findFolder, findMount, statAs } from './copy-folder.ts';
import { type CopyIdentity, type CopyPaths, copyPaths } from './paths.ts';
import { snapshotPaths } from './snapshot-paths.ts';
import type { CopyStep } from './steps.ts';

const SHORT_MS = 20_000;
/** Unsharing takes nothing, reserving and the replay of a log take their time on a slow disk. */
const LONG_MS = 300_000;
const ROOT_MARK = 'trusted.glusterfs.volume-id';

type CloneStep = Extract<CopyStep, { step: 'cloneImage' }>;

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
  { copy, volume, source, imageBytes }: CloneStep,
  { making, signal }: { readonly making: ImageMaking; readonly signal: AbortSignal },
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
  await inside(host, paths, async (brick) => {
    await removeAttribute(host, brick, ROOT_MARK);
    const numbers = await keptClientNumbers(host, snapshot);
    await renameMarks(host, brick, (name) => renameMark(name, parseVolumeName(volume), numbers));
  });
  await run('xfs_admin', ['-U', copy.copyUid, paths.newImage]);
  await run('sync', ['--', paths.newImage]);
  await run('mv', ['--no-clobber', '--no-target-directory', '--', paths.newImage, paths.image]);
  await run('sync', ['--', paths.folder]);
}

/** Throws away what a try that was cut short has left of a clone. */
export async function discardClone(host: Host, copy: CopyIdentity): Promise<void> {
  const paths = copyPaths(copy);
  if (!(await findFolder(host, paths))) return;
  await unmountClone(host, paths);
  await host.files.remove(paths.newImage);
}

/** Mounts the new image for as long as `act` takes. Beside its source, which has the same UUID and may be mounted. */
async function inside(host: Host, paths: CopyPaths, act: (brick: string) => Promise<void>): Promise<void> {
  await host.files.makeDirectory(paths.cloneMount, { mode: 0o700 });
  await host.mounts.mount({
    source: paths.newImage,
    target: paths.cloneMount,
    fsType: 'xfs',
    options: ['loop', 'noatime', 'nouuid', 'nodev', 'nosuid', 'noexec'],
    timeoutMs: LONG_MS,
  });
  try {
    const brick = `${paths.cloneMount}${paths.brick.slice(paths.mountPoint.length)}`;
    if ((await statAs(host, brick, 'directory')) === undefined) throw missing(host, brick);
    await act(brick);
  } finally {
    await unmountClone(host, paths);
  }
}

async function unmountClone(host: Host, paths: CopyPaths): Promise<void> {
  const mounted = await findMount(host, { ...paths, mountPoint: paths.cloneMount });
  if (mounted !== undefined) await host.mounts.unmount(mounted.target, { timeoutMs: LONG_MS });
  await statAs(host, paths.cloneMount, 'directory');
  await host.files.remove(paths.cloneMount);
}

/**
 * GlusterFS notes on a copy what another one lacks, in attributes that have the volume's name in them (trusted.afr.gv0-client-2);
 * it lists the entries with such notes in an index. Under the name of the source the clone would not see them, and could read
 * from the copy that lacks something. There are few: none is pending when a snapshot begins.
 */
async function renameMarks(host: Host, brick: string, newNameOf: (name: string) => string | undefined): Promise<void> {
  const ids = await host.files.list(`${brick}/.glusterfs/indices/xattrop`);
  for (const id of ids.filter((name) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(name))) {
    const entry = await findEntry(host, brick, id);
    if (entry === undefined) continue;
    const marks = await readMarks(host, entry);
    // All old ones before any new one: where the clone has the name of its source, one's new name may be another's old one.
    for (const [name] of marks) if (newNameOf(name) !== name) await removeAttribute(host, entry, name);
    for (const [name, value] of marks) {
      const renamed = newNameOf(name);
      if (renamed === undefined || renamed === name) continue;
      const args = ['--no-dereference', `--name=${renamed}`, `--value=${value}`, '--', entry];
      await host.run({ file: 'setfattr', args, timeoutMs: SHORT_MS });
    }
  }
}

/** The object of an ID: GlusterFS keeps a hard link to each file, and a symlink to each folder, under it. */
async function findEntry(host: Host, brick: string, id: string): Promise<string | undefined> {
  const handle = `${brick}/.glusterfs/${id.slice(0, 2)}/${id.slice(2, 4)}/${id}`;
  const seen = await host.files.stat(handle);
  if (seen?.type !== 'symlink') return seen === undefined ? undefined : handle;
  const { stdout } = await host.run({ file: 'realpath', args: ['--', handle], timeoutMs: SHORT_MS, okCodes: [0, 1] });
  const target = stdout.trimEnd();
  // A user's own symlink may lead anywhere: then the symlink itself is the object.
  const isFolder =
    (target === brick || target.startsWith(`${brick}/`)) && (await host.files.stat(target))?.type === 'directory';
  return isFolder ? target : handle;
}

async function readMarks(host: Host, entry: string): Promise<readonly (readonly [name: string, value: string])[]> {
  const { stdout } = await host.run({
    file: 'getfattr',
    args: [
      '--absolute-names',
      '--no-dereference',
      '--dump',
      '--match=^trusted[.]afr[.]',
      '--encoding=hex',
      '--',
      entry,
    ],
    timeoutMs: SHORT_MS,
  });
  return stdout.split('\n').flatMap((line) => {
    const match = /^(trusted\.afr\.[^=]+)=(0x[0-9a-f]+)$/.exec(line);
    return match?.[1] === undefined || match[2] === undefined ? [] : [[match[1], match[2]] as const];
  });
}

async function removeAttribute(host: Host, path: string, name: string): Promise<void> {
  // 1: it has none, which is what is wanted.
  const args = ['--no-dereference', `--remove=${name}`, '--', path];
  await host.run({ file: 'setfattr', args, timeoutMs: SHORT_MS, okCodes: [0, 1] });
}

function missing(host: Host, path: string): AppError {
  return new AppError('precondition', `the image of the snapshot is not on ${host.name}: ${path} is missing`, {
    reason: 'SnapshotMissing',
    hint: 'delete this volume and clone another snapshot',
  });
}
