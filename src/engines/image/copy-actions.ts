/**
 * Makes, mounts and removes copies of a node that are kept in images or plain folders. Each step looks first, so that it can
 * be repeated at any line.
 */
import { describeBytes } from '../../domain/bytes.ts';
import { AppError, messageOf } from '../../domain/errors.ts';
import type { Command, CommandResult, Host } from '../../ports/host.ts';
import { isRunError } from '../../ports/run-error.ts';
import type { VolumeKeys } from '../../ports/volume-keys.ts';
import { chooseEncryption, type EncryptionKind, seeEncryption } from './choose-encryption.ts';
import { type CloneRequest, cloneImage, discardClone, type Rework } from './clone-image.ts';
import { findFolder, findMount, foreignEntries, statAs } from './copy-folder.ts';
import { makeEncryptedDevice, mountEncryptedDevice } from './encrypted-device.ts';
import type { FolderEncryption } from './encrypted-folder.ts';
import { encryptImage, folderIsGone, mountUnlocked } from './encrypted-image.ts';
import { fileSystemOf, mountOptionsOf } from './file-systems.ts';
import { enlarge, growBlock, growImage } from './grow-image.ts';
import { bringIntoOrder, proveFree } from './image-order.ts';
import { createKeyedMutex } from './keyed-mutex.ts';
import { detachLeftBehind, refuseDiscard, withDiscardingDevice } from './loop-devices.ts';
import { closeLuks, headerUuid, isMappingDevice } from './luks.ts';
import { unmountAside } from './mount-aside.ts';
import { type CopyIdentity, type CopyPaths, copyPaths } from './paths.ts';
import { proveContents } from './prove-image.ts';

const SHORT_MS = 20_000;
/** Reserving and formatting is metadata only, but a slow disk with a full journal takes its time. */
const FORMAT_MS = 300_000;
/** XFS replays its log at the mount after a power loss. */
const MOUNT_MS = 120_000;
/** Removing a directory brick visits each of its files. */
const ERASE_MS = 3_600_000;
/** What blkid(8) calls an image that is encrypted as a whole. */
const LUKS_TYPE = 'crypto_LUKS';

/** What an engine does beside what all do with the images and folders of copies. */
export interface CopyCare<C extends CopyIdentity> {
  /** The copy's folder was made. */
  readonly markFolder?: (copy: C, paths: CopyPaths) => Promise<void>;
  /** Throws where the image may not be mounted. */
  readonly beforeMount?: (copy: C, paths: CopyPaths, signal: AbortSignal) => Promise<void>;
  /** Throws where the copy may not be erased. */
  readonly beforeErase?: (copy: C, paths: CopyPaths, signal: AbortSignal) => Promise<void>;
  /** Everything but the copy's folder is gone: its mark can go. */
  readonly unmarkFolder?: (copy: C, paths: CopyPaths) => Promise<void>;
}

export interface CopyActions<C extends CopyIdentity> {
  makeImage(copy: C, imageBytes: number, signal: AbortSignal): Promise<void>;
  cloneImage(
    request: CloneRequest & { readonly copy: C },
    rework: Rework | undefined,
    signal: AbortSignal,
  ): Promise<void>;
  mountImage(copy: C, signal: AbortSignal): Promise<void>;
  makeBrick(copy: C, signal: AbortSignal): Promise<void>;
  growImage(copy: C, imageBytes: number, signal: AbortSignal): Promise<void>;
  unmountImage(copy: C): Promise<void>;
  eraseCopy(copy: C, signal: AbortSignal): Promise<void>;
}

interface Scope<C extends CopyIdentity> {
  readonly host: Host;
  readonly keys: VolumeKeys;
  readonly copy: C;
  readonly paths: CopyPaths;
  readonly care: CopyCare<C>;
  readonly signal: AbortSignal;
}

