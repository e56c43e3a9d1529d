/** Deletes a snapshot with its images; volumes that were made from it stay. */
import { AppError } from '../../domain/errors.ts';
import { isNeededBy } from '../../domain/snapshot/is-needed.ts';
import type { Resource } from '../../ports/resource-client.ts';
import { type WaitDeps, waitForObject } from '../waiting/wait-for-object.ts';
import { findSnapshot } from './read-snapshots.ts';

export interface DeleteSnapshotOptions {
  readonly isDryRun?: boolean;
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
  /** Asked once everything else is in order; the snapshot stays when the answer is false. */
  readonly confirm: (snapshot: Resource<'VolumeSnapshotRecord'>) => Promise<boolean>;
}

export interface DeletedSnapshot {
  readonly name: string;
  readonly volume: string;
  readonly outcome: 'kept' | 'marked' | 'gone';
}

/** The reason of a refusal to delete one of a group. */
export const IN_A_GROUP = 'SnapshotInGroup';

/** @throws {AppError} notFound; precondition, while a clone is being made of it, or it is one of a group; timeout */
export async function deleteSnapshot(
  deps: WaitDeps,
  name: string,
  options: DeleteSnapshotOptions,
): Promise<DeletedSnapshot> {
  const { client } = deps;
  const scope = options.signal === undefined ? {} : { signal: options.signal };
  const snapshot = await findSnapshot({ client, ...scope }, name);
  const { uid } = snapshot.metadata;
  const { volume } = snapshot.spec;
  await assertAlone(deps, snapshot, scope);
  await assertUnneeded(deps, snapshot, scope);
  if (options.isDryRun === true || !(await options.confirm(snapshot))) return { name, volume, outcome: 'kept' };
  await client.delete('VolumeSnapshotRecord', name, { uid, ...scope });
  if (options.waitMs === undefined) return { name, volume, outcome: 'marked' };
  const { waitMs } = options;
  await waitForObject(deps, {
    ...{ kind: 'VolumeSnapshotRecord', name, timeoutMs: waitMs, ...scope },
    check: (seen) => (seen?.metadata.uid === uid ? undefined : true),
    describeTimeout: (seen) =>
      new AppError(
        'timeout',
        `snapshot ${name} is not gone after ${waitMs / 1000} s: ${seen?.status?.message ?? 'nobody has looked at it yet'}`,
        {
          resource: `snapshot ${name}`,
          reason: 'NotGoneInTime',
          hint: 'it goes by itself as soon as its nodes are there',
        },
      ),
  });
  return { name, volume, outcome: 'gone' };
}

/** One of a group goes with the group; one that a group has left behind goes alone. */
async function assertAlone(
  { client }: WaitDeps,
  { metadata, spec }: Resource<'VolumeSnapshotRecord'>,
  scope: { readonly signal?: AbortSignal },
): Promise<void> {
  if (spec.group === undefined) return;
  const { name, uid } = spec.group;
  const group = await client.get('VolumeGroupSnapshotRecord', name, scope);
  if (group?.metadata.uid !== uid) return;
  throw new AppError('precondition', `snapshot ${metadata.name} is not deleted alone: it is one of group ${name}`, {
    resource: `snapshot ${metadata.name}`,
    reason: IN_A_GROUP,
    hint: `delete the whole group: holdfast volume snapshot delete --group ${name}`,
  });
}

async function assertUnneeded(
  { client }: WaitDeps,
  { metadata }: Resource<'VolumeSnapshotRecord'>,
  scope: { readonly signal?: AbortSignal },
): Promise<void> {
  const { items } = await client.list('Volume', scope);
  const needed = items.filter((volume) => isNeededBy(volume, metadata));
  if (needed.length === 0) return;
  const names = needed.map((volume) => volume.metadata.name).join(', ');
  throw new AppError(
    'precondition',
    `snapshot ${metadata.name} is not deleted: ${names} is being made from it, or restored`,
    {
      resource: `snapshot ${metadata.name}`,
      reason: 'SnapshotNeeded',
      hint: 'wait until that volume is ready, or delete it',
    },
  );
}
