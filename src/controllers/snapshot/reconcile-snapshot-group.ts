/**
 * Carries each group of snapshots through its life: what to do is `domain/snapshot/decide-snapshot-group.ts`, here it is seen and
 * done.
 */
import { isAppError } from '../../domain/errors.ts';
import { SNAPSHOT_GROUP_FINALIZER } from '../../domain/finalizers.ts';
import {
  decideSnapshotGroup,
  type SeenSnapshotGroup,
  type SnapshotGroupDecision,
} from '../../domain/snapshot/decide-snapshot-group.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { ControllerDeps } from '../deps.ts';
import { createReconcileLoop, type ReconcileLoop, watchKeys } from '../runtime/reconcile-loop.ts';

type StoredGroup = Resource<'VolumeGroupSnapshotRecord'>;

/** The loop for all groups. */
export function createSnapshotGroupLoop(deps: ControllerDeps): ReconcileLoop {
  const { informers } = deps;
  const reconcile = async (name: string, signal: AbortSignal) => {
    const group = informers.VolumeGroupSnapshotRecord.get(name);
    if (group === undefined) return undefined;
    if (!hasFinalizer(group)) {
      if (group.metadata.deletionTimestamp === undefined) await setFinalizer(deps, group, { isHeld: true, signal });
      return undefined;
    }
    const decision = decideSnapshotGroup(await see(deps, group, signal));
    for (const snapshot of decision.create) await create(deps, group, { snapshot, signal });
    for (const snapshot of decision.remove) await remove(deps, snapshot, signal);
    if (decision.isGone) return setFinalizer(deps, group, { isHeld: false, signal });
    await store(deps, group, decision, signal);
    return decision.requeueAfterMs === undefined ? undefined : { requeueAfterMs: decision.requeueAfterMs };
  };
  return createReconcileLoop(deps, {
    name: 'snapshot-group',
    watches: [
      watchKeys(informers.VolumeGroupSnapshotRecord, ({ metadata }) => [metadata.name]),
      watchKeys(informers.VolumeSnapshotRecord, ({ spec: { group } }) => (group === undefined ? [] : [group.name])),
    ],
    reconcile,
    backoff: { baseMs: 5, maxMs: 10_000 },
  });
}

/** What is there of it is asked of the API: the cache may not know yet of what was made, or is gone, a moment ago. */
async function see(
  { client, clock }: ControllerDeps,
  group: StoredGroup,
  signal: AbortSignal,
): Promise<SeenSnapshotGroup> {
  const { metadata, spec, status = {} } = group;
  const { items } = await client.list('VolumeSnapshotRecord', { signal });
  const names = new Set(spec.members.map(({ snapshot }) => snapshot));
  const isOwn = (each: Resource<'VolumeSnapshotRecord'>) => each.spec.group?.uid === metadata.uid;
  return {
    isDeleting: metadata.deletionTimestamp !== undefined,
    ...{ spec, status },
    snapshots: items.filter(isOwn),
    taken: items.filter((each) => names.has(each.metadata.name) && !isOwn(each)).map((each) => each.metadata.name),
    askedAt: Date.parse(metadata.creationTimestamp),
    now: clock.now(),
  };
}

async function create(
  { client }: ControllerDeps,
  { metadata, spec }: StoredGroup,
  { snapshot, signal }: { readonly snapshot: string; readonly signal: AbortSignal },
): Promise<void> {
  const member = spec.members.find((each) => each.snapshot === snapshot);
  if (member === undefined) return;
  const { volume, volumeUid } = member;
  const group = { name: metadata.name, uid: metadata.uid };
  const record = {
    metadata: { name: snapshot, labels: { 'holdfast.dev/volume': volume } },
    spec: { volume, volumeUid, group },
  };
  try {
    await client.create('VolumeSnapshotRecord', record, { signal });
  } catch (error) {
    // Made meanwhile, by whoever: the next look tells.
    if (!isAppError(error, 'exists')) throw error;
  }
}

async function remove(
  { client }: ControllerDeps,
  { name, uid }: SnapshotGroupDecision['remove'][number],
  signal: AbortSignal,
): Promise<void> {
  if (name === undefined || uid === undefined) return;
  try {
    await client.delete('VolumeSnapshotRecord', name, { signal, uid });
  } catch (error) {
    if (!isAppError(error, 'notFound')) throw error; // gone is what was wanted
  }
}

async function store(
  { statusWriter, events }: ControllerDeps,
  group: StoredGroup,
  { status }: Pick<SeenSnapshotGroup, 'status'>,
  signal: AbortSignal,
): Promise<void> {
  // By compare-and-swap: what the agent reported meanwhile may change the decision.
  await statusWriter.write('VolumeGroupSnapshotRecord', group, status, { signal });
  if (status.phase === undefined || status.phase === group.status?.phase) return;
  const message = status.message ?? '';
  if (status.phase === 'Failed') events.warning(group, 'SnapshotGroupFailed', message);
  else if (status.phase === 'Ready') events.normal(group, 'SnapshotGroupReady', message);
}

function hasFinalizer({ metadata }: StoredGroup): boolean {
  return metadata.finalizers?.includes(SNAPSHOT_GROUP_FINALIZER) === true;
}

async function setFinalizer(
  { client }: ControllerDeps,
  { metadata }: StoredGroup,
  { isHeld, signal }: { readonly isHeld: boolean; readonly signal: AbortSignal },
): Promise<undefined> {
  const { name, resourceVersion, finalizers = [] } = metadata;
  const others = finalizers.filter((finalizer) => finalizer !== SNAPSHOT_GROUP_FINALIZER);
  const patch = { metadata: { finalizers: isHeld ? [...others, SNAPSHOT_GROUP_FINALIZER] : others } };
  try {
    await client.patch('VolumeGroupSnapshotRecord', name, patch, { resourceVersion, signal });
  } catch (error) {
    if (!isAppError(error, 'notFound')) throw error; // gone is what was wanted
  }
  return undefined;
}
