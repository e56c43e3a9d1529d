/** How closely pods keep to the copies of their volumes: the words for it, and where a pod says it. */

/** preferred: to a node with a copy where there is one with room. strict: to such a node, or nowhere. */
export const LOCALITIES = ['preferred', 'strict'] as const;
export type Locality = (typeof LOCALITIES)[number];

/** Annotation of a pod: goes before what its volumes say. */
export const LOCALITY_ANNOTATION = 'holdfast.dev/locality';
/** The same in StorageOS, where it is a label as often as an annotation. */
const STORAGEOS_LOCALITY = 'storageos.com/locality';
/** StorageOS: "false" on a pod keeps its scheduler away from it. */
const STORAGEOS_SCHEDULER = 'storageos.com/scheduler';

/** Labels of a Kubernetes node that is to have no copies; "true" in either. */
export const COMPUTE_ONLY_LABELS = ['holdfast.dev/compute-only', 'storageos.com/computeonly'] as const;

interface PodMeta {
  readonly labels?: Readonly<Record<string, string>> | null | undefined;
  readonly annotations?: Readonly<Record<string, string>> | null | undefined;
}

/** What a pod says itself; "off" where it wants no advice; undefined where its volumes decide. An unknown word is no word. */
export function localityOfPod({ labels, annotations }: PodMeta): Locality | 'off' | undefined {
  if (annotations?.[STORAGEOS_SCHEDULER] === 'false') return 'off';
  const said = [annotations?.[LOCALITY_ANNOTATION], annotations?.[STORAGEOS_LOCALITY], labels?.[STORAGEOS_LOCALITY]];
  return LOCALITIES.find((word) => word === said.find((each) => each !== undefined));
}

/** True for a Kubernetes node with one of the labels. */
export function isComputeOnly(labels: Readonly<Record<string, string>> | undefined): boolean {
  return COMPUTE_ONLY_LABELS.some((label) => labels?.[label] === 'true');
}
