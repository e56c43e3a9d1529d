/** Images of encrypted copies: made with their encrypted folder, and mounted only with their key. */
import { AppError } from '../../domain/errors.ts';
import type { Host } from '../../ports/host.ts';
import { allowEncryption, type FolderEncryption, makeEncrypted } from './encrypted-folder.ts';
import { mountOptionsOf } from './file-systems.ts';
import { withDiscardingDevice } from './loop-devices.ts';
import { mountAside, UNUSED } from './mount-aside.ts';
import type { CopyIdentity, CopyPaths } from './paths.ts';

/** ext4 replays its log at the mount after a power loss. */
const MOUNT_MS = 120_000;

interface EncryptedImage extends FolderEncryption {
  readonly copy: CopyIdentity;
  readonly paths: CopyPaths;
  readonly signal: AbortSignal;
}

/**
 * Makes the encrypted folder in the new image of a copy; nothing for one that is not to be encrypted. An image with its final
 * name has it, so whatever is written there later is encrypted.
 */
export async function encryptImage({ host, keys, copy, paths, signal }: EncryptedImage): Promise<void> {
  const { keySecret } = copy;
  if (keySecret === undefined) return;
  await allowEncryption(host, paths.newImage, signal);
  const aside = { copy, paths, image: paths.newImage, options: UNUSED, signal };
  const make = (mountPoint: string) => {
    const folder = `${mountPoint}${paths.brick.slice(paths.mountPoint.length)}`;
    return makeEncrypted({ host, keys }, { mountPoint, folder, keySecret, signal });
  };
  await mountAside({ host, keys }, aside, make, true);
}

/**
 * Invariant: at its mount point an encrypted image is only ever seen with its key. Without it, files could still be deleted, and
 * who looks would find names that mean nothing. So it gets its key elsewhere, and is bound to its place then.
 */
export async function mountUnlocked({ host, keys, copy, paths, signal }: EncryptedImage): Promise<void> {
  const options = mountOptionsOf(copy);
  const bind = (source: string) =>
    host.mounts.mount({ source, target: paths.mountPoint, options: ['bind'], timeoutMs: MOUNT_MS, signal });
  const aside = { copy, paths, image: paths.image, options, signal };
  if (copy.thinProvision !== true) return mountAside({ host, keys }, aside, bind);
  await withDiscardingDevice(host, paths.image, signal, (loop) => mountAside({ host, keys }, { ...aside, loop }, bind));
}

/** The failure where the encrypted folder is not there any more: one that is made now would not be encrypted. */
export function folderIsGone(host: Host, { brick }: CopyPaths): AppError {
  return new AppError('dataLoss', `the encrypted folder ${brick} on ${host.name} is gone`, {
    reason: 'NotEncrypted',
    hint: 'replace the copy, or clone a snapshot',
  });
}
