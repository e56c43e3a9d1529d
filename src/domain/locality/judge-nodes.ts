/** Which nodes a pod may go to, for the sake of its volumes, and how good each is. Pure. */
import type { EngineName } from '../volume/engines.ts';
import type { Standing } from './copies-on.ts';
import type { Locality } from './locality.ts';

/** A node as seen for one volume of a pod. */
export type NodeState =
  | { readonly state: 'usable' }
  /** Nothing can be mounted there now; it may come back at any time. */
  | { readonly state: 'away'; readonly why: string }
  /** Nothing will be mounted there until somebody does something. */
  | { readonly state: 'barred'; readonly why: string };

/** A volume that a pod uses. */
export interface UsedVolume {
  readonly name: string;
  readonly engine: EngineName;
  /** Of the pod, else of the volume. */
  readonly locality: Locality;
  /** The one node that can use it; undefined where every node can. */
  readonly home?: string | undefined;
  /** The nodes with a copy that serves. */
  readonly copies: ReadonlyMap<string, Standing>;
}

export interface PodNeeds {
  readonly volumes: readonly UsedVolume[];
  readonly stateOf: (node: string, engine: EngineName) => NodeState;
}

export interface FilteredNodes {
  /** In the order of the question. */
  readonly passed: readonly string[];
  /** Why not, in words that are the same for like nodes: the scheduler counts them. */
  readonly failed: Readonly<Record<string, string>>;
}

/** All copies are as near as can be. */
export const BEST_SCORE = 15;
/** A copy that serves. */
export const COPY_SCORE = 10;
/** The data comes over the network. */
export const NO_COPY_SCORE = 5;
/** Nothing can be mounted now. */
export const AWAY_SCORE = 1;

/**
 * Leaves out the nodes that a pod must not go to. Nodes that are only away are left out as long as another passes: where
 * nothing else is left the pod goes to one of them and waits there, as it would without this advice.
 *
 * Properties (judge-nodes.prop.test.ts): each node is in one part of the answer; without a bar, a home or strict some pass.
 */
export function filterNodes(needs: PodNeeds, nodes: readonly string[]): FilteredNodes {
  const failed = new Map<string, string>();
  const away = new Map<string, string>();
  for (const node of nodes) {
    const bar = barOf(needs, node);
    if (bar !== undefined) failed.set(node, bar);
    else {
      const why = awayOf(needs, node);
      if (why !== undefined) away.set(node, why);
    }
  }
  const passed = nodes.filter((node) => !failed.has(node));
  const there = passed.filter((node) => !away.has(node));
  if (there.length === 0) return { passed, failed: Object.fromEntries(failed) };
  return { passed: there, failed: Object.fromEntries([...failed, ...away]) };
}

/** How good a node is: 15, 10, 5 or 1 for one volume, the rounded mean for several; 1 as soon as one cannot be mounted. */
export function scoreNode({ volumes, stateOf }: PodNeeds, node: string): number {
  if (volumes.length === 0) return 0;
  let sum = 0;
  for (const volume of volumes) {
    if (stateOf(node, volume.engine).state !== 'usable') return AWAY_SCORE;
    const standing = volume.copies.get(node);
    sum += standing === undefined ? NO_COPY_SCORE : standing === 'best' ? BEST_SCORE : COPY_SCORE;
  }
  return Math.round(sum / volumes.length);
}

function barOf({ volumes, stateOf }: PodNeeds, node: string): string | undefined {
  for (const { name, engine, locality, home, copies } of volumes) {
    const state = stateOf(node, engine);
    if (state.state === 'barred') return state.why;
    if (home !== undefined && home !== node) return `volume ${name} is local to node ${home}`;
    // What a file server has is as near to one node as to any other.
    if (locality === 'strict' && engine !== 'nfs' && !copies.has(node)) {
      return `no copy of volume ${name} that serves (locality strict)`;
    }
  }
  return undefined;
}

function awayOf({ volumes, stateOf }: PodNeeds, node: string): string | undefined {
  for (const { engine } of volumes) {
    const state = stateOf(node, engine);
    if (state.state === 'away') return state.why;
  }
  return undefined;
}
