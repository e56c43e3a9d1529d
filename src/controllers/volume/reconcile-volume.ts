/** Carries each Volume through its life: what to do is `domain/volume/decide-volume.ts`, here it is seen and done. */

import { placeAdopted } from '../../domain/adopt/adopted-placement.ts';
import type { Claim } from '../../domain/claim.ts';
import { isAppError } from '../../domain/errors.ts';
import { COPY_FINALIZER, VOLUME_FINALIZER } from '../../domain/finalizers.ts';
import { findCondition } from '../../domain/find-condition.ts';
import { usableSince } from '../../domain/node/is-usable.ts';
import { choosePlacement } from '../../domain/placement/choose-placement.ts';
import { placementInput } from '../../domain/placement/from-resources.ts';
import { isHolding } from '../../domain/volume/decide-restore.ts';
import { seeShare } from '../../domain/volume/decide-share.ts';
import {
  decideVolume,
  type PlacementOutcome,
  type SeenAttachment,
  type SeenVolume,
  type VolumeDecision,
} from '../../domain/volume/decide-volume.ts';
import { plannedCopy } from '../../domain/volume/promised-copies.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { PlacedCopy } from '../../schemas/volume.ts';
import type { VolumeCopy } from '../../schemas/volume-copy.ts';
import type { ControllerDeps } from '../deps.ts';
import { dropKey } from '../keep-key.ts';
import { setCondition } from '../runtime/conditions.ts';
import { watchKeysTogether } from '../runtime/keys-together.ts';
import { createReconcileLoop, type ReconcileLoop, watchKeys } from '../runtime/reconcile-loop.ts';
import { isOfRoomOnly } from '../runtime/room-changes.ts';
import type { Turn, Turns } from '../runtime/turns.ts';
import { keyVolume } from './key-volume.ts';
import { letGo } from './let-go.ts';
import { type Look, look, type Reading, readsAll, takenRoom } from './look-at-volume.ts';
import { placeBesideImages } from './place-clone.ts';
import { createPlacingRow } from './placing-row.ts';
import { holdSnapshot, isAskedToRestore, seeRestore, takeSafetySnapshot } from './restore-volume.ts';
import { seeMembers } from './see-members.ts';
import { growCopies, raiseCapacity, type SizeLook, sizeCopies, sizeShare, withSizes } from './size-copies.ts';
import { volumesOfNode, waitingVolumes } from './volumes-of-node.ts';

type StoredVolume = Resource<'Volume'>;
type NewCopy = VolumeCopy & { readonly metadata: { readonly name: string } };

/** A volume that waits for room or for a node is looked at again so often even if no event says anything changed. */
const PENDING_RETRY_MS = 15_000;

/** Volumes carried on at once: on a real API server a pass mostly waits for answers. */
const WORKERS = 8;

/**
 * What promises room takes turns: two volumes placed at the same time could be promised the same free space. So does
 * whatever else reads all that there is, which would be held in memory as often as it is read at once.
 *
 * @param promises - shared with whoever else promises room
 */