/** Creates the actions on copies of a host. One per engine and process: folders that copies share are changed by one at a time. */
export function createCopyActions<C extends CopyIdentity>(
  { host, keys }: FolderEncryption,
  care: CopyCare<C> = {},
): CopyActions<C> {
  const scope = (copy: C, signal: AbortSignal): Scope<C> => ({
    host,
    keys,
    copy,
    paths: copyPaths(copy),
    care,
    signal,
  });
  const pools = createKeyedMutex();
  const inPool = (copy: C, act: () => Promise<void>) => pools.run(copy.poolPath, act);
  return {
    makeImage: (copy, imageBytes, signal) => inPool(copy, () => makeImage(scope(copy, signal), imageBytes)),
    cloneImage: (request, rework, signal) => {
      const { copy } = request;
      const making = {
        makeFolder: () => makeFolder(scope(copy, signal)),
        reserve: (_paths: CopyPaths, imageBytes: number) => reserve(scope(copy, signal), imageBytes),
      };
      return inPool(copy, () => cloneImage(host, request, { making, rework, keys, signal }));
    },
    mountImage: (copy, signal) => mountImage(scope(copy, signal)),
    makeBrick: (copy, signal) => inPool(copy, () => makeBrick(scope(copy, signal))),
    growImage: (copy, imageBytes, signal) => inPool(copy, () => grow(scope(copy, signal), imageBytes)),
    unmountImage: async (copy) => {
      await unmountAside(host, copyPaths(copy));
      const mounted = await findMount(host, copyPaths(copy));
      // The loop device goes with the mount: mount(8) marks it autoclear, as cryptsetup(8) does.
      if (mounted !== undefined) await host.mounts.unmount(mounted.target, { timeoutMs: MOUNT_MS });
      if (copy.keySecret !== undefined) await closeLuks(host, copy.copyUid, true);
    },
    eraseCopy: (copy, signal) => inPool(copy, () => eraseCopy(scope(copy, signal))),
  };
}

async function grow<C extends CopyIdentity>(scope: Scope<C>, imageBytes: number): Promise<void> {
  const { host, copy, paths, signal } = scope;
  await findFolder(host, paths);
  if (copy.brick === 'block') return growBlock(scope, paths, { copy, imageBytes, signal });
  await proveMounted(host, paths, copy);
  await growImage(scope, paths, { copy, fileSystem: fileSystemOf(copy), imageBytes, signal });
  await refuseDiscardOf(scope);
}

/** The image gets its final name only when it is whole and on disk, so an image with that name is never formatted. */
async function makeImage<C extends CopyIdentity>(scope: Scope<C>, imageBytes: number): Promise<void> {
  const { host, paths, signal } = scope;
  const kind = await chooseEncryption(host, scope.copy, signal);
  await makeFolder(scope);
  if ((await statAs(host, paths.image, 'file')) !== undefined) return;
  await discardClone(host, scope.copy);
  try {
    await reserve(scope, imageBytes);
    if (kind === 'luks') await makeEncryptedDevice(scope);
    // A device is for its user to format: it begins as zeros.
    else if (scope.copy.brick !== 'block') await format(scope);
    if (kind === 'fscrypt') await encryptImage(scope);
  } catch (error) {
    await discardClone(host, scope.copy);
    await scope.care.unmarkFolder?.(scope.copy, paths);
    await removeEmptyFolders(host, paths);
    throw error;
  }
  const run = (file: string, args: readonly string[]) => host.run({ file, args, timeoutMs: FORMAT_MS, signal });
  await run('sync', ['--', paths.newImage]);
  await run('mv', ['--no-clobber', '--no-target-directory', '--', paths.newImage, paths.image]);
  await run('sync', ['--', paths.folder]);
}

async function makeFolder<C extends CopyIdentity>({ host, copy, paths, care }: Scope<C>): Promise<void> {
  // Before: that nothing leads away. After: that nobody put a symlink there meanwhile.
  await findFolder(host, paths);
  await host.files.makeDirectory(paths.folder, { mode: 0o700 });
  await findFolder(host, paths);
  await care.markFolder?.(copy, paths);
}

async function reserve(
  { host, copy, paths, signal }: Pick<Scope<CopyIdentity>, 'host' | 'copy' | 'paths' | 'signal'>,
  imageBytes: number,
): Promise<void> {
  const [pool] = paths.parents;
  const { freeBytes, capacityBytes } = await host.files.usage(pool);
  const full = (cause?: unknown): AppError =>
    new AppError(
      'capacity',
      `the pool ${pool} on ${host.name} has ${describeBytes(freeBytes)} of ${describeBytes(capacityBytes)} free; ` +
        `the copy needs ${describeBytes(imageBytes)}`,
      { reason: 'PoolFull', hint: 'free space in the pool, make the volume smaller, or add a pool', cause },
    );
  if (freeBytes < imageBytes) throw full();
  try {
    const [file, ...args] = enlarge(copy, paths.newImage, imageBytes);
    await host.run({ file, args, timeoutMs: FORMAT_MS, signal });
  } catch (error) {
    if (isRunError(error, 'exit') && error.stderr.includes('No space left')) throw full(error);
    throw error;
  }
}

