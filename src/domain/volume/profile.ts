/** What a volume can be used for, in words; which options follow from it is the engine's business. */
import type { VolumeProfile, VolumeSpec } from '../../schemas/volume.ts';
import { shardBytes } from './layout-faults.ts';

/** A profile, or the engine's defaults. */
export type ProfileName = VolumeProfile | 'none';

/** Each profile with what it is good for, for help texts and lists. */
export const PROFILES: Readonly<Record<ProfileName, string>> = {
  database: 'one program writes and does its own caching: direct I/O reaches the copies',
  shared: 'several nodes read and write the same files: each look at one asks the copies',
  'large-files': 'files of many gigabytes, kept in pieces; only from the creation of a volume on',
  none: "the engine's defaults",
};

/** The names, in the order in which they are told. */
export const PROFILE_NAMES = Object.keys(PROFILES) as readonly ProfileName[];

/** The profile of a volume. */
export function profileOf(spec: Pick<VolumeSpec, 'profile'>): ProfileName {
  return spec.profile ?? 'none';
}

/** Size of the pieces that files are cut into: as the spec says, else as its profile does. Undefined for whole files. */
export function pieceBytes(spec: Pick<VolumeSpec, 'shard' | 'profile'>): number | undefined {
  return shardBytes(spec.shard ?? spec.profile === 'large-files');
}