export function createVolumeLoop(deps: ControllerDeps, promises: Turns): ReconcileLoop {
  const { informers } = deps;
  const row = createPlacingRow(deps.clock);

  const reconcile = async (name: string, signal: AbortSignal) => {
    const volume = informers.Volume.get(name);
    if (volume === undefined) return undefined;
    if (!hasFinalizer(volume) && volume.metadata.deletionTimestamp === undefined) {
      await addFinalizer(deps, volume, signal);
      return undefined;
    }
    if (!readsAll(volume)) {
      const seen = await decide(deps, volume, signal);
      if (!changesCopies(volume, seen.decided)) return (await carryOut(deps, volume, seen, signal)).result;
    }
    if (row.isPlaced(volume)) return undefined;
    return promises.take(signal, (turn) => carryOnInTurn(name, turn, signal));
  };

  const carryOnInTurn = async (name: string, turn: Turn, signal: AbortSignal) => {
    // As it is now: others had their turn before.
    const volume = informers.Volume.get(name);
    if (volume === undefined || row.isPlaced(volume)) return undefined;
    const seen = await decideInTurn(volume, turn, signal);
    if (seen === undefined) return undefined;
    const { stored, result } = await carryOut(deps, volume, seen, signal);
    row.add(turn, seen.looked, { before: volume, stored });
    return result;
  };
  const decideInTurn = async (volume: StoredVolume, turn: Turn, signal: AbortSignal) => {
    const reading = row.readingFor(turn, volume);
    const seen = reading === undefined ? undefined : await decide(deps, volume, signal, reading);
    // Without a place for it the newest is read: room may have become free.
    return seen?.decided.status.placement === undefined ? decideFreshly(deps, volume, signal) : seen;
  };

  const allVolumes = () => informers.Volume.list().map((volume) => volume.metadata.name);
  return createReconcileLoop(deps, {
    name: 'volume',
    watches: [
      watchKeys(informers.Volume, (volume) => [volume.metadata.name]),
      watchKeys(informers.VolumeCopy, (copy) => [copy.spec.volume]),
      watchKeys(informers.VolumeAttachmentRecord, (record) => [record.spec.volume]),
      watchKeys(informers.VolumeSnapshotRecord, (snapshot) => [snapshot.spec.volume]),
      watchKeys(informers.StorageNode, ({ metadata }) => volumesOfNode(informers, metadata.name), isOfRoomOnly),
      watchKeysTogether(deps.clock, informers.StorageNode, () => waitingVolumes(informers)),
      watchKeysTogether(deps.clock, informers.FenceRecord, allVolumes),
    ],
    reconcile,
    workers: WORKERS,
    backoff: { baseMs: 5, maxMs: 10_000 },
  });
}

/** What is to be done about a volume, and what that rests on. */
interface Decided {
  readonly looked: Look;
  readonly decided: VolumeDecision;
}

async function carryOut(deps: ControllerDeps, volume: StoredVolume, { looked, decided }: Decided, signal: AbortSignal) {
  const sizes =
    volume.spec.share === undefined ? sizeCopies(volume, decided, sizeLook(deps, looked)) : sizeShare(decided);
  const decision = withSizes(decided, sizes);
  await raiseCapacity(deps, volume, sizes, signal);
  if (decision.holdsSnapshot === true) await holdSnapshot(deps, volume, { snapshots: looked.allSnapshots(), signal });
  const keyed = await keyVolume(deps, volume, { decision, own: looked.own }, signal);
  const stored = await act(deps, volume, keyed, signal);
  await growCopies(deps, sizes, { own: looked.own, signal });
  await letGo(deps, looked.own, signal);
  const isWaiting = keyed.status.phase === 'Pending' || sizes.isRefused || isAskedToRestore(volume);
  return { stored, result: isWaiting ? { requeueAfterMs: PENDING_RETRY_MS } : undefined };
}

async function decide(
  deps: ControllerDeps,
  volume: StoredVolume,
  signal: AbortSignal,
  reading?: Reading,
): Promise<Decided> {
  const looked = await look(deps, volume, signal, { reading });
  return { looked, decided: decideVolume(see(deps, volume, looked)) };
}

/**
 * Decides from the cache, and where the decision changes what the volume is made of, once more from the API: a copy may be
 * missing in the placement only because the cache has not heard of it yet. Undefined when the volume is another by then;
 * its news is on its way, and with it the next pass.
 */
async function decideFreshly(
  deps: ControllerDeps,
  volume: StoredVolume,
  signal: AbortSignal,
): Promise<Decided | undefined> {
  const first = await decide(deps, volume, signal);
  // What is removed was looked at freshly already.
  const isRemoval = volume.metadata.deletionTimestamp !== undefined && first.decided.status.phase === 'Deleting';
  if (isRemoval || !changesCopies(volume, first.decided)) return first;
  const now = await deps.client.get('Volume', volume.metadata.name, { signal });
  if (now?.metadata.resourceVersion !== volume.metadata.resourceVersion) return undefined;
  const looked = await look(deps, volume, signal, { isChanging: true });
  return { looked, decided: decideVolume(see(deps, volume, looked)) };
}

/** The volume is to be made of other copies than before, or loses some. */
function changesCopies({ status: before }: StoredVolume, { status, ...decided }: VolumeDecision): boolean {
  const isChange = status.placement !== undefined && before?.placement !== undefined;
  return isChange || decided.releaseCopies.length + decided.abandonCopies.length > 0;
}

function sizeLook({ informers }: ControllerDeps, looked: Look): SizeLook {
  return { nodes: informers.StorageNode.list(), own: looked.own, taken: () => takenRoom(looked) };
}

