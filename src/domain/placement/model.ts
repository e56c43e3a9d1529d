/** What placement looks at and what it answers. Plain data, so that the controller, dry runs and the simulator share it. */

import type { Need } from '../volume/abilities.ts';

export type CopyRole = 'data' | 'arbiter';

/** One copy to be placed; `index` is its place in the engine's order of bricks. */
export interface WantedCopy {
  readonly index: number;
  readonly role: CopyRole;
  /** The set that it belongs to, from 0; left out where the volume has one. */
  readonly set?: number | undefined;
}

export interface PlacementRequest {
  readonly volume: string;
  /** The pool that copies go to, by name, on whichever node. */
  readonly pool: string;
  readonly engine: string;
  /** Bytes that one copy takes from its pool. */
  readonly sizeBytes: Readonly<Record<CopyRole, number>>;
  /** No two copies of the same set may share a node. */
  readonly copies: readonly WantedCopy[];
  /** What a copy asks of its node beside the engine; nothing when left out. */
  readonly needs?: readonly Need[];
  /** Zones that copies may be placed in; all when left out. */
  readonly zones?: readonly string[];
  /** Nodes that copies may be placed on; all when left out. */
  readonly onNodes?: readonly string[];
}

export interface PlacementPool {
  readonly name: string;
  readonly isReady: boolean;
  /** Why it is not ready, in the agent's words. */
  readonly message?: string;
  readonly capacityBytes: number;
  readonly freeBytes: number;
  /** Sizes of copies placed here whose space the file system does not count as used yet. */
  readonly promisedBytes: number;
  /** Sizes of all copies placed here; together they never exceed the capacity. */
  readonly committedBytes: number;
}

export interface PlacementNode {
  readonly name: string;
  /** A node without a zone is a zone of its own. */
  readonly zone?: string;
  readonly isReady: boolean;
  readonly isCordoned: boolean;
  /** Its Kubernetes node is labelled so: it uses volumes and keeps none. */
  readonly isComputeOnly?: boolean;
  /** Its machine was installed anew and has not rejoined the others. */
  readonly isStranger?: boolean;
  readonly engineRunning: boolean;
  /** What the engine there says it can do beside what every node can; nothing when left out. */
  readonly abilities?: readonly string[];
  /** Copies of any volume on this node. */
  readonly copyCount: number;
  readonly pools: readonly PlacementPool[];
}

/** A copy of the same volume that is there already. Its node need not be among the nodes. */
export interface ExistingCopy {
  readonly node: string;
  /** The set that it belongs to; the only one when left out. */
  readonly set?: number | undefined;
  readonly zone?: string;
}

export interface PlacementInput {
  readonly request: PlacementRequest;
  readonly nodes: readonly PlacementNode[];
  readonly existing: readonly ExistingCopy[];
}

export interface PlacedOn extends WantedCopy {
  readonly node: string;
  readonly pool: string;
}

export interface Rejection {
  readonly node: string;
  readonly pool: string;
  readonly filter: string;
  /** One line with the numbers: "kube3: 12 GiB free < 20 GiB". */
  readonly message: string;
}

/** A change to the machines that would help; `smallestChange` is a list of these in words. */
export type Change =
  | { readonly change: 'uncordon'; readonly node: string }
  | { readonly change: 'allowCopies'; readonly node: string }
  | { readonly change: 'addSpace'; readonly node: string; readonly pool: string; readonly bytes: number }
  | { readonly change: 'allowNode'; readonly node: string }
  | { readonly change: 'allowZone'; readonly node: string; readonly zone: string }
  | { readonly change: 'readyPool'; readonly node: string; readonly pool: string }
  | { readonly change: 'startEngine'; readonly node: string; readonly engine: string }
  | { readonly change: 'makeAble'; readonly node: string; readonly needs: readonly Need[] }
  | { readonly change: 'readyNode'; readonly node: string }
  | { readonly change: 'addPool'; readonly node: string; readonly pool: string; readonly bytes: number }
  | { readonly change: 'addNodes'; readonly count: number; readonly pool: string; readonly bytes: number };

export type PlacementResult =
  | { readonly ok: true; readonly placed: readonly PlacedOn[]; readonly reasons: readonly string[] }
  | {
      readonly ok: false;
      /** One sentence: how many nodes are needed and how many fit. */
      readonly message: string;
      readonly rejections: readonly Rejection[];
      /** What would make it fit, in words for a person. */
      readonly smallestChange: string;
      readonly changes: readonly Change[];
      /** The same as lines for a status: message, rejections, smallest change. */
      readonly reasons: readonly string[];
    };

/** The failure domain a node counts in. */
export function zoneKey(node: { readonly name: string; readonly zone?: string }): string {
  // Prefixed, so that a zone named like a node is not taken for it.
  return node.zone === undefined ? `node ${node.name}` : `zone ${node.zone}`;
}

/** Bytes that a new copy may take from the pool. */
export function roomOf(pool: PlacementPool): number {
  return Math.max(0, Math.min(pool.freeBytes - pool.promisedBytes, pool.capacityBytes - pool.committedBytes));
}

/** True for a pool whose size nobody has seen yet. */
export function isUnknown(pool: PlacementPool): boolean {
  return !pool.isReady && pool.capacityBytes === 0;
}
