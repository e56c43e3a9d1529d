/** CSI snapshots: the VolumeSnapshotRecords that `holdfast volume snapshot` makes. */
import { nameForCsi, parseCsiId } from '../../domain/csi/names.ts';
import { type Page, type PageRequest, pageOf } from '../../domain/csi/paging.ts';
import { AppError, isAppError } from '../../domain/errors.ts';
import type { Resource } from '../../ports/resource-client.ts';
import { deleteSnapshot as deleteStored, IN_A_GROUP } from '../snapshots/delete-snapshot.ts';
import { takeSnapshot } from '../snapshots/take-snapshot.ts';
import { CALL_MS, type CsiDeps } from './csi-deps.ts';

export interface SeenSnapshot {
  readonly snapshotId: string;
  readonly sourceVolumeId: string;
  readonly sizeBytes: number;
  /** Milliseconds since the epoch: everything acknowledged before is in it. */
  readonly takenAt: number;
  readonly isReady: boolean;
  /** Of one that was taken with others at one moment. */
  readonly groupId?: string;
}

export interface SnapshotRequest {
  readonly name: string;
  readonly sourceVolumeId: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** Given by external-snapshotter with --extra-create-metadata. */
const METADATA = /^csi\.storage\.k8s\.io\/volume(?:group)?snapshot(?:content)?\/(?:name|namespace)$/;
const YES = { confirm: async () => true, waitMs: CALL_MS };

/**
 * Takes a snapshot and waits for it. Repeated, it goes on with the one that was begun; one that failed is taken anew.
 *
 * @throws {AppError} invalid; notFound, for the volume; exists, when another volume has a snapshot of the name; precondition
 */
export async function createSnapshot(
  deps: CsiDeps,
  request: SnapshotRequest,
  signal: AbortSignal,
): Promise<SeenSnapshot> {
  const name = nameForCsi('snapshot', request.name, deps.sha256);
  const volume = parseCsiId('source_volume_id', request.sourceVolumeId);
  assertNoParameters(request.parameters);
  const { client } = deps;
  const before = await client.get('VolumeSnapshotRecord', name, { signal });
  if (before?.status?.phase === 'Failed' && before.spec.volume === volume) {
    await deleteStored(deps, name, { ...YES, signal });
  }
  await takeSnapshot(deps, { volume, name }, { waitMs: CALL_MS, signal });
  const taken = await client.get('VolumeSnapshotRecord', name, { signal });
  if (taken === undefined) throw new AppError('conflict', `snapshot ${name} was deleted meanwhile`);
  return seeSnapshot(taken);
}

/** Deletes a snapshot and waits until its images are gone. Success when there is none. */
export async function deleteSnapshot(deps: CsiDeps, id: string, signal: AbortSignal): Promise<void> {
  const name = parseCsiId('snapshot_id', id);
  try {
    await deleteStored(deps, name, { ...YES, signal });
  } catch (error) {
    if (isAppError(error, 'notFound')) return;
    if (!isAppError(error) || error.reason !== IN_A_GROUP) throw error;
    // The word of the CSI text for it.
    throw new AppError('invalid', error.message, { hint: 'delete the group', cause: error });
  }
}

/** CSI ListSnapshots; an id, or a source, that there is none of makes an empty list. */
export async function listSnapshots(
  deps: CsiDeps,
  {
    snapshotId,
    sourceVolumeId,
    ...page
  }: PageRequest & { readonly snapshotId: string; readonly sourceVolumeId: string },
  signal: AbortSignal,
): Promise<Page<SeenSnapshot>> {
  const { items } = await deps.client.list('VolumeSnapshotRecord', { signal });
  const wanted = items.filter(
    ({ metadata, spec }) =>
      (snapshotId === '' || metadata.name === snapshotId) && (sourceVolumeId === '' || spec.volume === sourceVolumeId),
  );
  const cut = pageOf(wanted, (snapshot) => snapshot.metadata.name, page);
  return { ...cut, items: cut.items.map(seeSnapshot) };
}

/** @throws {AppError} invalid, for any but those that the sidecars add */
export function assertNoParameters(parameters: Readonly<Record<string, string>>): void {
  const unknown = Object.keys(parameters).find((key) => !METADATA.test(key));
  if (unknown === undefined) return;
  throw new AppError('invalid', `${JSON.stringify(unknown.slice(0, 60))} is no known parameter of a snapshot class`, {
    hint: 'leave it out: snapshots have no parameters',
  });
}

/** A snapshot as CSI tells of it. */
export function seeSnapshot({ metadata, spec, status }: Resource<'VolumeSnapshotRecord'>): SeenSnapshot {
  return {
    snapshotId: metadata.name,
    sourceVolumeId: spec.volume,
    sizeBytes: status?.sizeBytes ?? 0,
    takenAt: Date.parse(status?.takenAt ?? metadata.creationTimestamp),
    isReady: status?.phase === 'Ready',
    ...(spec.group === undefined ? {} : { groupId: spec.group.name }),
  };
}