function see(deps: ControllerDeps, volume: StoredVolume, looked: Look): SeenVolume {
  const { informers, random } = deps;
  const { own, allVolumes, allCopies, allSnapshots, attachments } = looked;
  const { name, uid } = volume.metadata;
  const nodes = informers.StorageNode.list();
  const taken = () => takenRoom(looked);
  return {
    name,
    uid,
    isDeleting: volume.metadata.deletionTimestamp !== undefined,
    spec: volume.spec,
    share: seeShare(volume.spec),
    status: volume.status ?? {},
    copies: own.map((copy) => ({
      name: copy.metadata.name,
      node: copy.spec.node,
      isReady: copy.status?.state === 'Ready',
      isReleased: copy.spec.isReleased === true && copy.metadata.deletionTimestamp !== undefined,
      ...(copy.status?.message === undefined ? {} : { message: copy.status.message }),
    })),
    attachments: attachments.map(seeAttachment),
    usableNodes: usableSince(nodes, volume.spec.engine),
    fencedNodes: new Set(informers.FenceRecord.list().map(({ spec }) => spec.node)),
    knownNodes: looked.knownNodes,
    place: () => place(volume, nodes, taken(), looked),
    membership: seeMembers(volume, { nodes, own, random, taken }),
    ...(isAskedToRestore(volume)
      ? {
          restore: seeRestore(deps, volume, {
            ...{ volumes: allVolumes(), copies: allCopies(), snapshots: allSnapshots(), attachments },
          }),
        }
      : {}),
  };
}

function seeAttachment(record: Resource<'VolumeAttachmentRecord'>): SeenAttachment {
  const { state, copies, connectedCopies, nodesReadySince = {} } = record.status ?? {};
  const { node } = record.spec;
  if (state !== 'Mounted' || copies === undefined || connectedCopies === undefined) return { node };
  return { node, missingCopies: copies - connectedCopies, nodesReadySince };
}

function place(
  volume: StoredVolume,
  nodes: readonly Resource<'StorageNode'>[],
  taken: readonly VolumeCopy[],
  { source: snapshot, allVolumes }: Pick<Look, 'source' | 'allVolumes'>,
): PlacementOutcome {
  const { name, uid } = volume.metadata;
  if (volume.spec.adopted !== undefined) {
    const others = allVolumes().filter((other) => other.metadata.uid !== uid && other.status?.placement !== undefined);
    const known = { nodes: nodes.map((node) => node.metadata.name), others };
    return placeAdopted(volume.spec, volume.spec.adopted, known, (index) => copyName(name, uid, index));
  }
  if (volume.spec.source !== undefined) {
    return placeBesideImages(volume, { snapshot, nodes, copies: taken }, (index) => copyName(name, uid, index));
  }
  const result = choosePlacement(placementInput({ name, uid, spec: volume.spec }, nodes, taken));
  if (!result.ok) return { ok: false, message: result.message, reasons: [...result.reasons] };
  const placement = result.placed.map((placed) => ({
    copy: copyName(name, uid, placed.index),
    node: placed.node,
    pool: placed.pool,
    role: placed.role,
    ...(placed.set === undefined ? {} : { set: placed.set }),
  }));
  return { ok: true, placement, reasons: [...result.reasons] };
}

/** @returns the volume as it is stored then; undefined when it is gone */
async function act(
  deps: ControllerDeps,
  volume: StoredVolume,
  decision: VolumeDecision,
  signal: AbortSignal,
): Promise<StoredVolume | undefined> {
  const { client } = deps;
  if (decision.isGone) {
    await dropKey(deps, volume.metadata.uid, signal);
    await removeFinalizer(deps, volume, signal);
    return undefined;
  }
  const stored = await writeStatus(deps, volume, decision, signal);
  for (const placed of decision.createCopies) {
    try {
      await client.create('VolumeCopy', copyObject(volume, placed), { signal });
    } catch (error) {
      // Created by the pass before, whose news has not reached the cache yet.
      if (!isAppError(error, 'exists')) throw error;
    }
  }
  await takeSafetySnapshot(deps, volume, decision, signal);
  for (const name of decision.abandonCopies) {
    // Only as it was seen, without a path: from its next version on every agent sees that it is given up.
    const copy = await client.get('VolumeCopy', name, { signal });
    if (copy === undefined || copy.status?.path !== undefined) continue;
    const { resourceVersion } = copy.metadata;
    await client.patch('VolumeCopy', name, { spec: { isReleased: true } }, { resourceVersion, signal });
    await client.delete('VolumeCopy', name, { signal });
  }
  for (const name of decision.releaseCopies) {
    await client.patch('VolumeCopy', name, { spec: { isReleased: true } }, { signal });
    await client.delete('VolumeCopy', name, { signal });
  }
  return stored;
}

