/** Puts a snapshot in the place of what a volume holds: what to do is `domain/volume/decide-restore.ts`, here it is seen and done. */
import { isAppError } from '../../domain/errors.ts';
import { placeRestore, restoredSnapshotFault, restoreFaults } from '../../domain/snapshot/restore-placement.ts';
import { asksForRestore, type SafetySnapshot, type SeenRestore } from '../../domain/volume/decide-restore.ts';
import type { VolumeDecision } from '../../domain/volume/decide-volume.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { VolumeCopy } from '../../schemas/volume-copy.ts';
import type { ControllerDeps } from '../deps.ts';

type StoredVolume = Resource<'Volume'>;
type StoredSnapshot = Resource<'VolumeSnapshotRecord'>;

/** On a snapshot: the safety snapshot of the restoration that it was used for. */
const RESTORED_ANNOTATION = 'holdfast.dev/restored-before';

/** All of it asked of the API: a mount or a deletion that the cache has not heard of yet must not be overlooked. */
export interface RestoreLook {
  readonly snapshots: readonly StoredSnapshot[];
  readonly volumes: readonly StoredVolume[];
  readonly copies: readonly VolumeCopy[];
  readonly attachments: readonly Resource<'VolumeAttachmentRecord'>[];
}

/** True for a volume about whose restoration there is something to decide. */
export function isAskedToRestore({ metadata, spec, status }: StoredVolume): boolean {
  if (metadata.deletionTimestamp !== undefined || status?.placement === undefined) return false;
  return asksForRestore(spec.restoreFrom, status);
}

/** What its decision rests on. */
export function seeRestore(
  { informers, random }: Pick<ControllerDeps, 'informers' | 'random'>,
  volume: StoredVolume,
  { snapshots, volumes, copies, attachments }: RestoreLook,
): SeenRestore {
  const { name, uid } = volume.metadata;
  const { restore } = volume.status ?? {};
  const isSettled = restore === undefined || ['Waiting', 'Done', 'Failed'].includes(restore.phase);
  const wish = isSettled ? (volume.spec.restoreFrom ?? restore) : restore;
  const find = (each: string | undefined) => snapshots.find(({ metadata }) => metadata.name === each);
  const snapshot = find(wish?.snapshot);
  const safety = find(wish?.safetySnapshot);
  const world = { nodes: informers.StorageNode.list(), volumes, copies, snapshots };
  return {
    wish: volume.spec.restoreFrom,
    faults: () => restoreFaults(volume, world).map(({ message }) => message),
    // Never the name of another copy, also of one that is gone: what was reported of that must not pass for this one's.
    place: () => placeRestore(volume, snapshot, world, () => `${name}-${uid.slice(0, 8)}-${random.uuid().slice(0, 8)}`),
    snapshotFault: restoredSnapshotFault(volume, snapshot, wish?.snapshotUid ?? ''),
    safety: safety === undefined ? undefined : describeSafety(safety, uid),
    attachedOn: attachments.map((record) => record.spec.node),
    isFrozen: snapshots.some((each) => each.spec.volumeUid === uid && each.status?.phase === 'Freezing'),
  };
}

function describeSafety({ metadata, spec, status }: StoredSnapshot, volumeUid: string): SafetySnapshot {
  return {
    isUsable: spec.volumeUid === volumeUid && metadata.deletionTimestamp === undefined,
    phase: status?.phase ?? 'Pending',
    message: status?.message ?? 'nobody has looked at it yet',
  };
}

/**
 * Writes to the snapshot, before it is stored that it is counted on. Whoever decided before that it may be erased then finds
 * another version of it than he saw, and looks again who needs it.
 *
 * @throws {AppError} conflict, when it has changed since it was seen
 */
export async function holdSnapshot(
  { client }: Pick<ControllerDeps, 'client'>,
  { status }: StoredVolume,
  { snapshots, signal }: Pick<RestoreLook, 'snapshots'> & { readonly signal: AbortSignal },
): Promise<void> {
  const { snapshot, safetySnapshot = '' } = status?.restore ?? {};
  const seen = snapshots.find(({ metadata }) => metadata.name === snapshot);
  if (seen === undefined) return;
  const { name, uid, resourceVersion } = seen.metadata;
  const annotations = { [RESTORED_ANNOTATION]: safetySnapshot };
  await client.patch('VolumeSnapshotRecord', name, { metadata: { annotations } }, { uid, resourceVersion, signal });
}

/** Asks for the snapshot of the present state. */
export async function takeSafetySnapshot(
  { client }: Pick<ControllerDeps, 'client'>,
  { metadata }: StoredVolume,
  { takeSnapshot: name }: Pick<VolumeDecision, 'takeSnapshot'>,
  signal: AbortSignal,
): Promise<void> {
  if (name === undefined) return;
  const record = {
    apiVersion: 'holdfast.dev/v1alpha1',
    kind: 'VolumeSnapshotRecord',
    metadata: { name, labels: { 'holdfast.dev/volume': metadata.name } },
    spec: { volume: metadata.name, volumeUid: metadata.uid },
  } as const;
  try {
    await client.create('VolumeSnapshotRecord', record, { signal });
  } catch (error) {
    // By the pass before, or by somebody else since nobody can mount the volume any more: either is looked at next.
    if (!isAppError(error, 'exists')) throw error;
  }
}
