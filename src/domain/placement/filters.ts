/** The filters of placement, in the order in which their reasons are shown. Each is a pure function with a name. */
import { describeAvailable, describeNeed, formatQuantity, MIB } from '../bytes.ts';
import { describeLack } from '../volume/abilities.ts';
import type { Change, PlacementInput, PlacementNode, PlacementRequest } from './model.ts';
import { isUnknown, roomOf } from './model.ts';

/** One node looked at for one size of copy. */
export interface Candidate {
  readonly node: PlacementNode;
  readonly request: PlacementRequest;
  /** Nodes that hold a copy of the replica set, placed earlier or just now. */
  readonly takenNodes: ReadonlySet<string>;
  readonly sizeBytes: number;
}

export interface Finding {
  readonly message: string;
  /** What would make the filter pass; undefined when nothing can. */
  readonly fix?: Change;
}

export interface Filter {
  readonly name: string;
  /** Undefined lets the node pass. */
  readonly check: (candidate: Candidate) => Finding | undefined;
}

const nodeReady: Filter = {
  name: 'nodeReady',
  check: ({ node }) =>
    node.isReady ? undefined : { message: 'the node is not ready', fix: { change: 'readyNode', node: node.name } },
};

const notCordoned: Filter = {
  name: 'notCordoned',
  check: ({ node }) =>
    node.isCordoned ? { message: 'the node is cordoned', fix: { change: 'uncordon', node: node.name } } : undefined,
};

const keepsCopies: Filter = {
  name: 'keepsCopies',
  check: ({ node }) => {
    if (node.isComputeOnly !== true) return undefined;
    const message = 'the node is labelled to run pods only, without copies';
    return { message, fix: { change: 'allowCopies', node: node.name } };
  },
};

const nodeRejoined: Filter = {
  name: 'nodeRejoined',
  check: ({ node }) => {
    if (node.isStranger !== true) return undefined;
    return { message: `the machine was installed anew; to take it back in: holdfast node rejoin ${node.name}` };
  },
};

const engineRunning: Filter = {
  name: 'engineRunning',
  check: ({ node, request }) => {
    // What a node that does not report last said of itself is not held against it as well.
    if (node.engineRunning || !node.isReady) return undefined;
    const { engine } = request;
    return { message: `${engine} is not running`, fix: { change: 'startEngine', node: node.name, engine } };
  },
};

const nodeAble: Filter = {
  name: 'nodeAble',
  check: ({ node, request: { needs = [] } }) => {
    if (!node.engineRunning || !node.isReady) return undefined;
    const missing = needs.filter((need) => !need.some((ability) => node.abilities?.includes(ability) === true));
    if (missing.length === 0) return undefined;
    const message = missing.map(describeLack).join('; ');
    return { message, fix: { change: 'makeAble', node: node.name, needs: missing } };
  },
};

const zoneAllowed: Filter = {
  name: 'zoneAllowed',
  check: ({ node, request }) => {
    const { zones } = request;
    if (zones === undefined || zones.length === 0) return undefined;
    const allowed = zones.toSorted().join(', ');
    if (node.zone === undefined) return { message: `the node has no zone; allowed: ${allowed}` };
    if (zones.includes(node.zone)) return undefined;
    return {
      message: `zone ${node.zone} is not among ${allowed}`,
      fix: { change: 'allowZone', node: node.name, zone: node.zone },
    };
  },
};

const nodeAllowed: Filter = {
  name: 'nodeAllowed',
  check: ({ node, request: { onNodes } }) => {
    if (onNodes === undefined || onNodes.includes(node.name)) return undefined;
    const message = `the node is not among ${onNodes.toSorted().join(', ')}`;
    return { message, fix: { change: 'allowNode', node: node.name } };
  },
};

const oneCopyPerNode: Filter = {
  name: 'oneCopyPerNode',
  check: ({ node, request, takenNodes }) =>
    takenNodes.has(node.name) ? { message: `the node holds a copy of ${request.volume} already` } : undefined,
};

