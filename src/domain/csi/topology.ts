/** Which nodes reach a volume, and on which of them a caller wants it. */
import { nodeNameFault } from '../names.ts';
import type { EngineName } from '../volume/engines.ts';
import { NODE_TOPOLOGY } from '../volume/persistent-volume.ts';

/** A topology of CSI: who has all these keys with these values is in it. */
export type Segments = Readonly<Record<string, string>>;

/** Of a call: the volume has to be usable in one of `requisite`, and best in an early one of `preferred`. */
export interface TopologyWish {
  readonly requisite: readonly Segments[];
  readonly preferred: readonly Segments[];
}

/** The topology that is one node. */
export function nodeSegments(node: string): { [key: string]: string } {
  return { [NODE_TOPOLOGY]: node };
}

/** The name of no node. */
const ANY = '*';

/** The node that a topology is, '*' for one without keys, undefined for one that no node of ours is in. */
export function nodeIn(segments: Segments): string | undefined {
  const entries = Object.entries(segments);
  if (entries.length === 0) return ANY;
  const node = segments[NODE_TOPOLOGY];
  return entries.length === 1 && node !== undefined && nodeNameFault(node) === undefined ? node : undefined;
}

/** The restriction of placement to the nodes of a topology; undefined where it has none. */
export function nodesIn(segments: Segments | undefined): { readonly nodes?: readonly string[] } | undefined {
  const node = segments === undefined ? ANY : nodeIn(segments);
  if (node === undefined) return undefined;
  return node === ANY ? {} : { nodes: [node] };
}

/** Nodes to place a volume on, the best first; `others` when all of those are full: 'any' is without restriction. */
export interface NodeOrder {
  readonly first: readonly string[];
  readonly others: readonly string[] | 'any';
}

/** Undefined where nothing is asked. Without `requisite` the preferred nodes come first, and any other will do. */
export function orderNodes({ requisite, preferred }: TopologyWish): NodeOrder | undefined {
  if (requisite.length === 0 && preferred.length === 0) return undefined;
  const required = requisite.map(nodeIn);
  const isAnyAllowed = requisite.length === 0 || required.includes(ANY);
  const first = named(preferred.map(nodeIn)).filter((node) => isAnyAllowed || required.includes(node));
  return { first, others: isAnyAllowed ? 'any' : named(required).filter((node) => !first.includes(node)) };
}

/** Whether a volume on that node is one that the wish allows. */
export function allowsNode({ requisite }: TopologyWish, node: string): boolean {
  return requisite.length === 0 || requisite.some((each) => [ANY, node].includes(nodeIn(each) ?? ''));
}

function named(nodes: readonly (string | undefined)[]): readonly string[] {
  return [...new Set(nodes)].flatMap((node) => (node === undefined || node === ANY ? [] : [node]));
}

interface PlacedVolume {
  readonly spec: { readonly engine: EngineName; readonly nodes?: readonly string[] | undefined };
  readonly status?: { readonly placement?: readonly { readonly node: string }[] | undefined } | undefined;
}

/** The one node that can use a volume; undefined for one that every node can, and for one that has no place yet. */
export function homeOf({ spec, status }: PlacedVolume): string | undefined {
  if (spec.engine !== 'local') return undefined;
  const only = spec.nodes?.length === 1 ? spec.nodes[0] : undefined;
  return status?.placement?.[0]?.node ?? only;
}
