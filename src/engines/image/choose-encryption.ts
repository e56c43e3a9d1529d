/** Which kind of encryption a new image gets: the best that its node has. An image that is there has what its header says. */

import { AppError } from '../../domain/errors.ts';
import { neededAbilities } from '../../domain/volume/abilities.ts';
import type { ObservedCopy } from '../../ports/engine.ts';
import type { Host } from '../../ports/host.ts';
import { hasFscrypt, hasLuks } from './abilities.ts';
import { hasLuksHeader } from './luks.ts';
import type { CopyIdentity, CopyPaths } from './paths.ts';

/** 'fscrypt': a folder of ext4 in the image. 'luks': all of the image. 'none': it is in the clear. */
export type EncryptionKind = 'none' | 'fscrypt' | 'luks';

/**
 * Chooses for a new copy, before anything of it is made.
 *
 * @throws {AppError} unsupported, where the node can do none that goes with the copy
 */
export async function chooseEncryption(host: Host, copy: CopyIdentity, signal: AbortSignal): Promise<EncryptionKind> {
  if (copy.keySecret === undefined) return 'none';
  if (await hasLuks(host, signal)) return 'luks';
  const [need] = neededAbilities({ ...copy, encryption: true }).slice(-1);
  const mayBeFolder = need?.includes('fscrypt') === true;
  if (mayBeFolder && (await hasFscrypt(host))) return 'fscrypt';
  const what = mayBeFolder
    ? 'neither LUKS nor fscrypt of ext4'
    : 'no LUKS, and nothing else encrypts this kind of copy';
  throw new AppError('unsupported', `the kernel of ${host.name} cannot encrypt the copy: it has ${what}`, {
    reason: 'EncryptionUnsupported',
    hint: 'install cryptsetup where the kernel has dm-crypt, as those of Debian have, or use another node',
  });
}

/** What an image that is there was encrypted with. */
export async function seeEncryption(
  host: Host,
  { keySecret }: CopyIdentity,
  image: CopyPaths['image'],
): Promise<EncryptionKind> {
  if (keySecret === undefined) return 'none';
  return (await hasLuksHeader(host, image)) ? 'luks' : 'fscrypt';
}

/** The same of a copy that is ready, as it is reported; nothing of one in the clear. */
export async function seeReadyEncryption(
  host: Host,
  copy: CopyIdentity,
  image: CopyPaths['image'],
): Promise<Pick<ObservedCopy, 'encryption'>> {
  const kind = await seeEncryption(host, copy, image);
  if (kind === 'none') return {};
  return { encryption: kind === 'luks' ? 'luks2' : 'fscrypt' };
}
