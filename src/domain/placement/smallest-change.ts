/** What would make a placement fit that does not: the fewest and cheapest changes to the machines, as data and in words. */

import { describeNeed } from '../bytes.ts';
import { applyChange } from './apply-change.ts';
import { type Candidate, failedChecks } from './filters.ts';
import type { Change, ExistingCopy, PlacementInput, PlacementNode, PlacementRequest } from './model.ts';
import { isUnknown, roomOf } from './model.ts';
import { isWhole, setOf, setsOf, walkPlacement } from './walk-placement.ts';

/** How hard a change is for a person, the easiest first; between equals the fewer bytes decide. */
const EFFORT: Readonly<Record<Change['change'], number>> = {
  uncordon: 1,
  allowCopies: 3,
  allowZone: 2,
  allowNode: 2,
  readyPool: 4,
  startEngine: 4,
  makeAble: 4,
  addSpace: 8,
  readyNode: 16,
  addPool: 32,
  addNodes: 64,
};

interface Repair {
  readonly node: PlacementNode;
  readonly changes: readonly Change[];
}

/**
 * Finds the changes after which `choosePlacement` succeeds, none of which could be left out.
 *
 * Nodes that fit already cost nothing, so they are used first; then the nodes whose repair is the least effort; what
 * is still missing must come as new nodes.
 */
export function findSmallestChange(input: PlacementInput): readonly Change[] {
  return setsOf(input).length < 2 ? repairOneSet(input) : repairSets(input);
}

/**
 * For several sets: either as many nodes as one set needs, each with room for all sets, or new nodes with room for one copy
 * each; whichever is less effort. Both always do, and what is needless of them is dropped.
 */
function repairSets(input: PlacementInput): readonly Change[] {
  const { request, existing } = input;
  const sets = setsOf(input);
  const bytes = { data: request.sizeBytes.data * sets.length, arbiter: request.sizeBytes.arbiter * sets.length };
  const largest = sets
    .map((set) => request.copies.filter((copy) => setOf(copy) === set))
    .reduce((a, b) => (b.length > a.length ? b : a));
  const copies = largest.map((copy) => ({ index: copy.index, role: copy.role }));
  const stacked = { ...input, request: { ...request, sizeBytes: bytes, copies }, existing: existing.map(withoutSet) };
  const onFew = dropNeedless(input, repairOneSet(stacked));
  const size = Math.max(...request.copies.map((copy) => request.sizeBytes[copy.role]));
  for (let count = 1; count <= request.copies.length; count += 1) {
    const onNew: readonly Change[] = [{ change: 'addNodes', count, pool: request.pool, bytes: size }];
    if (!canPlace(onNew.reduce(applyChange, input))) continue;
    return !canPlace(onFew.reduce(applyChange, input)) || effortOf(onNew) < effortOf(onFew) ? onNew : onFew;
  }
  return onFew;
}

function withoutSet({ set: _set, ...copy }: ExistingCopy): ExistingCopy {
  return copy;
}

function repairOneSet(input: PlacementInput): readonly Change[] {
  const { request } = input;
  const sizes = request.copies.map((copy) => request.sizeBytes[copy.role]).toSorted((a, b) => b - a);
  const nodes = pickNodes(input, sizes);
  const newSizes = sizes.slice(0, sizes.length - nodes.length);
  const changes = repairAll(input, nodes, sizes.slice(newSizes.length));
  if (newSizes.length > 0) {
    const bytes = Math.max(...newSizes);
    changes.push({ change: 'addNodes', count: newSizes.length, pool: request.pool, bytes });
  }
  return dropNeedless(input, changes);
}

/** The nodes to use, as many of `sizes` (descending) as can be had by any repair. */
function pickNodes(input: PlacementInput, sizes: readonly number[]): readonly PlacementNode[] {
  const used: PlacementNode[] = [];
  for (const sizeBytes of sizes) {
    const repairs = input.nodes
      .filter((node) => !used.includes(node))
      .flatMap((node) => repairOf(input, node, sizeBytes))
      .toSorted(compareRepairs);
    const cheapest = repairs[0];
    if (cheapest !== undefined) used.push(cheapest.node);
  }
  return used;
}

/** With the largest copy in the largest room, and so on, the space to add is the least. */
function repairAll(input: PlacementInput, nodes: readonly PlacementNode[], sizes: readonly number[]): Change[] {
  const room = (node: PlacementNode) => {
    const pool = node.pools.find((candidate) => candidate.name === input.request.pool);
    if (pool === undefined) return 0;
    return isUnknown(pool) ? Number.POSITIVE_INFINITY : roomOf(pool);
  };
  const byRoom = nodes.toSorted((a, b) => room(b) - room(a) || compareNames(a, b));
  return byRoom.flatMap((node, at) => repairOf(input, node, sizes[at] ?? 0).flatMap((repair) => repair.changes));
}

