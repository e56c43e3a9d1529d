/** Snapshots as people ask for them. */
import { AppError } from '../../domain/errors.ts';
import { nearest } from '../../domain/nearest.ts';
import type { Resource, ResourceClient } from '../../ports/resource-client.ts';

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
export async function findSnapshot(deps: ReadDeps, name: string): Promise<StoredSnapshot> {
  const snapshots = await listSnapshots(deps);
  const found = snapshots.find((snapshot) => snapshot.metadata.name === name);
  if (found !== undefined) return found;
  const shown = name.length > 63 ? `${name.slice(0, 40)}...` : name;
  const meant = nearest(
    shown,
    snapshots.map((snapshot) => snapshot.metadata.name),
  );
  throw new AppError('notFound', `there is no snapshot ${JSON.stringify(shown)}`, {
    reason: 'SnapshotNotFound',
    hint: meant === undefined ? 'see: holdfast volume snapshot list' : `did you mean ${meant}?`,
  });
}
