/** Local volumes mounted on this node, each as a bind of its copy: what is there, mount and unmount. */
import { AppError, isAppError } from '../../domain/errors.ts';
import type { DesiredAttachment, ObservedAttachment } from '../../ports/engine.ts';
import type { Host, MountEntry } from '../../ports/host.ts';
import { loopDevicesOf } from '../image/loop-devices.ts';
import { copyOfMapping, nameOfMapping } from '../image/luks.ts';
import { plainPath } from '../image/paths.ts';
import { lookAtMount } from '../mount/look-at-mount.ts';
import type { LocalMountStep } from './steps.ts';

const LOOK_MS = 5_000;
const MOUNT_MS = 20_000;
/** What the root of an image's own mount leads to; see copyPaths. */
const IMAGE_ROOT = '/data/brick';
const COPY =
  /\/\.holdfast\/copies\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/(?:mnt\/data\/brick|brick|brick\.img)$/;
/** A device that is bound to a path is a node of the file system of devices. */
const DEVICE = /^\/(loop\d+|dm-\d+|mapper\/.+)$/;
const LOOP = /^loop\d+$/;
const IMAGE = /\/\.holdfast\/copies\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/brick\.img$/;

export interface ObservedLocalAttachment extends ObservedAttachment {
  /** Flags of the mount as the kernel has them; only with 'mounted'. */
  readonly flags?: readonly string[];
  /** Only with 'absent', of what is to go: its device is there yet. */
  readonly isAttached?: boolean;
}

/** True for the path of a copy that is used as a device. */
export function isBlockPath(copyPath: string): boolean {
  return IMAGE.test(copyPath);
}

/** Observes a mount. */
export async function observeLocalAttachment(
  host: Host,
  { mountPath, copyPath, isPresent }: Pick<DesiredAttachment, 'mountPath' | 'copyPath' | 'isPresent'>,
  signal: AbortSignal,
): Promise<ObservedLocalAttachment> {
  const entry = await findEntry(host, plainPath(mountPath, 'mount path'));
  if (entry === undefined) {
    if (isPresent || copyPath === undefined || !isBlockPath(copyPath))
      return { subject: 'attachment', state: 'absent' };
    const isAttached = (await loopDevicesOf(host, copyPath, signal)).length > 0;
    return { subject: 'attachment', state: 'absent', isAttached };
  }
  const seen = await copyBehind(host, entry);
  const wanted = copyPath === undefined ? undefined : uidOf(copyPath);
  // Of a volume that is gone nobody says any more where its copy was; what is mounted there by the record goes.
  const isOurs = seen !== undefined && (seen === wanted || (wanted === undefined && !isPresent));
  if (!isOurs) {
    const message = `${entry.source} (${entry.fsType}) is mounted at ${mountPath} on ${host.name}; it is left alone`;
    return { subject: 'attachment', state: 'foreign', message };
  }
  const silence = await lookAtMount(host, 'inode', { mountPath, timeoutMs: LOOK_MS, signal });
  if (silence === undefined) {
    return { subject: 'attachment', state: 'mounted', isAnswering: true, flags: entry.options };
  }
  const message = `the file system at ${mountPath} on ${host.name} does not answer: ${silence.message}`;
  if (silence.isFailed) return { subject: 'attachment', state: 'dead', message };
  return { subject: 'attachment', state: 'mounted', isAnswering: false, flags: entry.options, message };
}

/** Binds the copy; no error when it is bound there already. */
export async function bindCopy(
  host: Host,
  step: Extract<LocalMountStep, { step: 'bindCopy' }>,
  signal: AbortSignal,
): Promise<void> {
  const mountPath = plainPath(step.mountPath, 'mount path');
  const source = await proveServed(host, step);
  const entry = await findEntry(host, mountPath);
  if (entry !== undefined && (await copyBehind(host, entry)) === uidOf(source)) return;
  await host.files.makeDirectory(mountPath);
  const options = ['bind', ...step.flags];
  await host.mounts.mount({ source, target: mountPath, options, timeoutMs: MOUNT_MS, signal });
}

