/** Why a claim has its volume or has none yet, from what was read. Changes nothing, asks nobody. */
import { formatQuantity, parseQuantity } from '../../domain/bytes.ts';
import { chooseSize } from '../../domain/csi/capacity.ts';
import { csiModesOf, metadataOf } from '../../domain/csi/claims.ts';
import { readParameters } from '../../domain/csi/parameters.ts';
import { settleWish, type VolumeWish } from '../../domain/csi/settle-wish.ts';
import { AppError, isAppError } from '../../domain/errors.ts';
import { isBlocked, stateMessage } from '../../domain/volume/describe-volume.ts';
import { CLASS_ANNOTATION, CSI_DRIVER } from '../../domain/volume/persistent-volume.ts';
import type { Resource } from '../../ports/resource-client.ts';
import { CLAIM_MODES } from '../../schemas/claim.ts';
import { checkWish, findPlaces, NOTHING_CREATED } from '../volumes/fit-volume.ts';
import type { ClaimExplanation } from './claim-words.ts';
import { judgeStaticClaim } from './judge-static-claim.ts';
import type { ClaimVerdict, SeenClaim, StoredClaim, StoredClass } from './seen-claim.ts';

const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';
const SELECTED_NODE = 'volume.kubernetes.io/selected-node';
/** Keys that external-provisioner keeps to itself. */
const RESERVED = 'csi.storage.k8s.io/';
/** A volume that takes longer to get ready is worth a word. */
const GETTING_READY_MS = 60_000;

/** Answers `holdfast explain claim`. */
export function judgeClaim(seen: SeenClaim): ClaimExplanation {
  const { claim, pods } = seen;
  const { namespace = '', name } = claim.metadata;
  const storageClass = classNameOf(claim, seen.classes);
  return {
    claim: `${namespace}/${name}`,
    phase: claim.status?.phase ?? 'Pending',
    details: [],
    ...(storageClass === undefined ? {} : { storageClass }),
    pods: pods.map(({ metadata }) => metadata.name),
    ...verdictOf(seen, storageClass),
  };
}

/** Name of the Volume that external-provisioner asks the driver for. */
export function volumeNameFor({ metadata }: StoredClaim): string {
  return `pvc-${metadata.uid}`;
}

/** Also the one that a claim without a class gets; undefined for none. */
export function classNameOf({ metadata, spec }: StoredClaim, classes: readonly StoredClass[]): string | undefined {
  const said = spec.storageClassName ?? metadata.annotations?.[CLASS_ANNOTATION];
  return said ?? classes.find((each) => each.metadata.annotations?.[DEFAULT_CLASS] === 'true')?.metadata.name;
}

function verdictOf(seen: SeenClaim, className: string | undefined): ClaimVerdict {
  const { claim, classes, volume } = seen;
  const { phase } = claim.status ?? {};
  if (claim.metadata.deletionTimestamp !== undefined) {
    return { reason: 'BeingDeleted', message: 'it is being deleted, which waits until no pod uses it' };
  }
  if (phase === 'Bound') return judgeBound(seen);
  if (phase === 'Lost') {
    return {
      reason: 'Lost',
      message: `PersistentVolume ${claim.spec.volumeName ?? ''}, which it was bound to, is gone`,
    };
  }
  const found = classes.find(({ metadata }) => metadata.name === className);
  if (found === undefined || found.provisioner === 'kubernetes.io/no-provisioner') {
    return judgeStaticClaim(seen, className);
  }
  if (found.provisioner !== CSI_DRIVER) {
    return {
      reason: 'OtherProvisioner',
      message: `StorageClass ${className} is of provisioner ${found.provisioner}, and none of Holdfast's business`,
    };
  }
  return volume === undefined ? judgeUnmade(seen, found) : judgeMade(volume, seen.now);
}

function judgeBound({ claim, persistentVolumes }: SeenClaim): ClaimVerdict {
  const name = claim.spec.volumeName ?? '';
  const found = persistentVolumes.find(({ metadata }) => metadata.name === name);
  const { csi } = found?.spec ?? {};
  const message = `it is bound to PersistentVolume ${name}`;
  if (csi?.driver !== CSI_DRIVER) return { reason: 'Bound', message };
  const volume = csi.volumeHandle;
  return { reason: 'Bound', message, volume, hint: `for its volume see: holdfast explain volume ${volume}` };
}

function judgeMade(volume: Resource<'Volume'>, now: number): ClaimVerdict {
  const { name, creationTimestamp } = volume.metadata;
  const made = { volume: name, hint: `for all of it see: holdfast explain volume ${name}` };
  if (isBlocked(volume)) {
    return { ...made, reason: 'NoPlaceForVolume', message: `volume ${name} has no place: ${stateMessage(volume)}` };
  }
  if (volume.status?.phase === 'Ready') {
    return { ...made, reason: 'WaitsForBinder', message: `volume ${name} is ready; the claim is bound to it next` };
  }
  const isLate = now - Date.parse(creationTimestamp) > GETTING_READY_MS;
  const reason = isLate ? 'VolumeNotReady' : 'VolumeGettingReady';
  return { ...made, reason, message: `volume ${name} is not ready: ${stateMessage(volume)}` };
}

