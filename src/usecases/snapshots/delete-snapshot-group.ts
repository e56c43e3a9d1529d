/** Deletes a group of snapshots with all of its snapshots; volumes that were made from them stay. */
import { AppError } from '../../domain/errors.ts';
import { isNeededBy } from '../../domain/snapshot/is-needed.ts';
import type { Resource } from '../../ports/resource-client.ts';
import { type WaitDeps, waitForObject } from '../waiting/wait-for-object.ts';
import { findSnapshotGroup } from './read-snapshot-groups.ts';

export interface DeleteGroupOptions {
  readonly isDryRun?: boolean;
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
  /** Asked once everything else is in order; the group stays when the answer is false. */
  readonly confirm: (group: Resource<'VolumeGroupSnapshotRecord'>) => Promise<boolean>;
}

export interface DeletedGroup {
  readonly name: string;
  readonly volumes: readonly string[];
  readonly outcome: 'kept' | 'marked' | 'gone';
}

/** @throws {AppError} notFound; precondition, while a clone is being made of one of its snapshots; timeout */
export async function deleteSnapshotGroup(
  deps: WaitDeps,
  name: string,
  options: DeleteGroupOptions,
): Promise<DeletedGroup> {
  const { client } = deps;
  const { waitMs, isDryRun = false } = options;
  const scope = options.signal === undefined ? {} : { signal: options.signal };
  const group = await findSnapshotGroup({ client, ...scope }, name);
  const { uid } = group.metadata;
  const volumes = group.spec.members.map(({ volume }) => volume);
  await assertUnneeded(deps, group, scope);
  if (isDryRun || !(await options.confirm(group))) return { name, volumes, outcome: 'kept' };
  await client.delete('VolumeGroupSnapshotRecord', name, { uid, ...scope });
  if (waitMs === undefined) return { name, volumes, outcome: 'marked' };
  await waitForObject(deps, {
    ...{ kind: 'VolumeGroupSnapshotRecord', name, timeoutMs: waitMs, ...scope },
    check: (seen) => (seen?.metadata.uid === uid ? undefined : true),
    describeTimeout: (seen) =>
      new AppError(
        'timeout',
        `group ${name} is not gone after ${waitMs / 1000} s: ${seen?.status?.message ?? 'nobody has looked at it yet'}`,
        {
          resource: `group ${name}`,
          reason: 'NotGoneInTime',
          hint: 'it goes by itself as soon as its node is there',
        },
      ),
  });
  return { name, volumes, outcome: 'gone' };
}

async function assertUnneeded(
  { client }: WaitDeps,
  { metadata }: Resource<'VolumeGroupSnapshotRecord'>,
  scope: { readonly signal?: AbortSignal },
): Promise<void> {
  const [volumes, snapshots] = await Promise.all([
    client.list('Volume', scope),
    client.list('VolumeSnapshotRecord', scope),
  ]);
  const own = snapshots.items.filter(({ spec }) => spec.group?.uid === metadata.uid);
  const needed = volumes.items.filter((volume) => own.some((snapshot) => isNeededBy(volume, snapshot.metadata)));
  if (needed.length === 0) return;
  const names = needed.map((volume) => volume.metadata.name).join(', ');
  throw new AppError(
    'precondition',
    `group ${metadata.name} is not deleted: ${names} is being made from it, or restored`,
    {
      resource: `group ${metadata.name}`,
      reason: 'SnapshotNeeded',
      hint: 'wait until that volume is ready, or delete it',
    },
  );
}
