/** Groups of snapshots as people ask for them. */
import type { Resource } from '../../ports/resource-client.ts';
import { findNamed } from '../finding/find-named.ts';
import type { ReadDeps } from './read-snapshots.ts';

/** @throws {AppError} notFound, with the nearest name */
export function findSnapshotGroup(deps: ReadDeps, name: string): Promise<Resource<'VolumeGroupSnapshotRecord'>> {
  const naming = {
    what: 'group of snapshots',
    reason: 'SnapshotGroupNotFound',
    seeAll: 'holdfast volume snapshot list',
  };
  return findNamed(deps, { kind: 'VolumeGroupSnapshotRecord', name }, naming);
}
