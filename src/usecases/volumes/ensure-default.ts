/** The share of features that need some storage and say nothing about it: made by the first that asks, used by all. */
import { isAppError } from '../../domain/errors.ts';
import { DEFAULT_STORAGE_CLASS } from '../../domain/volume/persistent-volume.ts';
import type { WaitDeps } from '../waiting/wait-for-object.ts';
import { addStaticVolume, type StaticVolume, type StaticVolumeOptions } from './add-static-volume.ts';

/** Name of the volume, of its PersistentVolume, and of the claim that the PersistentVolume is kept for. */
export const DEFAULT_VOLUME = 'kismatic-default';
/** Namespace of that claim: where a cluster's own features live. */
export const DEFAULT_CLAIM_NAMESPACE = 'kube-system';

/** Kismatic's: one replicated share of 10 GB. */
const REQUEST = {
  name: DEFAULT_VOLUME,
  size: '10Gi',
  // With an arbiter on a third node, as every volume of two copies.
  replicas: 2,
  registration: {
    storageClass: DEFAULT_STORAGE_CLASS,
    accessModes: ['ReadWriteMany'],
    reclaimPolicy: 'Retain',
    claim: { namespace: DEFAULT_CLAIM_NAMESPACE, name: DEFAULT_VOLUME },
  },
} as const;

/**
 * Makes sure of the default share; callers at the same time get the same one, since the API stores a name only once.
 *
 * @throws {AppError} as `addStaticVolume`; exists, when somebody else gave its name to another volume
 */
export async function ensureDefaultVolume(
  deps: WaitDeps,
  options: Omit<StaticVolumeOptions, 'mayExist' | 'isDryRun'> = {},
): Promise<StaticVolume> {
  const reusing = { ...options, mayExist: true };
  try {
    return await addStaticVolume(deps, REQUEST, reusing);
  } catch (error) {
    if (!isAppError(error, 'exists') || error.reason === 'PersistentVolumeExists') throw error;
    // Stored by another caller between our look and our writing, or not ours: the second look tells which.
    return addStaticVolume(deps, REQUEST, reusing);
  }
}
