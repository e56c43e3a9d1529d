/**
 * This node's part in snapshots: the images of its copies and, where it is the leader, the barrier around them.
 *
 * An image and a barrier are tried once. What is done is written down before it is begun, so an agent that starts and
 * finds its own beginning knows that the one before it died over that: it thaws, lowers, and says Failed.
 */
import { isAppError, messageOf } from '../../domain/errors.ts';
import { kubernetesTime } from '../../domain/kubernetes-time.ts';
import type { EngineVolumeName } from '../../domain/names.ts';
import { BARRIER_SECONDS } from '../../domain/snapshot/decide-snapshot.ts';
import { ownEngineName } from '../../domain/volume/engine-name.ts';
import { copyEngine } from '../../domain/volume/engines.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { SnapshotEngine, SnapshotImage } from '../../ports/snapshot-engine.ts';
import type { SnapshotBarrier, SnapshotCopy } from '../../schemas/volume-snapshot-record.ts';
import { createReconcileLoop, type ReconcileLoop, type ReconcileResult, watchKeys } from '../runtime/reconcile-loop.ts';
import { AGENT_BACKOFF, type AgentDeps } from './agent-deps.ts';

type StoredSnapshot = Resource<'VolumeSnapshotRecord'>;

/** What this process has begun, by the UID of the record: nobody else works on it. */
interface Begun {
  readonly barriers: Set<string>;
  /** With the name of the copy. */
  readonly images: Set<string>;
  /** Whether the images of the group of that UID are being taken by this process. */
  readonly isGroupTaking: (uid: string) => boolean;
}

interface Work {
  readonly deps: AgentDeps;
  readonly begun: Begun;
  readonly snapshot: StoredSnapshot;
  readonly signal: AbortSignal;
}

/** A pool that is not mounted yet is looked for again so often. */
const POOL_RETRY_MS = 2_000;

/** The loop for the snapshots that this node has a part in. */
export function createSnapshotPartLoop(deps: AgentDeps, isGroupTaking: Begun['isGroupTaking']): ReconcileLoop {
  const { informers, node: self } = deps;
  const begun: Begun = { barriers: new Set(), images: new Set(), isGroupTaking };

  const reconcile = async (name: string, signal: AbortSignal): Promise<ReconcileResult | undefined> => {
    const snapshot = informers.VolumeSnapshotRecord.get(name);
    if (snapshot === undefined) return undefined;
    const work: Work = { deps, begun, snapshot, signal };
    const waits: (ReconcileResult | undefined)[] = [];
    if (snapshot.spec.group === undefined && snapshot.status?.leader === self) waits.push(await leadBarrier(work));
    for (const [copy, image] of Object.entries(snapshot.status?.copies ?? {})) {
      if (image.node === self) waits.push(await workOnImage(work, copy, image));
    }
    const times = waits.flatMap((wait) => (wait?.requeueAfterMs === undefined ? [] : [wait.requeueAfterMs]));
    return times.length === 0 ? undefined : { requeueAfterMs: Math.min(...times) };
  };

  return createReconcileLoop(deps, {
    name: 'agent-snapshots',
    watches: [
      watchKeys(informers.VolumeSnapshotRecord, (snapshot) => [snapshot.metadata.name]),
      watchKeys(informers.VolumeGroupSnapshotRecord, ({ spec: { members } }) =>
        members.map(({ snapshot }) => snapshot),
      ),
    ],
    reconcile,
    workers: 2,
    backoff: AGENT_BACKOFF,
  });
}

/** The engine of the volume, also of one that is gone by now. */
function snapshotsOf({ deps, snapshot }: Work): SnapshotEngine {
  const engine = snapshot.status?.volumeSpec?.engine ?? deps.informers.Volume.get(snapshot.spec.volume)?.spec.engine;
  return deps.snapshots[copyEngine(engine ?? 'gluster')];
}

