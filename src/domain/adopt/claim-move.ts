/**
 * How a claim gets from one PersistentVolume to another, one step at a time. Kubernetes lets neither the volume of a bound claim
 * nor the source of a PersistentVolume be changed, so the claim is made anew. Each step is decided from what is there, so
 * whoever was interrupted goes on where it stopped. Always true, whenever it stops:
 *
 * - the old PersistentVolume is there until it is confirmed, and keeps its data (Retain) before its claim is deleted;
 * - the words of the claim are kept on the new PersistentVolume before the claim is deleted;
 * - the claim is deleted only while no pod has it, and only the one that is bound to the old PersistentVolume.
 */

/** On the new PersistentVolume: the claim to make again, as JSON. */
export const SAVED_CLAIM_ANNOTATION = 'holdfast.dev/adopted-claim';
/** On the old PersistentVolume: the name of the new one. */
export const ADOPTED_AS_ANNOTATION = 'holdfast.dev/adopted-as';

export interface MoveState {
  readonly isOldKept: boolean;
  /** Undefined where there is none yet. */
  readonly isVolumeReady: boolean | undefined;
  readonly isOffered: boolean;
  readonly claim: 'none' | 'old' | 'going' | 'new' | 'bound' | 'other';
}

export type MoveStep =
  | 'keepOld'
  | 'addVolume'
  | 'awaitVolume'
  | 'offer'
  | 'deleteClaim'
  | 'awaitDeletion'
  | 'createClaim'
  | 'awaitBinding';

/** What is left to do, in order; nothing when the claim has its new PersistentVolume. */
export function remainingSteps({ isOldKept, isVolumeReady, isOffered, claim }: MoveState): readonly MoveStep[] {
  if (claim === 'bound') return [];
  return [
    ...when(!isOldKept, 'keepOld'),
    ...when(isVolumeReady === undefined, 'addVolume'),
    ...when(isVolumeReady !== true, 'awaitVolume'),
    ...when(!isOffered, 'offer'),
    ...when(claim === 'old', 'deleteClaim'),
    ...when(claim === 'old' || claim === 'going', 'awaitDeletion'),
    ...when(claim !== 'new', 'createClaim'),
    'awaitBinding',
  ];
}

function when(isSo: boolean, step: MoveStep): readonly MoveStep[] {
  return isSo ? [step] : [];
}

/** What the API server and its controllers wrote into a claim. */
const OF_BINDING = /^(?:pv\.kubernetes\.io\/|volume\.(?:beta\.)?kubernetes\.io\/(?:storage-provisioner|selected-node))/;

/** What of a claim is made again. */
export interface SavedClaim {
  readonly metadata: Readonly<Record<string, unknown>> & { readonly name: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** The words of a claim without its binding. */
export function saveClaim(claim: {
  readonly metadata: Readonly<Record<string, unknown>> & { readonly name: string };
  readonly spec: Readonly<Record<string, unknown>>;
}): SavedClaim {
  const { name, labels, annotations, ownerReferences } = claim.metadata;
  const { volumeName: _bound, ...spec } = claim.spec;
  const kept = Object.entries(annotations ?? {}).filter(([key]) => !OF_BINDING.test(key));
  return {
    metadata: {
      name,
      ...(labels === undefined ? {} : { labels }),
      ...(kept.length === 0 ? {} : { annotations: Object.fromEntries(kept) }),
      ...(ownerReferences === undefined ? {} : { ownerReferences }),
    },
    spec,
  };
}
