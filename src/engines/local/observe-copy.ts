/** What is there of one local copy on this node. Looks only. */
import { isAppError, messageOf } from '../../domain/errors.ts';
import { headerBytesOf } from '../../domain/volume/copy-size.ts';
import type { DesiredCopy, ObservedCopy } from '../../ports/engine.ts';
import type { Host } from '../../ports/host.ts';
import { seeReadyEncryption } from '../image/choose-encryption.ts';
import { findFolder, findMount, foreignEntries, hasEmptyParents, statAs } from '../image/copy-folder.ts';
import { loopDevicesOf } from '../image/loop-devices.ts';
import { findMapping } from '../image/luks.ts';
import { type SeenImage, seeImage, seeSize } from '../image/observe-image.ts';
import { type CopyPaths, copyPaths } from '../image/paths.ts';

/** Of the kernel, whatever the device says. */
const SECTOR_BYTES = 512;

/** What the local engine sees of a copy, beside what every engine reports. */
export interface ObservedLocalCopy extends ObservedCopy, SeenImage {
  /** Its file system has shut itself down, or turned read-only, after an error; it may come back when mounted anew. */
  readonly isShutDown?: boolean;
  /** Of a device: it is attached; only where it was asked. */
  readonly isAttached?: boolean;
}

/**
 * Observes a copy. What cannot be read is 'broken', with the reason.
 *
 * @throws {AppError} precondition, when the pool is missing or the way to the copy leads over a symlink
 */
export async function observeLocalCopy(
  host: Host,
  desired: DesiredCopy,
  signal: AbortSignal,
): Promise<ObservedLocalCopy> {
  const paths = copyPaths(desired);
  const seen = (state: ObservedLocalCopy['state'], more: Partial<ObservedLocalCopy> = {}): ObservedLocalCopy => ({
    subject: 'copy',
    state,
    brickPath: paths.brick,
    ...more,
  });
  if (!(await findFolder(host, paths))) {
    // A removal that was cut short at its very end leaves the folders that copies share.
    return seen(!desired.isPresent && (await hasEmptyParents(host, paths)) ? 'partial' : 'absent');
  }
  const image = desired.brick === 'directory' ? {} : await seeImage(host, paths);
  const foreign = await foreignEntries(host, paths);
  if (foreign.length > 0) {
    const message = `${paths.folder} on ${host.name} holds what Holdfast did not put there: ${foreign.slice(0, 5).join(', ')}`;
    return seen('broken', { message, ...image });
  }
  if (!isThere(desired, image)) return seen('partial', image);
  const kind = await seeReadyEncryption(host, desired, paths.image);
  if (desired.brick === 'block') return seen('ready', { ...(await seeDevice(host, desired, image, signal)), ...kind });
  const fault = desired.brick === 'image' ? await findFault(host, paths) : undefined;
  if (fault !== undefined) return seen('broken', { ...image, isShutDown: true, message: fault });
  if ((await statAs(host, paths.brick, 'directory')) === undefined) return seen('partial', image);
  const size = await seeSize(host, desired, { imageBytes: image.imageBytes, signal });
  return seen('ready', { ...image, ...size, ...kind });
}

/** What the copy is kept in can be looked at: an image is mounted, and one that is a device is whole. */
function isThere({ brick }: DesiredCopy, { hasImage, isMounted }: SeenImage): boolean {
  if (brick === 'directory') return true;
  return brick === 'block' ? hasImage === true : isMounted === true;
}

/** The size of an image that is used as a device; the device itself is asked only when that matters. */
async function seeDevice(
  host: Host,
  desired: DesiredCopy,
  image: SeenImage,
  signal: AbortSignal,
): Promise<Partial<ObservedLocalCopy>> {
  const { imageBytes = 0 } = image;
  const headerBytes = headerBytesOf(desired);
  if (desired.isPresent && desired.seenSizeBytes === desired.sizeBytes) {
    return { ...image, sizeBytes: Math.min(desired.sizeBytes, imageBytes - headerBytes) };
  }
  const devices = await loopDevicesOf(host, copyPaths(desired).image, signal);
  const sizes = await Promise.all(devices.map(({ path }) => sizeOf(host, path)));
  const mapping = headerBytes === 0 ? undefined : await findMapping(host, desired.copyUid);
  if (mapping !== undefined) sizes.push((await sizeOf(host, mapping)) + headerBytes);
  const filled = Math.min(imageBytes, ...sizes);
  const sizeBytes = Math.min(desired.sizeBytes, filled - headerBytes);
  return { ...image, fileSystemBytes: filled, sizeBytes, isAttached: devices.length > 0 };
}

/** Bytes that a device of the kernel has. */
async function sizeOf(host: Host, device: string): Promise<number> {
  return Number(await host.files.readText(`/sys/block/${device.slice('/dev/'.length)}/size`)) * SECTOR_BYTES;
}

/** Why the mounted file system of a copy is of no use; undefined when it is. */
export async function findFault(host: Host, paths: CopyPaths): Promise<string | undefined> {
  try {
    await host.files.stat(paths.brick);
  } catch (error) {
    // One that met an error answers EIO to everything until it is mounted anew.
    if (!isAppError(error, 'unavailable')) throw error;
    return `the file system of the copy has shut down: ${messageOf(error)}`;
  }
  const mounted = await findMount(host, paths);
  // The mount itself was never asked to be read-only: the kernel made the file system so.
  if (mounted?.options.includes('ro') !== true) return undefined;
  return 'the file system of the copy has turned read-only after an error; it is checked and mounted anew when nobody uses it';
}
