/** Groups of snapshots as people ask for them. */
import { AppError } from '../../domain/errors.ts';
import { nearest } from '../../domain/nearest.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { ReadDeps } from './read-snapshots.ts';

/** @throws {AppError} notFound, with the nearest name */
export async function findSnapshotGroup(
  { client, signal }: ReadDeps,
  name: string,
): Promise<Resource<'VolumeGroupSnapshotRecord'>> {
  const { items } = await client.list('VolumeGroupSnapshotRecord', signal === undefined ? {} : { signal });
  const found = items.find((group) => group.metadata.name === name);
  if (found !== undefined) return found;
  const shown = name.length > 63 ? `${name.slice(0, 40)}...` : name;
  const meant = nearest(
    shown,
    items.map((group) => group.metadata.name),
  );
  throw new AppError('notFound', `there is no group of snapshots ${JSON.stringify(shown)}`, {
    reason: 'SnapshotGroupNotFound',
    hint: meant === undefined ? 'see: holdfast volume snapshot list' : `did you mean ${meant}?`,
  });
}