/** The file system's UUID is the copy's, so that an image can be told from another one's. */
async function format({ host, copy, paths, signal }: Omit<Scope<CopyIdentity>, 'care'>): Promise<void> {
  const [file, ...args] = fileSystemOf(copy).format(paths.newImage, copy.copyUid);
  await host.run({ file, args, timeoutMs: FORMAT_MS, signal });
}

async function mountImage<C extends CopyIdentity>(scope: Scope<C>): Promise<void> {
  const { host, copy, paths, care, signal } = scope;
  await findFolder(host, paths);
  if ((await findMount(host, paths)) === undefined) {
    const kind = await proveImage(scope);
    await statAs(host, paths.mountPoint, 'directory');
    await host.files.makeDirectory(paths.mountPoint, { mode: 0o700 });
    if (kind !== 'none') await unmountAside(host, paths);
    if (kind === 'luks') await closeLuks(host, copy.copyUid, true);
    if (copy.thinProvision === true) await detachLeftBehind(host, paths.image, signal);
    await care.beforeMount?.(copy, paths, signal);
    if (kind === 'luks') await mountLuks(scope);
    else await mountImageFile(scope, kind);
  }
  await refuseDiscardOf(scope);
}

/** A mapping that an agent has left behind is gone, or still used by whoever keeps it. */
async function mountLuks<C extends CopyIdentity>(scope: Scope<C>): Promise<void> {
  await proveFree(scope.host, scope.paths, scope.signal);
  await mountEncryptedDevice(scope);
}

async function mountImageFile<C extends CopyIdentity>(scope: Scope<C>, kind: EncryptionKind): Promise<void> {
  const { host, copy, paths, signal } = scope;
  const fileSystem = fileSystemOf(copy);
  if (fileSystem.check !== undefined) {
    // XFS and btrfs replay their log, and refuse an image that is mounted already; ext4 does neither by itself.
    await proveFree(host, paths, signal);
    const sizeBytes = (await host.files.stat(paths.image))?.sizeBytes ?? 0;
    await bringIntoOrder(host, { fileSystem, image: paths.image, sizeBytes, signal });
  }
  if (kind === 'fscrypt') await mountUnlocked(scope);
  else await mountPlain(scope);
}

async function mountPlain<C extends CopyIdentity>({ host, copy, paths, signal }: Scope<C>): Promise<void> {
  const mount = (source: string, ...loop: readonly string[]) =>
    host.mounts.mount({
      source,
      target: paths.mountPoint,
      fsType: fileSystemOf(copy).type,
      options: [...loop, 'noatime', ...mountOptionsOf(copy)],
      timeoutMs: MOUNT_MS,
      signal,
    });
  if (copy.thinProvision !== true) return mount(paths.image, 'loop');
  await withDiscardingDevice(host, paths.image, signal, (device) => mount(device));
}

/** What the image is encrypted with. @throws {AppError} dataLoss, when it is not this copy's: it is neither mounted nor formatted */
async function proveImage({ host, copy, paths, signal }: Omit<Scope<CopyIdentity>, 'care'>): Promise<EncryptionKind> {
  const kind = await seeEncryption(host, copy, paths.image);
  const { copyUid } = copy;
  const expected =
    kind === 'luks' ? { type: LUKS_TYPE, uuid: headerUuid(copyUid) } : { type: fileSystemOf(copy).type, uuid: copyUid };
  await proveContents(host, { path: paths.image, ...expected, signal });
  return kind;
}

/** The image's device, for as long as it is mounted. */
async function refuseDiscardOf<C extends CopyIdentity>({ host, copy, paths, signal }: Scope<C>): Promise<void> {
  if (copy.thinProvision === true) return;
  const device = /^\/dev\/loop\d+$/.exec((await findMount(host, paths))?.source ?? '')?.[0];
  if (device !== undefined) await refuseDiscard(host, device, signal);
}

async function makeBrick<C extends CopyIdentity>(scope: Scope<C>): Promise<void> {
  const { host, copy, paths, signal } = scope;
  if (copy.brick === 'directory') await makeFolder(scope);
  else await proveMounted(host, paths, copy);
  const brick = await statAs(host, paths.brick, 'directory');
  const isFolder = copy.keySecret !== undefined && !isMappingDevice((await findMount(host, paths))?.source ?? '');
  if (brick === undefined && isFolder) throw folderIsGone(host, paths);
  await host.files.makeDirectory(paths.brick);
  // On disk before the copy is called ready: a folder that is missing later was not lost to a power cut.
  await host.run({ file: 'sync', args: ['--', paths.brick], timeoutMs: FORMAT_MS, signal });
}

