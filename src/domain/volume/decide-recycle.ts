/**
 * What to do next for a released PersistentVolume whose policy is Recycle: its volume is made anew, under the same name, so
 * that nothing of what the last claim wrote is left for the next one.
 *
 * Invariants, whatever ends the program between two steps:
 * 1. A volume is removed only as the one that its PersistentVolume was registered for, while that is released by a claim that is
 *    gone, still says Recycle, and the volume is mounted nowhere.
 * 2. A PersistentVolume is offered again only with a volume that was made for this recycling: never with the one that the last
 *    claim had, and never with somebody else's that got its name meanwhile.
 * 3. What is needed to make the volume anew is written on the PersistentVolume before the volume is removed.
 */
import type { PersistentVolume } from '../../schemas/kubernetes.ts';
import type { Volume } from '../../schemas/volume.ts';
import { CSI_DRIVER, VOLUME_UID_ANNOTATION } from './persistent-volume.ts';

/** On a PersistentVolume that is being recycled: what its volume was, as JSON. */
export const RECYCLING_ANNOTATION = 'holdfast.dev/recycling';
/** On a volume that was made anew: what for. */
const RECYCLED_FOR_ANNOTATION = 'holdfast.dev/recycled-for';
/** Of Kubernetes: the claim was not written there by a person. */
const BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller';

export interface SeenRecycling {
  readonly persistentVolume: PersistentVolume;
  /** The one of its name. */
  readonly volume: Volume | undefined;
  /** The very claim that it was bound to last does not exist. */
  readonly isClaimGone: boolean;
  /** The volume is mounted or served somewhere, or is to be. */
  readonly isInUse: boolean;
}

/** A patch of the PersistentVolume, or what is done to the volume. */
export type RecycleStep =
  | { readonly step: 'none' }
  | { readonly step: 'wait'; readonly why: string }
  | { readonly step: 'refuse'; readonly why: string }
  | { readonly step: 'note'; readonly patch: Readonly<Record<string, unknown>> }
  | { readonly step: 'remove'; readonly uid: string }
  | { readonly step: 'make'; readonly volume: NewVolume }
  | { readonly step: 'offer'; readonly patch: Readonly<Record<string, unknown>> };

