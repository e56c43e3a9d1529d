/** Keys of encrypted volumes in memory. */
import { AppError } from '../domain/errors.ts';
import type { VolumeKeys } from './volume-keys.ts';

export interface FakeVolumeKeys extends VolumeKeys {
  /** By the name of the Secret. */
  readonly keys: Map<string, string>;
}

/** Creates an empty set of keys. */
export function createFakeVolumeKeys(): FakeVolumeKeys {
  const keys = new Map<string, string>();
  return {
    keys,
    read: async (secret, signal) => {
      signal.throwIfAborted();
      const key = keys.get(secret);
      if (key !== undefined) return key;
      throw new AppError('precondition', `there is no Secret ${secret}`, { reason: 'KeyMissing' });
    },
  };
}
