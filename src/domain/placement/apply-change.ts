/** What the machines would be after a change: lets placement check its own advice, and answers what-if questions. */
import type { Change, PlacementInput, PlacementNode, PlacementPool } from './model.ts';
import { isUnknown, roomOf } from './model.ts';
import { setsOf } from './walk-placement.ts';

/** The input as it would be after the change. */
export function applyChange(input: PlacementInput, change: Change): PlacementInput {
  switch (change.change) {
    case 'allowZone':
      return { ...input, request: { ...input.request, zones: [...(input.request.zones ?? []), change.zone] } };
    case 'allowNode':
      return { ...input, request: { ...input.request, onNodes: [...(input.request.onNodes ?? []), change.node] } };
    case 'readyPool':
      return onPool(input, change, (pool) => makeReady(pool, input));
    case 'addSpace':
      return onPool(input, change, (pool) => enlarge(pool, change.bytes));
    case 'addPool':
      return onNode(input, change.node, (node) => ({
        ...node,
        pools: [...node.pools, emptyPool(change.pool, change.bytes)],
      }));
    case 'addNodes':
      return addNodes(input, newNodes(input, change));
    default:
      return onNode(input, change.node, (node) => ({ ...node, ...improvement(input, node, change.change) }));
  }
}

/** What is other about a node after a change to the node itself. */
function improvement(
  input: PlacementInput,
  { pools }: PlacementNode,
  change: 'uncordon' | 'allowCopies' | 'readyNode' | 'startEngine' | 'makeAble',
): Partial<PlacementNode> {
  switch (change) {
    case 'uncordon':
      return { isCordoned: false };
    case 'allowCopies':
      return { isComputeOnly: false };
    case 'readyNode':
      return { isReady: true, engineRunning: true, ...able(input), pools: pools.map((pool) => makeReady(pool, input)) };
    case 'startEngine':
      return { engineRunning: true, ...able(input) };
    case 'makeAble':
      return able(input);
  }
}

/** Whoever adds a node for a volume lets it be placed there. */
function addNodes({ request, nodes, ...input }: PlacementInput, added: readonly PlacementNode[]): PlacementInput {
  const { onNodes } = request;
  const allowed = onNodes === undefined ? {} : { onNodes: [...onNodes, ...added.map((node) => node.name)] };
  return { ...input, request: { ...request, ...allowed }, nodes: [...nodes, ...added] };
}

function onNode(input: PlacementInput, name: string, edit: (node: PlacementNode) => PlacementNode): PlacementInput {
  return { ...input, nodes: input.nodes.map((node) => (node.name === name ? edit(node) : node)) };
}

function onPool(
  input: PlacementInput,
  at: { readonly node: string; readonly pool: string },
  edit: (pool: PlacementPool) => PlacementPool,
): PlacementInput {
  return onNode(input, at.node, (node) => ({
    ...node,
    pools: node.pools.map((pool) => (pool.name === at.pool ? edit(pool) : pool)),
  }));
}

/** Raises the room by `bytes`, whichever of free space and capacity holds it down. */
function enlarge(pool: PlacementPool, bytes: number): PlacementPool {
  const room = roomOf(pool) + bytes;
  return {
    ...pool,
    freeBytes: Math.max(pool.freeBytes, room + pool.promisedBytes),
    capacityBytes: Math.max(pool.capacityBytes, room + pool.committedBytes),
  };
}

/** A pool that nobody has seen yet is taken to be large enough: nothing says otherwise. */
function makeReady(pool: PlacementPool, { request }: PlacementInput): PlacementPool {
  if (!isUnknown(pool)) return { ...pool, isReady: true };
  return emptyPool(pool.name, Math.max(...Object.values(request.sizeBytes)) * setsOf({ request }).length);
}

function emptyPool(name: string, bytes: number): PlacementPool {
  return { name, isReady: true, capacityBytes: bytes, freeBytes: bytes, promisedBytes: 0, committedBytes: 0 };
}

/** Nobody knows what a node that has said nothing yet can do; what is advised is one that can. */
function able({ request: { needs = [] } }: PlacementInput): Pick<PlacementNode, 'abilities'> {
  return { abilities: needs.flat() };
}

function newNodes(input: PlacementInput, change: Change & { change: 'addNodes' }): readonly PlacementNode[] {
  const zone = input.request.zones?.[0];
  return Array.from({ length: change.count }, (_, at) => ({
    // An upper-case letter cannot stand in a node's name, so this is never the name of a real one.
    name: `NEW-${at}`,
    ...(zone === undefined ? {} : { zone }),
    isReady: true,
    isCordoned: false,
    engineRunning: true,
    ...able(input),
    copyCount: 0,
    pools: [emptyPool(change.pool, change.bytes)],
  }));
}
