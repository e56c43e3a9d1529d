/** Images that are encrypted as a whole: made, cloned and mounted through a mapping, which is there only as long as it is used. */
import { AppError } from '../../domain/errors.ts';
import { LUKS_HEADER_BYTES } from '../../domain/volume/copy-size.ts';
import { fileSystemOf, mountOptionsOf } from './file-systems.ts';
import { bringIntoOrder } from './image-order.ts';
import { closeLuks, formatLuks, type LuksImage, type LuksTools, mappingPath, openLuks } from './luks.ts';
import type { CopyIdentity, CopyPaths } from './paths.ts';
import { proveContents } from './prove-image.ts';

/** Formatting is metadata only, but a slow disk with a full journal takes its time. */
const FORMAT_MS = 300_000;
/** The file system replays its log at the mount after a power loss. */
const MOUNT_MS = 120_000;

export interface EncryptedDevice extends LuksTools {
  readonly copy: CopyIdentity;
  readonly paths: CopyPaths;
  readonly signal: AbortSignal;
}

/** Encrypts the new image of a copy, and formats what is to have a file system. */
export async function makeEncryptedDevice(scope: EncryptedDevice): Promise<void> {
  const { host, copy, paths, signal } = scope;
  await formatLuks(scope, luksImage(scope, paths.newImage));
  // A device is for its user to format. What it begins with is no zeros: what was never written decrypts to noise.
  if (copy.brick === 'block') return;
  await withMapping(scope, paths.newImage, async (device) => {
    const [file, ...args] = fileSystemOf(copy).format(device, copy.copyUid);
    await host.run({ file, args, timeoutMs: FORMAT_MS, signal });
  });
}

/** Opens an image for as long as `act` takes. */
export async function withMapping(
  scope: EncryptedDevice,
  image: string,
  act: (device: string) => Promise<void>,
): Promise<void> {
  const { host, copy } = scope;
  await openLuks(scope, luksImage(scope, image));
  try {
    await act(mappingPath(copy.copyUid));
  } catch (error) {
    await closeLuks(host, copy.copyUid, true);
    throw error;
  }
  await closeLuks(host, copy.copyUid);
}

/** Mounts the image of a copy at its place, and closes it again where that does not come about. */
export async function mountEncryptedDevice(scope: EncryptedDevice): Promise<void> {
  const { host, copy, paths, signal } = scope;
  const fileSystem = fileSystemOf(copy);
  await openLuks(scope, luksImage(scope, paths.image));
  try {
    const device = mappingPath(copy.copyUid);
    await proveContents(host, { path: device, type: fileSystem.type, uuid: copy.copyUid, signal });
    const sizeBytes = ((await host.files.stat(paths.image))?.sizeBytes ?? 0) - LUKS_HEADER_BYTES;
    await bringIntoOrder(host, { fileSystem, image: device, sizeBytes, signal });
    const options = ['noatime', ...mountOptionsOf(copy)];
    const { type: fsType } = fileSystem;
    await host.mounts.mount({ source: device, target: paths.mountPoint, fsType, options, timeoutMs: MOUNT_MS, signal });
  } catch (error) {
    await closeLuks(host, copy.copyUid, true);
    throw error;
  }
}

/** What of a copy its header is asked with. @throws {AppError} internal, for one without a key */
export function luksImage({ copy, signal }: Pick<EncryptedDevice, 'copy' | 'signal'>, image: string): LuksImage {
  const { copyUid, keySecret, thinProvision } = copy;
  if (keySecret !== undefined) return { copyUid, image, keySecret, thinProvision, signal };
  throw new AppError('internal', `copy ${copyUid} has no key, and its image is encrypted`, { reason: 'KeyMissing' });
}
