/** What copies have taken of a pool whose free space is looked at. Pure. */
import { poolBytesOf } from '../volume/copy-size.ts';

/** What of a copy decides about it. */
export interface TakingCopy {
  readonly spec: {
    readonly brick: 'image' | 'directory' | 'block';
    readonly sizeBytes: number;
    readonly fsType?: 'xfs' | 'ext4' | 'btrfs' | undefined;
    readonly keySecret?: string | undefined;
    readonly thinProvision?: boolean | undefined;
    readonly source?: unknown;
  };
  /** Usable bytes that it was seen to have. */
  readonly status?: { readonly sizeBytes?: number | undefined } | undefined;
}

/**
 * Bytes of its pool that a copy whose image is whole has taken for sure.
 *
 * Invariant: placement promises free space less what copies will still take, which is their whole sizes less this. So this is
 * never more than what free space was seen without, or the room that a thin copy gives back would be promised to others while
 * the copy may still write it again.
 *
 * @param seenBytes - of a thin copy, what its image took before the look at the free space, and after; none where not seen
 */
export function surelyTaken({ spec, status }: TakingCopy, seenBytes: readonly (number | undefined)[]): number {
  // One that is to grow has taken only what it was seen to have.
  const wholeBytes = poolBytesOf(spec, Math.min(spec.sizeBytes, status?.sizeBytes ?? spec.sizeBytes));
  if (spec.thinProvision !== true) return wholeBytes;
  // A clone begins with blocks that its source is counted for.
  if (spec.source !== undefined) return 0;
  return Math.min(wholeBytes, ...seenBytes.map((bytes = 0) => bytes));
}
