/** What becomes of a snapshot that is one of a group: it follows the group, which is Ready or not as a whole. */
import type { VolumeGroupSnapshotRecord } from '../../schemas/volume-group-snapshot-record.ts';
import type { VolumeSnapshotRecordStatus } from '../../schemas/volume-snapshot-record.ts';

/** The group as it is stored; undefined when there is none of that UID. */
export type SeenGroup = Pick<VolumeGroupSnapshotRecord, 'metadata' | 'status'> | undefined;

/** While its group is there and not being deleted, a snapshot of it stays: the others alone are not what was asked for. */
export function isHeldByGroup(group: SeenGroup): boolean {
  return group !== undefined && group.metadata.deletionTimestamp === undefined;
}

/** Why a snapshot of this group is of no use; undefined when it is, or can come to be. */
export function groupFailure(group: SeenGroup): string | undefined {
  if (group === undefined) return 'the group that it was one of is gone';
  const { phase, message = 'no reason was given' } = group.status ?? {};
  if (phase === 'Failed') return `group ${group.metadata.name} failed: ${message}`;
  return isHeldByGroup(group) ? undefined : `group ${group.metadata.name} is being deleted`;
}

/** The next status of one that waits for the images of its group; empty while they are not all taken. */
export function followGroup(group: SeenGroup, own: VolumeSnapshotRecordStatus): VolumeSnapshotRecordStatus {
  const failure = groupFailure(group);
  if (failure !== undefined) return { phase: 'Failed', message: failure };
  const isTaken = Object.values(own.copies ?? {}).every(({ state }) => state === 'Taken');
  if (group?.status?.phase !== 'Ready' || !isTaken) return {};
  const { takenAt } = group.status;
  const message = `taken with the others of group ${group.metadata.name}`;
  return { phase: 'Ready', message, ...(takenAt === undefined ? {} : { takenAt }) };
}