export interface NewVolume {
  readonly metadata: {
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** As noted. */
interface Noted extends NewVolume {
  readonly uid: string;
}

/** True for what may have to be recycled, now or later. */
export function isRecycled({ metadata, spec }: PersistentVolume): boolean {
  const isOurs = spec.csi?.driver === CSI_DRIVER && spec.csi.volumeHandle === metadata.name;
  return isOurs && spec.persistentVolumeReclaimPolicy === 'Recycle' && metadata.deletionTimestamp === undefined;
}

/** One step; decided anew after each. */
export function decideRecycle(seen: SeenRecycling): RecycleStep {
  const { persistentVolume, volume, isClaimGone } = seen;
  const { phase } = persistentVolume.status ?? {};
  // Kubernetes, which has no recycler for CSI, calls it Failed after Released.
  const isReleased = phase === 'Released' || phase === 'Failed';
  if (!isRecycled(persistentVolume) || !isReleased || persistentVolume.spec.claimRef?.uid === undefined) {
    return { step: 'none' };
  }
  if (!isClaimGone) return { step: 'wait', why: 'its claim is still there' };
  const noted = readNote(persistentVolume);
  if (noted === undefined) return begin(seen);
  if (noted === 'unreadable') return { step: 'refuse', why: `its annotation ${RECYCLING_ANNOTATION} cannot be read` };
  if (volume === undefined) return { step: 'make', volume: madeFor(persistentVolume, noted) };
  if (volume.metadata.uid === noted.uid) return remove(volume, seen);
  return offer(persistentVolume, volume, noted);
}

function begin({ persistentVolume, volume, isInUse }: SeenRecycling): RecycleStep {
  const { name, annotations = {} } = persistentVolume.metadata;
  if (volume === undefined) return { step: 'refuse', why: `its volume ${name} is gone, and nothing says what it was` };
  if (annotations[VOLUME_UID_ANNOTATION] !== volume.metadata.uid) {
    return { step: 'refuse', why: `volume ${name} is not the one that it was registered for` };
  }
  const why = whyNotMadeAnew(volume);
  if (why !== undefined) return { step: 'refuse', why };
  if (isInUse) return { step: 'wait', why: `volume ${name} is still mounted somewhere` };
  const { uid, labels = {}, annotations: own = {} } = volume.metadata;
  const { restoreFrom: _done, ...spec } = volume.spec;
  const noted: Noted = { uid: uid ?? '', metadata: { labels, annotations: own }, spec };
  return { step: 'note', patch: { metadata: { annotations: { [RECYCLING_ANNOTATION]: JSON.stringify(noted) } } } };
}

/** What cannot be made anew as it was, or is not Holdfast's to erase. */
function whyNotMadeAnew({ spec }: Volume): string | undefined {
  if (spec.adopted !== undefined)
    return 'it was adopted: what is in it was not made by Holdfast, which erases none of it';
  if (spec.share !== undefined) return 'it is on a file server, whose files are not erased for another claim';
  if (spec.source !== undefined) return 'it is a clone, which would begin with what its source has';
  if (spec.keyIsGiven === true) return 'its key was given by somebody who would have to give it again';
  return undefined;
}

function remove(volume: Volume, { isInUse }: SeenRecycling): RecycleStep {
  const { name, uid = '', deletionTimestamp } = volume.metadata;
  if (deletionTimestamp !== undefined) return { step: 'wait', why: `volume ${name} is being removed` };
  return isInUse ? { step: 'wait', why: `volume ${name} is still mounted somewhere` } : { step: 'remove', uid };
}

function purposeOf({ metadata }: PersistentVolume, noted: Noted): string {
  return `${metadata.uid}/${noted.uid}`;
}

function madeFor(persistentVolume: PersistentVolume, noted: Noted): NewVolume {
  const { labels, annotations } = noted.metadata;
  const purpose = { [RECYCLED_FOR_ANNOTATION]: purposeOf(persistentVolume, noted) };
  return { metadata: { labels, annotations: { ...annotations, ...purpose } }, spec: noted.spec };
}

function offer(persistentVolume: PersistentVolume, { metadata, status }: Volume, noted: Noted): RecycleStep {
  const { name, uid, annotations, deletionTimestamp } = metadata;
  if (annotations?.[RECYCLED_FOR_ANNOTATION] !== purposeOf(persistentVolume, noted)) {
    return { step: 'refuse', why: `there is a volume ${name} that somebody else made meanwhile` };
  }
  if (deletionTimestamp !== undefined) return { step: 'wait', why: `the new volume ${name} is being deleted` };
  if (status?.phase !== 'Ready') return { step: 'wait', why: `the new volume ${name} is not ready yet` };
  const isKept = persistentVolume.metadata.annotations?.[BOUND_BY_CONTROLLER] === undefined;
  const claimRef = isKept ? { uid: null, resourceVersion: null } : null;
  const own = { [VOLUME_UID_ANNOTATION]: uid, [RECYCLING_ANNOTATION]: null, [BOUND_BY_CONTROLLER]: null };
  return { step: 'offer', patch: { metadata: { annotations: own }, spec: { claimRef } } };
}

function readNote({ metadata }: PersistentVolume): Noted | 'unreadable' | undefined {
  const text = metadata.annotations?.[RECYCLING_ANNOTATION];
  if (text === undefined) return undefined;
  try {
    const noted = JSON.parse(text) as Partial<Noted> | null;
    const isWhole =
      typeof noted?.uid === 'string' && typeof noted.metadata === 'object' && typeof noted.spec === 'object';
    return isWhole ? (noted as Noted) : 'unreadable';
  } catch {
    // No JSON: somebody has been at it.
    return 'unreadable';
  }
}