/** The barrier is up only while the record says Freezing; whatever else it says, it has to go. */
async function leadBarrier(work: Work): Promise<ReconcileResult | undefined> {
  const { begun, snapshot } = work;
  const barrier = snapshot.status?.barrier;
  const hasBegun = begun.barriers.has(snapshot.metadata.uid);
  const isWanted = isFreezing(snapshot);
  switch (barrier?.state) {
    case undefined:
      if (isWanted && !hasBegun) await raise(work);
      return undefined;
    case 'Raising':
      // Its own end writes the next state; the cache does not know of that yet.
      if (hasBegun && isWanted) return undefined;
      return lower(work, 'the agent that raised the barrier did not live to say so');
    case 'Up':
      return isWanted ? watchImages(work, barrier) : lower(work, 'the snapshot was given up');
    default: // Held or Failed: it is down for good
      return undefined;
  }
}

function isFreezing({ metadata, status }: StoredSnapshot): boolean {
  return status?.phase === 'Freezing' && metadata.deletionTimestamp === undefined;
}

async function watchImages(work: Work, barrier: SnapshotBarrier): Promise<ReconcileResult | undefined> {
  const { deps, snapshot } = work;
  const images = Object.values(snapshot.status?.copies ?? {});
  const failed = images.find((image) => image.state === 'Failed' || image.state === 'Erased');
  if (failed !== undefined) return lower(work, failed.message ?? `no image on ${failed.node}`);
  if (images.every((image) => image.state === 'Taken')) return lowerWithProof(work, barrier);
  const leftMs = Date.parse(barrier.until ?? '') - deps.clock.now();
  if (leftMs > 0) return { requeueAfterMs: leftMs };
  return lower(work, `not every image was taken within ${BARRIER_SECONDS} s`);
}

async function raise(work: Work): Promise<void> {
  const { deps, begun, snapshot, signal } = work;
  const { uid, resourceVersion } = snapshot.metadata;
  const volume = volumeOf(snapshot);
  // On the very record that was read: another leader may have been named.
  await writeBarrier(work, { state: 'Raising' }, resourceVersion);
  begun.barriers.add(uid);
  try {
    const { processes } = await snapshotsOf(work).raiseBarrier(volume, BARRIER_SECONDS, signal);
    const now = deps.clock.now();
    const until = kubernetesTime(now + BARRIER_SECONDS * 1000);
    await writeBarrier(work, { state: 'Up', processes: [...processes], since: kubernetesTime(now), until });
  } catch (error) {
    // Also when only its answer, or the API's, was lost.
    await snapshotsOf(work).lowerBarrier(volume, undefined, signal);
    await writeBarrier(work, { state: 'Failed', message: messageOf(error) });
  }
}

async function lower(work: Work, message: string): Promise<undefined> {
  const { snapshot, signal } = work;
  await snapshotsOf(work).lowerBarrier(volumeOf(snapshot), undefined, signal);
  await writeBarrier(work, { ...snapshot.status?.barrier, state: 'Failed', message });
  return undefined;
}

/** In the record that this rests on every image is taken already, so what holds now held for all of them. */
async function lowerWithProof(work: Work, barrier: SnapshotBarrier): Promise<undefined> {
  const { snapshot, signal } = work;
  let outcome: SnapshotBarrier = { ...barrier, state: 'Held' };
  try {
    await snapshotsOf(work).lowerBarrier(volumeOf(snapshot), { processes: barrier.processes ?? [] }, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!isAppError(error) || error.reason !== 'BarrierFell') throw error;
    outcome = { ...barrier, state: 'Failed', message: messageOf(error) };
  }
  await writeBarrier(work, outcome);
  return undefined;
}

/** Only volumes that Holdfast made have images, and so snapshots. */
function volumeOf({ spec }: Work['snapshot']): EngineVolumeName {
  return ownEngineName(spec.volume);
}

