/** Snapshots that a clone took for itself and nobody has removed: whoever made the clone has gone and does not come again. */
import type { Volume } from '../../schemas/volume.ts';
import type { VolumeSnapshotRecord } from '../../schemas/volume-snapshot-record.ts';
import { isNeededBy } from './is-needed.ts';

/** On a snapshot that a clone took for itself: the name of that clone. Nobody else's is ever used, or removed, for one. */
export const MADE_FOR_CLONE_LABEL = 'holdfast.dev/made-for-clone';
/** Between the snapshot and the clone lies nothing but a call that is under way, and none is that for so long (CALL_MS of CSI is 10 min). */
const GRACE_MS = 15 * 60_000;

export interface LeftOverWorld {
  /** All, fresh from the API: of a clone that was deleted and is made again an older look would show the first. */
  readonly volumes: readonly Volume[];
  /** When the snapshot was asked for, in milliseconds since the epoch. */
  readonly askedAt: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * In how many milliseconds a snapshot may be removed, because the clone that it was taken for has no use for it any more: at
 * once where the clone is there, after a time in which it could still be made where it is not.
 *
 * @returns undefined, for one that a clone needs, that is not decided yet, or that was taken for no clone
 */
export function removableInMs(
  { metadata, status }: Pick<VolumeSnapshotRecord, 'metadata' | 'status'>,
  { volumes, askedAt, now }: LeftOverWorld,
): number | undefined {
  const clone = metadata.labels?.[MADE_FOR_CLONE_LABEL];
  const isDecided = status?.phase === 'Ready' || status?.phase === 'Failed';
  if (clone === undefined || !isDecided || volumes.some((volume) => isNeededBy(volume, metadata))) return undefined;
  const isThere = volumes.some((each) => each.metadata.name === clone && each.metadata.deletionTimestamp === undefined);
  return isThere ? 0 : Math.max(0, askedAt + GRACE_MS - now);
}