const hasPool: Filter = {
  name: 'hasPool',
  check: ({ node, request, sizeBytes }) => {
    if (node.pools.some((pool) => pool.name === request.pool)) return undefined;
    const names = node.pools.map((pool) => pool.name).toSorted();
    const others = names.length === 0 ? 'it has no pools' : `it has ${names.join(', ')}`;
    return {
      message: `no pool ${request.pool} (${others})`,
      fix: { change: 'addPool', node: node.name, pool: request.pool, bytes: sizeBytes },
    };
  },
};

const poolReady: Filter = {
  name: 'poolReady',
  check: ({ node, request }) => {
    const pool = node.pools.find((candidate) => candidate.name === request.pool);
    if (pool === undefined || pool.isReady || !node.isReady) return undefined;
    const why = pool.message === undefined ? '' : `: ${pool.message}`;
    return {
      message: `pool ${pool.name} is not ready${why}`,
      fix: { change: 'readyPool', node: node.name, pool: pool.name },
    };
  },
};

const enoughRoom: Filter = {
  name: 'enoughRoom',
  check: ({ node, request, sizeBytes }) => {
    const pool = node.pools.find((candidate) => candidate.name === request.pool);
    if (pool === undefined || isUnknown(pool)) return undefined;
    const room = roomOf(pool);
    if (room >= sizeBytes) return undefined;
    const promised = pool.promisedBytes > 0 ? ` (${describeAvailable(pool.promisedBytes)} more is promised)` : '';
    // Whole MiB: nobody enlarges a disk by a byte, and the words must not promise less than is needed.
    const bytes = Math.ceil((sizeBytes - room) / MIB) * MIB;
    return {
      message: `${describeRoom(room, sizeBytes)}${promised}`,
      fix: { change: 'addSpace', node: node.name, pool: pool.name, bytes },
    };
  },
};

/** All filters; a node that passes every one can take a copy. */
export const FILTERS: readonly Filter[] = [
  nodeReady,
  notCordoned,
  keepsCopies,
  nodeRejoined,
  engineRunning,
  nodeAble,
  zoneAllowed,
  nodeAllowed,
  oneCopyPerNode,
  hasPool,
  poolReady,
  enoughRoom,
];

/** The filters that say whether a node could take part at all, however full it is. */
export const USABILITY_FILTERS: readonly Filter[] = FILTERS.filter(
  (filter) => filter !== enoughRoom && filter !== oneCopyPerNode,
);

export interface FailedCheck extends Finding {
  readonly filter: string;
}

/** The filters that reject a candidate, in order; empty when it can take the copy. */
export function failedChecks(candidate: Candidate, filters: readonly Filter[] = FILTERS): readonly FailedCheck[] {
  return filters.flatMap((filter) => {
    const finding = filter.check(candidate);
    return finding === undefined ? [] : [{ filter: filter.name, ...finding }];
  });
}

/** How many nodes could take part in this request at all; what a layout can count on. */
export function countUsableNodes(input: PlacementInput): number {
  return input.nodes.length - unusableNodes(input).length;
}

/** The nodes that could take no part in this request, and why not. */
export function unusableNodes({
  request,
  nodes,
}: PlacementInput): readonly { readonly node: string; readonly message: string }[] {
  const base = { request, takenNodes: new Set<string>(), sizeBytes: 0 };
  return nodes.flatMap((node) => {
    const failed = failedChecks({ ...base, node }, USABILITY_FILTERS);
    return failed.length === 0 ? [] : [{ node: node.name, message: failed.map(({ message }) => message).join('; ') }];
  });
}

function describeRoom(room: number, sizeBytes: number): string {
  const [free, need] = [describeAvailable(room), describeNeed(sizeBytes)];
  // Rounded to the same figure they would read as a contradiction.
  if (free === need) return `${formatQuantity(room)} free < ${formatQuantity(sizeBytes)} (bytes)`;
  return `${free} free < ${need}`;
}
