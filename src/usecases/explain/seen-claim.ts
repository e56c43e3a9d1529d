/** What a judgement about a claim rests on, and what it comes to. */
import type { Resource } from '../../ports/resource-client.ts';
import type { Stored } from '../volumes/fit-volume.ts';
import type { ClaimExplanation, ClaimReason } from './claim-words.ts';

export type StoredClaim = Resource<'PersistentVolumeClaim'>;
export type StoredClass = Resource<'StorageClass'>;

export interface SeenClaim {
  readonly claim: StoredClaim;
  readonly classes: readonly StoredClass[];
  /** Those of its class suffice. */
  readonly persistentVolumes: readonly Resource<'PersistentVolume'>[];
  /** Those that use it and do not run yet. */
  readonly pods: readonly Resource<'Pod'>[];
  /** The one that was made for it. */
  readonly volume: Resource<'Volume'> | undefined;
  readonly places: Stored;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What a step of the judgement adds to what is known of every claim. */
export type ClaimVerdict = { readonly reason: ClaimReason; readonly message: string } & Partial<
  Pick<ClaimExplanation, 'details' | 'hint' | 'volume'>
>;