/** No volume was made for it yet: would it fit, and who has to act? */
function judgeUnmade(seen: SeenClaim, found: StoredClass): ClaimVerdict {
  const { claim, pods } = seen;
  const { dataSource } = claim.spec;
  const waitsForPod = found.volumeBindingMode === 'WaitForFirstConsumer';
  // What it begins with decides about its layout and place, and external-provisioner finds it first.
  const fit = dataSource === undefined || dataSource === null ? fitOf(seen, found) : { where: '' };
  if ('verdict' in fit) return fit.verdict;
  const unscheduled = pods.flatMap((pod) => (unscheduledMessage(pod) === undefined ? [] : [pod]))[0];
  if (waitsForPod && unscheduled !== undefined) {
    return {
      reason: 'PodNotScheduled',
      message: `pod ${unscheduled.metadata.name} is not scheduled: ${unscheduledMessage(unscheduled)}`,
      ...(fit.where === '' ? {} : { hint: `a volume for the claim would fit on ${fit.where}: let the pod run there` }),
    };
  }
  if (waitsForPod && pods.length === 0) {
    return { reason: 'WaitsForPod', message: 'its volume is made when a pod uses it, near that pod' };
  }
  const { namespace = '', name } = claim.metadata;
  return {
    reason: 'WaitsForProvisioner',
    message: 'a volume for it would fit; external-provisioner has not asked for one yet',
    hint: `its events tell more: kubectl describe pvc -n ${namespace} ${name}`,
  };
}

type Fit = { readonly where: string } | { readonly verdict: ClaimVerdict };

function fitOf({ claim, places }: SeenClaim, found: StoredClass): Fit {
  try {
    const { request, isLocal } = requestOf(claim, found);
    const places_ = findPlaces(checkWish(request), request, places);
    const fitting = places_.explanation.nodes.filter(({ checks }) => checks.every(({ isPassed }) => isPassed));
    const nodes = isLocal ? fitting : places_.placement;
    return { where: [...new Set(nodes.map(({ node }) => node))].toSorted().join(', ') };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { verdict: refusalOf(error) };
  }
}

function refusalOf(error: AppError): ClaimVerdict {
  const message = error.message.replace(NOTHING_CREATED, '');
  const reason = isAppError(error, 'capacity') ? 'NoPlaceForVolume' : 'ClaimCannotBeFollowed';
  const details = error.faults.map(({ field, message: why }) => `${field}: ${why}`);
  return { reason, message, details, ...(error.hint === undefined ? {} : { hint: error.hint }) };
}

/** What the driver will be asked for, and makes of it. @throws {AppError} as the driver does */
function requestOf(claim: StoredClaim, found: StoredClass) {
  const name = volumeNameFor(claim);
  const all = found.parameters ?? {};
  const own = Object.fromEntries(Object.entries(all).filter(([key]) => !key.startsWith(RESERVED)));
  const { wish, size } = wishOf(claim, { name, own, fsType: all[`${RESERVED}fstype`] ?? '' });
  const isLocal = wish.engine === 'local';
  const selected = claim.metadata.annotations?.[SELECTED_NODE];
  const nodes = isLocal && selected !== undefined ? { nodes: [selected] } : {};
  return { isLocal, request: { ...wish, ...nodes, name, size } };
}

function wishOf(
  { metadata, spec }: StoredClaim,
  { name, own, fsType }: { readonly name: string; readonly own: Record<string, string>; readonly fsType: string },
): { readonly wish: VolumeWish; readonly size: string } {
  const bytes = (quantity: string | undefined) => BigInt(quantity === undefined ? 0 : parseQuantity(quantity));
  const range = {
    requiredBytes: bytes(spec.resources?.requests?.['storage']),
    limitBytes: bytes(spec.resources?.limits?.['storage']),
  };
  const accessModes = CLAIM_MODES.filter((mode) => spec.accessModes?.includes(mode) === true);
  const type = spec.volumeMode === 'Block' ? ('block' as const) : ('mount' as const);
  const accesses = csiModesOf({ accessModes }).map((mode) => ({ type, mode, fsType, flags: [] }));
  const about = { namespace: metadata.namespace ?? '', name: metadata.name };
  const wish = settleWish(readParameters(own), accesses, { name, parameters: { ...metadataOf(about, name), ...own } });
  return { wish, size: formatQuantity(chooseSize(range)) };
}

function unscheduledMessage({ status }: Resource<'Pod'>): string | undefined {
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled');
  return scheduled?.status === 'False' && scheduled.reason === 'Unschedulable' ? (scheduled.message ?? '') : undefined;
}