/** Gives a mount its flags: one that was made without them, or before they were asked for. */
export async function setFlags(
  host: Host,
  { mountPath, copyPath, flags }: Extract<LocalMountStep, { step: 'setFlags' }>,
  signal: AbortSignal,
): Promise<void> {
  const entry = await findEntry(host, plainPath(mountPath, 'mount path'));
  if (entry === undefined || (await copyBehind(host, entry)) !== uidOf(copyPath)) return;
  const options = ['remount', 'bind', ...flags];
  await host.mounts.mount({ source: copyPath, target: mountPath, options, timeoutMs: MOUNT_MS, signal });
}

/** Unmounts a copy; whatever else is mounted at the path stays. */
export async function unbindCopy(
  host: Host,
  { mountPath, copyPath, isLazy }: Extract<LocalMountStep, { step: 'unbindCopy' }>,
): Promise<void> {
  const entry = await findEntry(host, plainPath(mountPath, 'mount path'));
  const seen = entry && (await copyBehind(host, entry));
  if (entry === undefined || seen === undefined) return;
  if (copyPath !== undefined && seen !== uidOf(copyPath)) return;
  await host.mounts.unmount(entry.target, { lazy: isLazy, timeoutMs: MOUNT_MS });
}

/**
 * The copy's folder, having proven that it is not the plain folder below an image that is not mounted.
 *
 * @throws {AppError} unavailable, while it is not there
 */
async function proveServed(
  host: Host,
  { volume, copyPath }: { readonly volume: string; readonly copyPath: string },
): Promise<string> {
  const path = plainPath(copyPath, 'copy path');
  const seen = await host.files.stat(path);
  const folder = path.replace(/\/(?:mnt\/data\/)?brick$/, '');
  const around = await host.files.stat(folder);
  const isImage = path.endsWith(`/mnt${IMAGE_ROOT}`);
  const isMounted = !isImage || seen?.deviceId !== around?.deviceId;
  if (COPY.test(path) && seen?.type === 'directory' && isMounted) return path;
  throw new AppError('unavailable', `the copy of ${volume} at ${path} on ${host.name} is not mounted`, {
    reason: 'CopyNotServed',
    hint: `its node mounts it as soon as it can; see: holdfast explain volume ${volume}`,
  });
}

/** What is mounted at the path: the last one, for it hides the others. */
export async function findEntry(host: Host, mountPath: string): Promise<MountEntry | undefined> {
  return (await host.mounts.list()).findLast((entry) => entry.target === mountPath);
}

const DEVICE_FILE_SYSTEMS: ReadonlySet<string> = new Set(['devtmpfs', 'tmpfs']);

/** UID of the copy that a mount shows; undefined when it shows none. */
export async function copyBehind(host: Host, entry: MountEntry): Promise<string | undefined> {
  const { source, fsType, root = '/' } = entry;
  if (root === IMAGE_ROOT) return copyOfDevice(host, source.replace('/dev/', ''));
  const device = DEVICE_FILE_SYSTEMS.has(fsType) ? DEVICE.exec(root)?.[1] : undefined;
  return device === undefined ? COPY.exec(root)?.[1] : copyOfDevice(host, device);
}

/** UID of the copy whose image a device is of: loop3, dm-0, mapper/NAME. */
async function copyOfDevice(host: Host, device: string): Promise<string | undefined> {
  if (device.startsWith('mapper/')) return copyOfMapping(device.slice('mapper/'.length));
  if (device.startsWith('dm-')) return copyOfMapping((await nameOfMapping(host, device)) ?? '');
  if (!LOOP.test(device)) return undefined;
  try {
    const file = await host.files.readText(`/sys/block/${device}/loop/backing_file`);
    return IMAGE.exec(file.trim())?.[1];
  } catch (error) {
    if (isAppError(error, 'notFound')) return undefined;
    throw error;
  }
}

/** @throws {AppError} invalid, for a path that no copy has */
export function uidOf(copyPath: string): string {
  const uid = COPY.exec(copyPath)?.[1];
  if (uid !== undefined) return uid;
  throw new AppError('invalid', `${JSON.stringify(copyPath.slice(0, 120))} is not the path of a copy`, {
    reason: 'InvalidPath',
    hint: 'it is status.path of the VolumeCopy; it is not to be written by hand',
  });
}