async function writeStatus(
  deps: ControllerDeps,
  volume: StoredVolume,
  decision: VolumeDecision,
  signal: AbortSignal,
): Promise<StoredVolume> {
  const { statusWriter, clock } = deps;
  const observedGeneration = volume.metadata.generation;
  let conditions = volume.status?.conditions ?? [];
  for (const made of decision.claims) {
    conditions = [...setCondition(conditions, { ...made, observedGeneration }, clock.now())];
  }
  const stored = await statusWriter.write('Volume', volume, { ...decision.status, conditions }, { signal });
  for (const made of decision.claims) announce(deps, volume, made);
  return stored;
}

/** Events where a person looks: only when the reason of a condition changed. */
function announce({ events }: ControllerDeps, volume: StoredVolume, made: Claim): void {
  if (findCondition(volume, made.type)?.reason === made.reason) return;
  if (made.status === 'Unknown') return;
  const isTrouble = [
    'NoPlaceForCopies',
    'KeyMissing',
    'NoRoomToGrow',
    'NoQuorum',
    'CopiesDown',
    'SplitBrain',
    'InUse',
    'RestoreFailed',
  ].includes(made.reason);
  if (isTrouble) events.warning(volume, made.reason, made.message);
  else events.normal(volume, made.reason, made.message);
}

/** Carries the UID, so that a volume deleted and made anew under the same name never meets old copies. */
function copyName(volume: string, uid: string, index: number): string {
  return `${volume}-${uid.slice(0, 8)}-${index}`;
}

function copyObject(volume: StoredVolume, placed: VolumeDecision['createCopies'][number]): NewCopy {
  const { metadata, spec, ...kind } = plannedCopy(volume, placed);
  const labels = { 'holdfast.dev/volume': volume.metadata.name };
  return {
    ...kind,
    metadata: { ...metadata, finalizers: [COPY_FINALIZER], labels },
    spec: { ...spec, ...sourceOf(volume, placed), ...adoptedOf(volume, placed) },
  };
}

/** Only a copy that was placed beside an image; one that takes its place later is filled from the others. */
function sourceOf({ spec, status }: StoredVolume, { imageOf }: PlacedCopy): Pick<VolumeCopy['spec'], 'source'> {
  const source = isHolding(status) ? status?.restore : spec.source;
  if (imageOf === undefined || source === undefined) return {};
  return { source: { snapshotUid: source.snapshotUid, copyUid: imageOf } };
}

/** Only a copy with the name of its place from the beginning: one that came later would be another directory. */
function adoptedOf({ metadata, spec }: StoredVolume, placed: PlacedCopy & { readonly index: number }) {
  const brick = spec.adopted?.bricks[placed.index];
  const isFirst = placed.copy === copyName(metadata.name, metadata.uid, placed.index);
  if (spec.adopted === undefined || brick === undefined || !isFirst) return {};
  return { adopted: { path: brick.path, engineId: spec.adopted.engineId } };
}

function hasFinalizer(volume: StoredVolume): boolean {
  return volume.metadata.finalizers?.includes(VOLUME_FINALIZER) === true;
}

async function addFinalizer({ client }: ControllerDeps, volume: StoredVolume, signal: AbortSignal): Promise<void> {
  const { name, resourceVersion, finalizers = [] } = volume.metadata;
  const patch = { metadata: { finalizers: [...finalizers, VOLUME_FINALIZER] } };
  await client.patch('Volume', name, patch, { resourceVersion, signal });
}

async function removeFinalizer({ client }: ControllerDeps, volume: StoredVolume, signal: AbortSignal): Promise<void> {
  const { name, resourceVersion, finalizers = [] } = volume.metadata;
  const patch = { metadata: { finalizers: finalizers.filter((finalizer) => finalizer !== VOLUME_FINALIZER) } };
  try {
    await client.patch('Volume', name, patch, { resourceVersion, signal });
  } catch (error) {
    if (!isAppError(error, 'notFound')) throw error; // gone is what was wanted
  }
}
