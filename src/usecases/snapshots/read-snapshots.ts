/** Snapshots as people ask for them. */
import type { Resource, ResourceClient } from '../../ports/resource-client.ts';
import { findNamed } from '../finding/find-named.ts';

export interface ReadDeps {
  readonly client: ResourceClient;
  readonly signal?: AbortSignal;
}

type StoredSnapshot = Resource<'VolumeSnapshotRecord'>;

/** All snapshots, or those of one volume, the oldest first. */
export async function listSnapshots(deps: ReadDeps, volume?: string): Promise<readonly StoredSnapshot[]> {
  const { items } = await deps.client.list(
    'VolumeSnapshotRecord',
    deps.signal === undefined ? {} : { signal: deps.signal },
  );
  const key = ({ metadata }: StoredSnapshot) => `${metadata.creationTimestamp} ${metadata.name}`;
  return items
    .filter((snapshot) => volume === undefined || snapshot.spec.volume === volume)
    .toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** @throws {AppError} notFound, with the nearest name */
export function findSnapshot(deps: ReadDeps, name: string): Promise<StoredSnapshot> {
  const naming = { what: 'snapshot', reason: 'SnapshotNotFound', seeAll: 'holdfast volume snapshot list' };
  return findNamed(deps, { kind: 'VolumeSnapshotRecord', name }, naming);
}