/** What is to be done about the image of a copy on this node. */
function nextOfImage(
  { begun, snapshot }: Work,
  name: string,
  { state }: SnapshotCopy,
): 'take' | 'report' | 'fail' | 'erase' | 'rest' {
  const { phase } = snapshot.status ?? {};
  const hasBegun = begun.images.has(`${snapshot.metadata.uid} ${name}`);
  if (phase === 'Failed' || phase === 'Deleting') return state === 'Erased' ? 'rest' : 'erase';
  if (snapshot.spec.group !== undefined) return state === 'Waiting' ? 'report' : 'rest';
  if (hasBegun) return 'rest';
  // Whoever began it is dead.
  if (state === 'Taking') return 'fail';
  return state === 'Waiting' && isBarrierUp(snapshot) ? 'take' : 'rest';
}

function isBarrierUp(snapshot: Work['snapshot']): boolean {
  return isFreezing(snapshot) && snapshot.status?.barrier?.state === 'Up';
}

async function workOnImage(work: Work, name: string, copy: SnapshotCopy): Promise<ReconcileResult | undefined> {
  const { deps, snapshot } = work;
  const next = nextOfImage(work, name, copy);
  if (next === 'rest') return undefined;
  if (next === 'report') return report(work, name);
  if (snapshot.spec.group !== undefined && work.begun.isGroupTaking(snapshot.spec.group.uid)) {
    return { requeueAfterMs: POOL_RETRY_MS };
  }
  const poolPath = deps.readyPools.get(copy.pool);
  if (poolPath === undefined) return { requeueAfterMs: POOL_RETRY_MS };
  const isBlock = snapshot.status?.volumeSpec?.brick === 'block';
  const image: SnapshotImage = { poolPath, snapshotUid: snapshot.metadata.uid, copyUid: copy.uid, isBlock };
  if (next === 'take') return take(work, name, image);
  await snapshotsOf(work).thaw(image, work.signal);
  if (next === 'erase') {
    await snapshotsOf(work).eraseImage(image, work.signal);
    await writeCopy(work, name, { state: 'Erased' });
    deps.onRoomChanged();
    return undefined;
  }
  await writeCopy(work, name, { state: 'Failed', message: `the agent on ${deps.node} died while it took the image` });
  return undefined;
}

/** Of one of a group: its image is taken with those of the others. */
async function report(work: Work, name: string): Promise<undefined> {
  const { informers } = work.deps;
  const { group: of } = work.snapshot.spec;
  const group = of === undefined ? undefined : informers.VolumeGroupSnapshotRecord.get(of.name);
  if (group === undefined || group.metadata.uid !== of?.uid || group.status?.images?.state !== 'Taken')
    return undefined;
  const bytes = group.status.images.bytes?.[work.snapshot.metadata.name];
  await writeCopy(work, name, { state: 'Taken', ...(bytes === undefined ? {} : { bytes }) });
  return undefined;
}

async function take(work: Work, name: string, image: SnapshotImage): Promise<undefined> {
  const { deps, begun, snapshot, signal } = work;
  begun.images.add(`${snapshot.metadata.uid} ${name}`);
  await writeCopy(work, name, { state: 'Taking' });
  try {
    const { bytes } = await snapshotsOf(work).takeImage(image, signal);
    await writeCopy(work, name, { state: 'Taken', bytes });
  } catch (error) {
    signal.throwIfAborted();
    await writeCopy(work, name, { state: 'Failed', message: `${deps.node}: ${messageOf(error)}` });
  }
  return undefined;
}

async function writeBarrier(
  { deps, snapshot, signal }: Work,
  barrier: SnapshotBarrier,
  resourceVersion?: string,
): Promise<void> {
  const { name, uid } = snapshot.metadata;
  const options = {
    subresource: 'status',
    uid,
    signal,
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  } as const;
  await deps.client.patch('VolumeSnapshotRecord', name, { status: { barrier } }, options);
}

async function writeCopy(
  { deps, snapshot, signal }: Work,
  copy: string,
  report: Pick<SnapshotCopy, 'state' | 'bytes' | 'message'>,
): Promise<void> {
  const { name, uid } = snapshot.metadata;
  const patch = { status: { copies: { [copy]: report } } };
  await deps.client.patch('VolumeSnapshotRecord', name, patch, { subresource: 'status', uid, signal });
}