/** One change can make another needless (a zone that is allowed for one node is allowed for all). The hardest go first. */
function dropNeedless(input: PlacementInput, changes: readonly Change[]): readonly Change[] {
  let kept = changes;
  for (const change of changes.toSorted((a, b) => EFFORT[b.change] - EFFORT[a.change])) {
    const without = kept.filter((other) => other !== change);
    if (canPlace(without.reduce(applyChange, input))) kept = without;
  }
  return kept;
}

/** Whether every copy finds a node; of one set by counting: a node with room for a large copy has room for a smaller one. */
export function canPlace(input: PlacementInput): boolean {
  const { request } = input;
  if (setsOf(input).length > 1) return isWhole(input, walkPlacement(input));
  const sizes = request.copies.map((copy) => request.sizeBytes[copy.role]).toSorted((a, b) => b - a);
  return sizes.every((sizeBytes, at) => {
    const fitting = input.nodes.filter((node) => failedChecks(candidateOf(input, node, sizeBytes)).length === 0);
    return fitting.length > at;
  });
}

function repairOf(input: PlacementInput, node: PlacementNode, sizeBytes: number): readonly Repair[] {
  const fixes = failedChecks(candidateOf(input, node, sizeBytes)).map((check) => check.fix);
  const changes = fixes.filter((fix) => fix !== undefined);
  // A filter without a fix (the node holds a copy already) rules the node out.
  return changes.length === fixes.length ? [{ node, changes }] : [];
}

function candidateOf(input: PlacementInput, node: PlacementNode, sizeBytes: number): Candidate {
  return { node, request: input.request, takenNodes: new Set(input.existing.map((copy) => copy.node)), sizeBytes };
}

function compareRepairs(a: Repair, b: Repair): number {
  const byEffort = effortOf(a.changes) - effortOf(b.changes);
  if (byEffort !== 0) return byEffort;
  const byBytes = bytesOf(a) - bytesOf(b);
  if (byBytes !== 0) return byBytes;
  return compareNames(a.node, b.node);
}

function compareNames(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function effortOf(changes: readonly Change[]): number {
  return changes.reduce((sum, change) => sum + EFFORT[change.change] * ('count' in change ? change.count : 1), 0);
}

function bytesOf(repair: Repair): number {
  return repair.changes.reduce((sum, change) => sum + ('bytes' in change ? change.bytes : 0), 0);
}

/** The changes as one sentence, with the way that always works at the end: another node. */
export function describeChanges(changes: readonly Change[], request: PlacementRequest): string {
  const parts = changes.map(describeChange);
  const sentence = parts.length <= 1 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
  const repairedNodes = new Set(changes.flatMap((change) => ('node' in change ? [change.node] : []))).size;
  if (repairedNodes === 0) return sentence;
  const size = describeNeed(Math.max(...Object.values(request.sizeBytes)));
  return `${sentence}, or add ${describeNodes(repairedNodes)} with ${size} free in a pool ${request.pool}`;
}

function describeChange(change: Change): string {
  switch (change.change) {
    case 'uncordon':
      return `uncordon ${change.node}`;
    case 'allowCopies':
      return `take the label that keeps copies away off ${change.node}`;
    case 'allowNode':
      return `let it be placed on ${change.node}`;
    case 'allowZone':
      return `allow zone ${change.zone}`;
    case 'readyPool':
      return `make pool ${change.pool} of ${change.node} ready`;
    case 'startEngine':
      return `start ${change.engine} on ${change.node}`;
    case 'makeAble':
      return `make ${change.node} able (${change.needs.map((need) => need.join(' or ')).join(', ')})`;
    case 'addSpace':
      return `add ${describeNeed(change.bytes)} to pool ${change.pool} of ${change.node}`;
    case 'readyNode':
      return `bring ${change.node} back`;
    case 'addPool':
      return `add a pool ${change.pool} with ${describeNeed(change.bytes)} to ${change.node}`;
    case 'addNodes':
      return `add ${describeNodes(change.count)} with ${describeNeed(change.bytes)} free in a pool ${change.pool}`;
  }
}

function describeNodes(count: number): string {
  return count === 1 ? 'a node' : `${count} nodes`;
}
