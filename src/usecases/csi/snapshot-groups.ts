/** CSI group snapshots: the VolumeGroupSnapshotRecords that `holdfast volume snapshot --with` makes. */
import { nameForCsi, parseCsiId } from '../../domain/csi/names.ts';
import { AppError, isAppError } from '../../domain/errors.ts';
import type { Resource } from '../../ports/resource-client.ts';
import { deleteSnapshotGroup as deleteStored } from '../snapshots/delete-snapshot-group.ts';
import { findSnapshotGroup } from '../snapshots/read-snapshot-groups.ts';
import { takeSnapshotGroup } from '../snapshots/take-snapshot-group.ts';
import { CALL_MS, type CsiDeps } from './csi-deps.ts';
import { assertNoParameters, type SeenSnapshot, seeSnapshot } from './snapshots.ts';

export interface SeenSnapshotGroup {
  readonly groupId: string;
  readonly snapshots: readonly SeenSnapshot[];
  /** Milliseconds since the epoch: everything acknowledged before is in every snapshot. */
  readonly takenAt: number;
  readonly isReady: boolean;
}

export interface GroupRequest {
  readonly name: string;
  readonly sourceVolumeIds: readonly string[];
  readonly parameters: Readonly<Record<string, string>>;
}

export interface KnownGroup {
  readonly groupSnapshotId: string;
  /** As the caller believes; empty when it does not say. */
  readonly snapshotIds: readonly string[];
}

/**
 * Takes snapshots of all these volumes at one moment, and waits for them. Repeated, it goes on with those that were begun; a
 * group that failed is taken anew.
 *
 * @throws {AppError} invalid; notFound, for a volume; exists, when a group of other volumes has the name; precondition
 */
export async function createSnapshotGroup(
  deps: CsiDeps,
  request: GroupRequest,
  signal: AbortSignal,
): Promise<SeenSnapshotGroup> {
  const name = nameForCsi('group snapshot', request.name, deps.sha256);
  if (request.sourceVolumeIds.length === 0) throw new AppError('invalid', 'the call has no source_volume_ids');
  const volumes = request.sourceVolumeIds.map((id) => parseCsiId('source_volume_ids', id));
  assertNoParameters(request.parameters);
  await takeSnapshotGroup(deps, { name, volumes }, { waitMs: CALL_MS, signal });
  return see(deps, await findSnapshotGroup({ client: deps.client, signal }, name), signal);
}

/** Deletes all snapshots of a group and waits until their images are gone. Success when there is none. */
export async function deleteSnapshotGroup(deps: CsiDeps, known: KnownGroup, signal: AbortSignal): Promise<void> {
  const name = parseKnown(known);
  try {
    assertMembers(await findSnapshotGroup({ client: deps.client, signal }, name), known);
    await deleteStored(deps, name, { confirm: async () => true, waitMs: CALL_MS, signal });
  } catch (error) {
    if (!isAppError(error, 'notFound')) throw error;
  }
}

/** @throws {AppError} invalid, for other snapshots than those of the group; notFound */
export async function getSnapshotGroup(
  deps: CsiDeps,
  known: KnownGroup,
  signal: AbortSignal,
): Promise<SeenSnapshotGroup> {
  const group = await findSnapshotGroup({ client: deps.client, signal }, parseKnown(known));
  assertMembers(group, known);
  return see(deps, group, signal);
}

function parseKnown({ groupSnapshotId, snapshotIds }: KnownGroup): string {
  for (const id of snapshotIds) parseCsiId('snapshot_ids', id);
  return parseCsiId('group_snapshot_id', groupSnapshotId);
}

function assertMembers({ metadata, spec }: Resource<'VolumeGroupSnapshotRecord'>, { snapshotIds }: KnownGroup): void {
  if (snapshotIds.length === 0) return;
  const [own, given] = [new Set(spec.members.map(({ snapshot }) => snapshot)), new Set(snapshotIds)];
  if (own.size === given.size && [...own].every((each) => given.has(each))) return;
  throw new AppError('invalid', `snapshot_ids are not those of group ${metadata.name}: ${[...own].join(', ')}`, {
    hint: 'name all of them, or none',
  });
}

async function see(
  { client }: CsiDeps,
  { metadata, spec, status }: Resource<'VolumeGroupSnapshotRecord'>,
  signal: AbortSignal,
): Promise<SeenSnapshotGroup> {
  const { items } = await client.list('VolumeSnapshotRecord', { signal });
  const own = items.filter((each) => each.spec.group?.uid === metadata.uid).map(seeSnapshot);
  const isWhole = own.length === spec.members.length && own.every(({ isReady }) => isReady);
  return {
    groupId: metadata.name,
    snapshots: own,
    takenAt: Date.parse(status?.takenAt ?? metadata.creationTimestamp),
    isReady: status?.phase === 'Ready' && isWhole,
  };
}