/**
 * The mount table alone does not say it: when something was mounted over the pool, the image's mount is still in it, but
 * its path leads to a plain folder, and a brick made there would have no limit and vanish below the image one day.
 */
async function proveMounted(host: Host, paths: CopyPaths, copy: CopyIdentity): Promise<void> {
  const refuse = (why: string, reason: string, hint: string): AppError =>
    new AppError('precondition', `the image of copy ${copy.copyUid} ${why} on ${host.name}`, { reason, hint });
  if ((await findMount(host, paths)) === undefined) {
    throw refuse('is not mounted', 'ImageNotMounted', 'observe the copy again and plan anew');
  }
  const [around, inside] = await Promise.all([host.files.stat(paths.folder), host.files.stat(paths.mountPoint)]);
  if (around === undefined || inside === undefined || around.deviceId === inside.deviceId) {
    const hint = `see with "findmnt --target ${paths.folder}" what hides it; unmount that, or restart the node`;
    throw refuse(`is mounted, but not to be seen at ${paths.mountPoint}`, 'ImageHidden', hint);
  }
}

async function eraseCopy<C extends CopyIdentity>({ host, copy, paths, care, signal }: Scope<C>): Promise<void> {
  if (!(await findFolder(host, paths))) return removeEmptyFolders(host, paths);
  await proveErasable(host, paths);
  // Of a device it is taken away by whoever detaches that: it may be in use.
  if (copy.keySecret !== undefined && copy.brick === 'image') {
    await unmountAside(host, paths);
    await closeLuks(host, copy.copyUid);
  }
  if (copy.thinProvision === true) await detachLeftBehind(host, paths.image, signal);
  await care.beforeErase?.(copy, paths, signal);
  if (copy.brick === 'directory') {
    const brick = await statAs(host, paths.brick, 'directory');
    if (brick !== undefined) await eraseTree(host, paths.brick, signal);
  } else {
    await statAs(host, paths.mountPoint, 'directory');
    // Refused unless it is empty: what lies below an unmounted mount point is not ours.
    await host.files.remove(paths.mountPoint);
  }
  await discardClone(host, copy);
  await host.files.remove(paths.image);
  await care.unmarkFolder?.(copy, paths);
  await removeEmptyFolders(host, paths);
}

async function proveErasable(host: Host, paths: CopyPaths): Promise<void> {
  const refuse = (why: string, hint: string): AppError =>
    new AppError('precondition', `the copy in ${paths.folder} on ${host.name} is not erased: ${why}`, {
      reason: 'CopyNotErased',
      hint,
    });
  if ((await findMount(host, paths)) !== undefined) throw refuse('its image is mounted', 'unmount it first');
  const foreign = await foreignEntries(host, paths);
  if (foreign.length > 0) {
    const names = foreign.slice(0, 5).join(', ');
    throw refuse(`it holds what Holdfast did not put there (${names})`, 'move those files away');
  }
  await statAs(host, paths.image, 'file');
  await statAs(host, paths.newImage, 'file');
}

/** rm(1) follows no symlink below it and, with --one-file-system, leaves what is mounted in it. */
async function eraseTree(host: Host, path: string, signal: AbortSignal): Promise<void> {
  const args = ['--recursive', '--force', '--one-file-system', '--', path];
  await host.run({ file: 'rm', args, timeoutMs: ERASE_MS, signal });
}

/** The copy's folder, and the folders above it that nothing else is in. */
async function removeEmptyFolders(host: Host, paths: CopyPaths): Promise<void> {
  const [, holdfast, copies] = paths.parents;
  for (const path of [paths.folder, copies, holdfast]) {
    if ((await host.files.stat(path)) === undefined) continue;
    await rmdir((command) => host.run(command), path);
  }
}

async function rmdir(run: (command: Command) => Promise<CommandResult>, path: string): Promise<void> {
  try {
    await run({ file: 'rmdir', args: ['--ignore-fail-on-non-empty', '--', path], timeoutMs: SHORT_MS });
  } catch (error) {
    // Another copy's removal may have taken an empty parent in this moment.
    if (!messageOf(error).includes('No such file')) throw error;
  }
}
