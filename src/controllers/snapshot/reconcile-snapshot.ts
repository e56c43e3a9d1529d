/** Carries each snapshot through its life: what to do is `domain/snapshot/decide-snapshot.ts`, here it is seen and done. */
import { isAppError } from '../../domain/errors.ts';
import { SNAPSHOT_FINALIZER } from '../../domain/finalizers.ts';
import { usableSince } from '../../domain/node/is-usable.ts';
import { decideSnapshot, type SeenSnapshot, type SnapshotDecision } from '../../domain/snapshot/decide-snapshot.ts';
import { isNeededBy } from '../../domain/snapshot/is-needed.ts';
import { MADE_FOR_CLONE_LABEL, removableInMs } from '../../domain/snapshot/left-over.ts';
import { passing, snapshotFaults } from '../../domain/snapshot/snapshot-faults.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { ControllerDeps } from '../deps.ts';
import { dropKey, makeKey } from '../keep-key.ts';
import { createReconcileLoop, type ReconcileLoop, type ReconcileResult, watchKeys } from '../runtime/reconcile-loop.ts';
import type { Turns } from '../runtime/turns.ts';

type StoredSnapshot = Resource<'VolumeSnapshotRecord'>;

/**
 * The loop for all snapshots; one worker, so that two of them are never promised the same room.
 *
 * @param promises - shared with whoever else promises room
 */
export function createSnapshotLoop(deps: ControllerDeps, promises: Turns): ReconcileLoop {
  const { informers } = deps;

  const decideAndStore = async (snapshot: StoredSnapshot, signal: AbortSignal) => {
    const decision = await keySnapshot(deps, snapshot, decideSnapshot(await see(deps, snapshot, signal)), signal);
    if (!decision.isGone) await carryOut(deps, snapshot, decision, signal);
    return decision;
  };

  const reconcile = async (name: string, signal: AbortSignal) => {
    const snapshot = informers.VolumeSnapshotRecord.get(name);
    if (snapshot === undefined) return undefined;
    const isDeleting = snapshot.metadata.deletionTimestamp !== undefined;
    if (!hasFinalizer(snapshot)) {
      if (!isDeleting) await setFinalizer(deps, snapshot, { isHeld: true, signal });
      return undefined;
    }
    const work = () => decideAndStore(snapshot, signal);
    const decision = await (asksForRoom(snapshot) ? promises.take(signal, work) : work());
    if (decision.isGone) {
      await dropKey(deps, snapshot.metadata.uid, signal);
      return setFinalizer(deps, snapshot, { isHeld: false, signal });
    }
    if (decision.requeueAfterMs !== undefined) return { requeueAfterMs: decision.requeueAfterMs };
    return isDeleting ? undefined : removeLeftOver(deps, snapshot, signal);
  };

  const names = (is: (snapshot: StoredSnapshot) => boolean) =>
    informers.VolumeSnapshotRecord.list()
      .filter(is)
      .map((snapshot) => snapshot.metadata.name);
  // Only those that wait for something else than their own agents, and those of clones, which go when nobody needs them.
  const unsettled = () =>
    names(({ metadata, status }) => {
      const isOfClone = metadata.labels?.[MADE_FOR_CLONE_LABEL] !== undefined;
      const isWaiting = status?.phase === 'Failed' || status?.phase === 'Pending';
      return metadata.deletionTimestamp !== undefined || isWaiting || isOfClone;
    });
  /** Also those that wait until this one is taken. */
  const withWaiting = ({ metadata, spec }: StoredSnapshot) => [
    metadata.name,
    ...names((other) => other.status?.phase === 'Pending' && other.spec.volumeUid === spec.volumeUid),
  ];
  return createReconcileLoop(deps, {
    name: 'snapshot',
    watches: [
      watchKeys(informers.VolumeSnapshotRecord, withWaiting),
      watchKeys(informers.VolumeGroupSnapshotRecord, ({ spec: { members } }) =>
        members.map(({ snapshot }) => snapshot),
      ),
      watchKeys(informers.Volume, unsettled),
      watchKeys(informers.StorageNode, unsettled),
    ],
    reconcile,
    backoff: { baseMs: 5, maxMs: 10_000 },
  });
}

/** Deletes one that a clone took for itself and did not remove, as soon as no clone can need it. */
async function removeLeftOver(
  { client, clock, events }: ControllerDeps,
  snapshot: StoredSnapshot,
  signal: AbortSignal,
): Promise<ReconcileResult | undefined> {
  const { name, uid, labels, creationTimestamp } = snapshot.metadata;
  const clone = labels?.[MADE_FOR_CLONE_LABEL];
  if (clone === undefined) return undefined;
  const volumes = (await client.list('Volume', { signal })).items;
  const askedAt = Date.parse(creationTimestamp);
  const inMs = removableInMs(snapshot, { volumes, askedAt, now: clock.now() });
  if (inMs === undefined) return undefined;
  if (inMs > 0) return { requeueAfterMs: inMs };
  try {
    await client.delete('VolumeSnapshotRecord', name, { uid, signal });
    events.normal(snapshot, 'SnapshotRemoved', `it was taken to make volume ${clone}, which needs it no more`);
  } catch (error) {
    if (!isAppError(error, 'notFound')) throw error; // gone is what was wanted
  }
  return undefined;
}

