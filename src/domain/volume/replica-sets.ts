/**
 * The sets that a volume's copies form. Every file lies in exactly one set, on all copies of that set: what a volume can
 * do without is judged set by set, and the volume works while each set does.
 */
import type { PlacedCopy, VolumeSpec } from '../../schemas/volume.ts';
import type { CopyRole, WantedCopy } from '../placement/model.ts';
import { DEFAULT_DISPERSE_DATA, DEFAULT_REDUNDANCY } from './layout-faults.ts';

/** The fields of a volume's spec that say how copies make it. */
export type LayoutSpec = Pick<
  VolumeSpec,
  'layout' | 'replicas' | 'distribution' | 'disperseData' | 'redundancy' | 'allowSplitBrain'
>;

/** Copies with data when nothing is said: what survives any one node without a decision by anybody. */
export const DEFAULT_REPLICAS = 3;

/** One set of a volume with its copies in the engine's order. */
export interface ReplicaSet<Copy> {
  /** From 0. */
  readonly set: number;
  readonly copies: readonly Copy[];
  /** How many of the copies must serve for the set to be usable; as many as `copies.length - quorum` may be lost. */
  readonly quorum: number;
}

/** How many sets the volume is spread over: 1 where files are not distributed. */
export function setCount({ distribution }: LayoutSpec): number {
  return distribution ?? 1;
}

/** The replica count that a spec means when it names none; 1 where data is not replicated. */
export function replicasOf({ layout, replicas }: LayoutSpec): number {
  if (layout === 'replicated' || layout === 'distributed-replicated') return replicas ?? DEFAULT_REPLICAS;
  return layout === 'arbiter' ? 2 : 1;
}

/** Fragments that hold data and that are spare, of each dispersed set; undefined for any other layout. */
export function fragmentsOf(spec: LayoutSpec): { readonly data: number; readonly redundancy: number } | undefined {
  if (spec.layout !== 'dispersed' && spec.layout !== 'distributed-dispersed') return undefined;
  return { data: spec.disperseData ?? DEFAULT_DISPERSE_DATA, redundancy: spec.redundancy ?? DEFAULT_REDUNDANCY };
}

/** The roles of the copies of one set, in the engine's order. */
export function setRoles(spec: LayoutSpec): readonly CopyRole[] {
  const fragments = fragmentsOf(spec);
  const holding = fragments === undefined ? replicasOf(spec) : fragments.data + fragments.redundancy;
  const data: readonly CopyRole[] = Array.from({ length: holding }, () => 'data');
  return spec.layout === 'arbiter' ? [...data, 'arbiter'] : data;
}

/** All copies of a layout, in the engine's order: consecutive ones form a set. */
export function wantedCopies(spec: LayoutSpec): readonly WantedCopy[] {
  const roles = setRoles(spec);
  const sets = setCount(spec);
  return Array.from({ length: sets }, (_, set) =>
    roles.map((role, at) => ({ index: set * roles.length + at, role, ...(sets === 1 ? {} : { set }) })),
  ).flat();
}

/**
 * Two plain copies of which each goes on alone, so that they can diverge: only where that was allowed in so many words,
 * and only while there are two, neither of them on its way in or out.
 */
export function mayDiverge(spec: LayoutSpec, set: readonly Pick<PlacedCopy, 'isJoining' | 'isLeaving'>[]): boolean {
  const isAllowed = spec.allowSplitBrain === true && ['replicated', 'distributed-replicated'].includes(spec.layout);
  const isSettled = set.length === 2 && set.every((copy) => copy.isJoining !== true && copy.isLeaving !== true);
  return isAllowed && isSettled && replicasOf(spec) === 2;
}

/**
 * The sets of a placed volume, the first first. A set is made of the copies that carry its number, however many the spec
 * asks for, so a set that is being grown or repaired is judged by what it has.
 *
 * @param copies - of one volume, in the engine's order
 */
export function replicaSets<Copy extends Pick<PlacedCopy, 'set' | 'isJoining' | 'isLeaving'>>(
  spec: LayoutSpec,
  copies: readonly Copy[],
): readonly ReplicaSet<Copy>[] {
  const numbers = [...new Set(copies.map((copy) => copy.set ?? 0))].toSorted((a, b) => a - b);
  return numbers.map((set) => {
    const own = copies.filter((copy) => (copy.set ?? 0) === set);
    return { set, copies: own, quorum: mayDiverge(spec, own) ? 1 : quorumOf(spec, own.length) };
  });
}

/**
 * Whether the engine stops the copies where half of the pool or more is lost. Not without redundancy, nor where copies
 * may diverge (engines/gluster/options.ts): those go on however few nodes are left.
 */
export function needsPool(spec: LayoutSpec, placement: readonly PlacedCopy[]): boolean {
  if (spec.layout === 'single' || spec.layout === 'distributed') return false;
  const sets = replicaSets(spec, placement);
  return sets.length === 0 || !sets.every((set) => mayDiverge(spec, set.copies));
}

/** How many of so many copies must serve: enough fragments to compute the data, else more than half. */
function quorumOf(spec: LayoutSpec, copies: number): number {
  return fragmentsOf(spec)?.data ?? Math.floor(copies / 2) + 1;
}
