/** What a class and the capabilities of a call ask for together. */
import type { Share } from '../../schemas/volume.ts';
import { AppError } from '../errors.ts';
import { FILE_SYSTEM_TYPES, type FileSystemType } from '../volume/engines.ts';
import { type AskedAccess, assertAccess, kindOf, strangeFileSystem } from './access.ts';
import { type ClaimOf, isOfShare, type ShareField, shareOf } from './class-share.ts';
import type { ClassWish } from './parameter-table.ts';

/** A class whose words fit together. */
export type VolumeWish = Omit<ClassWish, 'fsType' | ShareField> & {
  readonly fsType?: FileSystemType;
  readonly share?: Share;
};

/**
 * The wish for a new volume. Only images of engine local have a file system that is seen: the class says which, or else the
 * capabilities, as the sidecars pass it on.
 *
 * @throws {AppError} invalid, where class and capabilities contradict each other, or no such volume can be used so
 */
export function settleWish(asked: ClassWish, accesses: readonly AskedAccess[], claim: ClaimOf): VolumeWish {
  const { fsType: said, server: _s, sharePath: _p, subDir: _d, onDelete: _o, permissions: _m, ...wish } = asked;
  if (isOfShare(asked)) {
    const settled = { ...wish, engine: 'nfs', share: shareOf(asked, accesses, claim) } as const;
    assertOwnFileSystem('nfs', said);
    for (const access of accesses) assertAccess(access, kindOf(settled));
    return settled;
  }
  const isLocal = wish.engine === 'local';
  if (!isLocal) assertOwnFileSystem('gluster', said);
  const fsType = isLocal ? readType(said ?? accesses.find((each) => each.fsType !== '')?.fsType) : {};
  // With the word of a class for the image, or none: a directory is no device, and is refused as such below.
  const isBlock = isLocal && wish.brick !== 'directory' && accesses.some(({ type }) => type === 'block');
  const settled: VolumeWish = isBlock ? { ...wish, ...fsType, brick: 'block' } : { ...wish, ...fsType };
  for (const access of accesses) assertAccess(access, kindOf(settled));
  return settled;
}

function assertOwnFileSystem(engine: 'gluster' | 'nfs', said = ''): void {
  const fault = strangeFileSystem(engine, said);
  if (fault !== undefined) throw new AppError('invalid', fault, { reason: 'InvalidParameters' });
}

function readType(said: string | undefined): { readonly fsType?: FileSystemType } {
  if (said === undefined) return {};
  const fsType = FILE_SYSTEM_TYPES.find((type) => type === said);
  if (fsType !== undefined) return { fsType };
  throw new AppError('invalid', `engine local has no file system ${JSON.stringify(said.slice(0, 40))}`, {
    reason: 'InvalidParameters',
    hint: `fsType can be ${FILE_SYSTEM_TYPES.join(', ')}`,
  });
}
