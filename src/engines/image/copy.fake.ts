/** A copy on a fake node's disk, as the fakes of all engines keep it. */

import { AppError } from '../../domain/errors.ts';
import type { BrickKind } from '../../domain/volume/engines.ts';
import type { ObservedCopy, Step } from '../../ports/engine.ts';
import type { VolumeKeys } from '../../ports/volume-keys.ts';
import type { CopyIdentity } from './paths.ts';

/** One copy as it lies in a pool: it survives power off, its mount does not. */
export interface FakeCopy {
  readonly uid: string;
  readonly poolPath: string;
  readonly brickPath: string;
  readonly brick: BrickKind;
  /** Size of the image, which its file system fills; 0 of a folder. */
  reservedBytes: number;
  /** Of a thin one, which reserves nothing: what is in it, as far as it was not discarded. */
  writtenBytes?: number;
  hasImage: boolean;
  isMounted: boolean;
  hasBrick: boolean;
  isShutDown: boolean;
  /** What its image is encrypted with; undefined where it is not. */
  key?: string;
}

/** What a copy takes of its pool. */
export function bytesOnDisk({ reservedBytes, writtenBytes = reservedBytes }: FakeCopy): number {
  return writtenBytes;
}

/** What the fakes of all engines do about keys, around the effect of a step: an image is only mounted with the one it was made with. */
export async function applyWithKey(
  copies: ReadonlyMap<string, FakeCopy>,
  { step, keys, signal }: { readonly step: FakeKeyStep; readonly keys: VolumeKeys; readonly signal: AbortSignal },
  act: () => void,
): Promise<void> {
  const { keySecret, copyUid = '' } = step.copy ?? {};
  const isMaking = step.step === 'makeImage' || step.step === 'cloneImage';
  if (keySecret === undefined || (!isMaking && step.step !== 'mountImage')) return act();
  const key = await keys.read(keySecret, signal);
  const had = copies.get(copyUid)?.key;
  if (had !== undefined && had !== key) {
    throw new AppError('precondition', `the key in Secret ${keySecret} is another`, { reason: 'WrongKey' });
  }
  act();
  const copy = copies.get(copyUid);
  if (copy !== undefined) copy.key = key;
}

type FakeKeyStep = Step & { readonly copy?: Pick<CopyIdentity, 'copyUid' | 'keySecret'> };

/** As an image shows it on a host without dm-crypt. */
export function fakeEncryption({ keySecret }: Pick<CopyIdentity, 'keySecret'>): Pick<ObservedCopy, 'encryption'> {
  return keySecret === undefined ? {} : { encryption: 'fscrypt' };
}
