/** What can be said of a claim for a volume: for `holdfast explain claim` and for events about it and its pods. */

/** Stable words for programs; those of {@link TROUBLES} are reasons of events too. */
export type ClaimReason =
  | 'Bound'
  | 'Lost'
  | 'BeingDeleted'
  | 'NoClass'
  | 'ClassNotFound'
  | 'OtherProvisioner'
  | 'WaitsForPod'
  | 'WaitsForProvisioner'
  | 'WaitsForBinder'
  | 'VolumeGettingReady'
  | ClaimTrouble;

/** Without somebody's doing these do not go away. */
export const TROUBLES = [
  'ClaimCannotBeFollowed',
  'NoPlaceForVolume',
  'PodNotScheduled',
  'VolumeNotReady',
  'NoVolumeMatches',
] as const;
export type ClaimTrouble = (typeof TROUBLES)[number];

export interface ClaimExplanation {
  /** "default/data". */
  readonly claim: string;
  /** As Kubernetes says it: Pending, Bound, Lost. */
  readonly phase: string;
  readonly reason: ClaimReason;
  /** One sentence. */
  readonly message: string;
  /** For each node, volume or parameter that the message is about: why not. */
  readonly details: readonly string[];
  /** What to do or to change. */
  readonly hint?: string;
  readonly storageClass?: string;
  /** Name of Holdfast's volume; left out while there is none. */
  readonly volume?: string;
  /** Pods that use the claim and do not run yet. */
  readonly pods: readonly string[];
}

/** Details that a sentence repeats; the explanation has them all. */
const MAX_DETAILS = 8;

/** All of it in one line, for an event. */
export function sentenceOf({ message, details, hint }: ClaimExplanation): string {
  const shown = details.slice(0, MAX_DETAILS);
  const more = details.length > MAX_DETAILS ? `; and ${details.length - MAX_DETAILS} more` : '';
  const why = shown.length === 0 ? '' : `: ${shown.join('; ')}${more}`;
  return `${message}${why}${hint === undefined ? '' : ` (${hint})`}`;
}

/** The reason of an event; undefined for what goes its way. */
export function troubleOf({ reason }: Pick<ClaimExplanation, 'reason'>): ClaimTrouble | undefined {
  return TROUBLES.find((trouble) => trouble === reason);
}