/** Nothing is promised to it yet. */
function asksForRoom({ metadata, status = {} }: StoredSnapshot): boolean {
  return metadata.deletionTimestamp === undefined && (status.phase === undefined || status.phase === 'Pending');
}

/** Whether one may begin, and whether a clone still needs it, is asked of the API: the cache may not know of it yet. */
async function see(deps: ControllerDeps, snapshot: StoredSnapshot, signal: AbortSignal): Promise<SeenSnapshot> {
  const { informers, client, clock } = deps;
  const { status = {}, metadata, spec } = snapshot;
  const isDeleting = metadata.deletionTimestamp !== undefined;
  const isNew = asksForRoom(snapshot);
  const isFresh = isNew || (isDeleting && status.phase !== 'Deleting');
  const volumes = isFresh ? (await client.list('Volume', { signal })).items : informers.Volume.list();
  const copies = isNew ? (await client.list('VolumeCopy', { signal })).items : informers.VolumeCopy.list();
  const others = isNew
    ? (await client.list('VolumeSnapshotRecord', { signal })).items
    : informers.VolumeSnapshotRecord.list();
  const nodes = informers.StorageNode.list();
  const volume = volumes.find((each) => each.metadata.name === spec.volume && each.metadata.uid === spec.volumeUid);
  const member = spec.group === undefined ? {} : { member: { group: await findGroup(deps, spec.group, signal) } };
  return {
    ...member,
    isDeleting,
    status,
    volume,
    copies,
    faults: () => {
      if (volume === undefined) return [];
      // A group waits for all of its own, so none of these may wait for one of another; on its node they take turns.
      const busy =
        spec.group === undefined &&
        others.find((each) => each.spec.volumeUid === spec.volumeUid && each.status?.phase === 'Freezing');
      if (busy !== false && busy !== undefined)
        return [passing(`snapshot ${busy.metadata.name} of it is being taken now`)];
      return snapshotFaults(volume, { nodes, volumes, copies, snapshots: others });
    },
    nodes: new Set(nodes.map((node) => node.metadata.name)),
    usableNodes: new Set(usableSince(nodes, volume?.spec.engine ?? 'gluster').keys()),
    askedAt: Date.parse(metadata.creationTimestamp),
    clonesInMaking: volumes.filter((each) => isNeededBy(each, metadata)).map((each) => each.metadata.name),
    now: clock.now(),
  };
}

/** From the API when this process has not heard of it yet: what is not there makes a snapshot fail for good. */
async function findGroup(
  { informers, client }: ControllerDeps,
  { name, uid }: { readonly name: string; readonly uid: string },
  signal: AbortSignal,
): Promise<Resource<'VolumeGroupSnapshotRecord'> | undefined> {
  const kind = 'VolumeGroupSnapshotRecord';
  const known = informers[kind].get(name);
  if (known?.metadata.uid === uid) return known;
  const stored = await client.get(kind, name, { signal });
  return stored?.metadata.uid === uid ? stored : undefined;
}

/** What is to be encrypted, its images, has its own key before the first is taken: its volume may be gone before it. */
async function keySnapshot(
  deps: ControllerDeps,
  { metadata, spec, status }: StoredSnapshot,
  decision: SnapshotDecision,
  signal: AbortSignal,
): Promise<SnapshotDecision> {
  const isBeginning = decision.status.phase === 'Freezing' && status?.phase !== 'Freezing';
  if (!isBeginning || decision.status.volumeSpec?.encryption !== true) return decision;
  const { name, uid } = metadata;
  try {
    await makeKey(deps, { owner: { kind: 'snapshot', name, uid }, sameAs: spec.volumeUid, nodes: [] }, signal);
    return decision;
  } catch (error) {
    if (!isAppError(error, 'precondition')) throw error;
    return { status: { phase: 'Failed', message: error.message }, isGone: false };
  }
}

async function carryOut(
  { statusWriter, events }: ControllerDeps,
  snapshot: StoredSnapshot,
  { status }: SnapshotDecision,
  signal: AbortSignal,
): Promise<void> {
  // By compare-and-swap: what agents reported meanwhile may change the decision.
  await statusWriter.write('VolumeSnapshotRecord', snapshot, status, { signal });
  if (status.phase === undefined || status.phase === snapshot.status?.phase) return;
  const message = status.message ?? '';
  if (status.phase === 'Failed') events.warning(snapshot, 'SnapshotFailed', message);
  else if (status.phase === 'Ready') events.normal(snapshot, 'SnapshotReady', message);
}

function hasFinalizer({ metadata }: StoredSnapshot): boolean {
  return metadata.finalizers?.includes(SNAPSHOT_FINALIZER) === true;
}

async function setFinalizer(
  { client }: ControllerDeps,
  { metadata }: StoredSnapshot,
  { isHeld, signal }: { readonly isHeld: boolean; readonly signal: AbortSignal },
): Promise<undefined> {
  const { name, resourceVersion, finalizers = [] } = metadata;
  const others = finalizers.filter((finalizer) => finalizer !== SNAPSHOT_FINALIZER);
  const patch = { metadata: { finalizers: isHeld ? [...others, SNAPSHOT_FINALIZER] : others } };
  try {
    await client.patch('VolumeSnapshotRecord', name, patch, { resourceVersion, signal });
  } catch (error) {
    if (!isAppError(error, 'notFound')) throw error; // gone is what was wanted
  }
  return undefined;
}
