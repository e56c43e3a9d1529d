/**
 * Tells in events about claims, and about the pods that wait for them, why they have no volume: the sentence of
 * `holdfast explain claim`. Writes nothing else.
 */

import { claimsOf } from '../../domain/pod-claims.ts';
import { snapshotPromises } from '../../domain/snapshot/snapshot-promises.ts';
import { isBlocked } from '../../domain/volume/describe-volume.ts';
import type { Millis } from '../../ports/clock.ts';
import { ALL_NAMESPACES, type Resource } from '../../ports/resource-client.ts';
import { type ClaimTrouble, sentenceOf, troubleOf } from '../../usecases/explain/claim-words.ts';
import { classNameOf, judgeClaim, volumeNameFor } from '../../usecases/explain/judge-claim.ts';
import type { SeenClaim, StoredClaim } from '../../usecases/explain/seen-claim.ts';
import type { ControllerDeps } from '../deps.ts';
import { createInformer, type Informer } from '../runtime/informer.ts';
import { objectKey } from '../runtime/object-cache.ts';
import { createReconcileLoop, type ReconcileLoop, waitForSources, watchKeys } from '../runtime/reconcile-loop.ts';
import { subjectOf } from './event-subject.ts';

/** What is on its way needs no explanation: external-provisioner and the scheduler take a moment for each claim. */
const GRACE_MS = 5_000;
/** Room, nodes and volumes change all the time, and this costs no call: a claim that waits is looked at again so often. */
const LOOK_EVERY_MS = 15_000;
/** The same trouble with other numbers is told this often at most. */
const TELL_EVERY_MS = 5 * 60_000;
/** PersistentVolumes of all the cluster are asked for, by a claim that has to be bound to one of them. */
const STATIC_LOOK_EVERY_MS = 60_000;

interface ClaimInformers {
  readonly claims: Informer<'PersistentVolumeClaim'>;
  /** Those that do not run yet. */
  readonly pods: Informer<'Pod'>;
  readonly classes: Informer<'StorageClass'>;
}

/** Runs until the signal aborts. */
export async function explainClaims(deps: ControllerDeps, signal: AbortSignal): Promise<void> {
  const informers: ClaimInformers = {
    claims: createInformer(deps, { kind: 'PersistentVolumeClaim', namespace: ALL_NAMESPACES }),
    pods: createInformer(deps, {
      kind: 'Pod',
      namespace: ALL_NAMESPACES,
      fieldSelector: 'status.phase=Pending',
      indexes: { claim: claimsOf },
    }),
    classes: createInformer(deps, { kind: 'StorageClass' }),
  };
  const loop = createClaimLoop(deps, informers);
  const { StorageNode, VolumeCopy, VolumeSnapshotRecord } = deps.informers;
  const start = async (): Promise<void> => {
    // What fits nowhere because the nodes were not heard of yet is no trouble.
    await waitForSources([StorageNode, VolumeCopy, VolumeSnapshotRecord], deps.log, signal);
    await loop.run(signal);
  };
  await Promise.all([...Object.values(informers).map((informer) => informer.run(signal)), start()]);
}

/** What was told last about a claim, for as long as it waits. */
interface Told {
  readonly uid: string;
  readonly reason: ClaimTrouble;
  readonly sentence: string;
  readonly at: Millis;
  /** UIDs. */
  readonly pods: ReadonlySet<string>;
}

function createClaimLoop(deps: ControllerDeps, own: ClaimInformers): ReconcileLoop {
  const { clock } = deps;
  const told = new Map<string, Told>();
  const waiting = () => own.claims.list().filter(isWaiting).map(objectKey);
  const ofVolume = ({ metadata }: Resource<'Volume'>) =>
    own.claims.list().flatMap((claim) => (volumeNameFor(claim) === metadata.name ? objectKey(claim) : []));

  const reconcile = async (key: string, signal: AbortSignal) => {
    const claim = own.claims.get(key);
    if (claim === undefined || !isWaiting(claim)) {
      told.delete(key);
      return undefined;
    }
    const age = clock.now() - Date.parse(claim.metadata.creationTimestamp);
    if (age < GRACE_MS) return { requeueAfterMs: GRACE_MS - age };
    const seen = await see(deps, own, claim, signal);
    const explanation = judgeClaim(seen);
    const reason = troubleOf(explanation);
    if (reason === undefined) told.delete(key);
    else told.set(key, tell(deps, seen, { reason, sentence: sentenceOf(explanation) }, told.get(key)));
    return { requeueAfterMs: isStatic(own, claim) ? STATIC_LOOK_EVERY_MS : LOOK_EVERY_MS };
  };

  return createReconcileLoop(deps, {
    name: 'claim',
    watches: [
      watchKeys(own.claims, (claim) => [objectKey(claim)]),
      watchKeys(own.pods, claimsOf),
      watchKeys(own.classes, waiting),
      // Only whether one has a place; the rest of its life tells nothing about a claim that waits.
      watchKeys(deps.informers.Volume, ofVolume, ({ before, after }) => isBlocked(before) === isBlocked(after)),
    ],
    reconcile,
    backoff: { baseMs: 1_000, maxMs: 60_000 },
  });
}

function isWaiting({ metadata, status }: StoredClaim): boolean {
  return (status?.phase ?? 'Pending') === 'Pending' && metadata.deletionTimestamp === undefined;
}

/** True for a claim that is bound to what is there, and nothing is made for. */
function isStatic({ classes }: ClaimInformers, claim: StoredClaim): boolean {
  const name = classNameOf(claim, classes.list());
  return !classes.list().some(({ metadata }) => metadata.name === name);
}

async function see(
  { client, clock, informers }: ControllerDeps,
  own: ClaimInformers,
  claim: StoredClaim,
  signal: AbortSignal,
): Promise<SeenClaim> {
  const promised = snapshotPromises(informers.VolumeSnapshotRecord.list());
  return {
    claim,
    classes: own.classes.list(),
    persistentVolumes: isStatic(own, claim) ? (await client.list('PersistentVolume', { signal })).items : [],
    pods: own.pods.byIndex('claim', objectKey(claim)),
    volume: informers.Volume.get(volumeNameFor(claim)),
    places: { nodes: informers.StorageNode.list(), copies: [...informers.VolumeCopy.list(), ...promised] },
    now: clock.now(),
  };
}

/** Writes what is new of it. @returns what is told now */
function tell(
  { clock, events }: ControllerDeps,
  { claim, pods }: SeenClaim,
  { reason, sentence }: Pick<Told, 'reason' | 'sentence'>,
  last: Told | undefined,
): Told {
  const before = last?.uid === claim.metadata.uid && last.reason === reason ? last : undefined;
  const isOld = before !== undefined && clock.monotonic() - before.at < TELL_EVERY_MS;
  const isKnown = before !== undefined && (isOld || before.sentence === sentence);
  if (!isKnown) events.warning(subjectOf('PersistentVolumeClaim', claim), reason, sentence);
  for (const pod of pods) {
    if (isKnown && before.pods.has(pod.metadata.uid)) continue;
    events.warning(subjectOf('Pod', pod), reason, `claim ${claim.metadata.name}: ${sentence}`);
  }
  const seen = new Set(pods.map(({ metadata }) => metadata.uid));
  if (isKnown) return { ...before, pods: seen };
  return { uid: claim.metadata.uid, reason, sentence, at: clock.monotonic(), pods: seen };
}
