/**
 * The choice of places, copy by copy, over all sets of a volume. No two copies of a set share a node; copies of different
 * sets may, but do so only when no other node fits.
 */
import { type Candidate, type FailedCheck, failedChecks } from './filters.ts';
import type { ExistingCopy, PlacedOn, PlacementInput, PlacementNode, PlacementPool, WantedCopy } from './model.ts';
import { roomOf, zoneKey } from './model.ts';
import { type Score, scoreCandidate, totalPoints } from './scorers.ts';

/** What one step of the choice saw of a node, as it was then; explain-placement shows these as a table. */
export interface Weighed {
  readonly node: PlacementNode;
  readonly failed: readonly FailedCheck[];
  /** Only of nodes that passed. */
  readonly scores: readonly Score[];
}

/** One copy's turn: every node was weighed, one was taken or none. */
export interface PlacementStep {
  readonly copy: WantedCopy;
  readonly sizeBytes: number;
  readonly weighed: readonly Weighed[];
  readonly chosen: PlacedOn | undefined;
}

/** A higher sum wins, then the name. */
type Rank = (candidate: Weighed, look: Look) => readonly number[];

interface Look {
  readonly pool: string;
  readonly zoneCounts: ReadonlyMap<string, number>;
}

const byPoints: Rank = ({ scores }) => [totalPoints(scores)];
const byRoom: Rank = ({ node }, { pool }) => [roomIn(node, pool)];
const byZoneThenRoom: Rank = (candidate, look) => [
  -(look.zoneCounts.get(zoneKey(candidate.node)) ?? 0),
  ...byRoom(candidate, look),
];

/**
 * The choice step by step, the largest copy first, until one cannot be placed.
 *
 * With one set the best node each time finds places whenever there are any. With several, a node that is taken early for
 * its points can be missed later; then the choice is made once more with the roomiest node first, which for copies of one
 * size finds places whenever there are any (each set takes the nodes that have room for the most sets).
 */
export function walkPlacement(input: PlacementInput): readonly PlacementStep[] {
  const first = walk(input, byPoints);
  if (isWhole(input, first) || setsOf(input).length < 2) return first;
  return [byZoneThenRoom, byRoom].map((rank) => walk(input, rank)).find((steps) => isWhole(input, steps)) ?? first;
}

/** True when every copy has found its place. */
export function isWhole({ request }: PlacementInput, steps: readonly PlacementStep[]): boolean {
  return steps.filter((step) => step.chosen !== undefined).length === request.copies.length;
}

/** The numbers of the sets that copies are wanted for. */
export function setsOf({ request }: Pick<PlacementInput, 'request'>): readonly number[] {
  return [...new Set(request.copies.map(setOf))].toSorted((a, b) => a - b);
}

/** The set of a copy; one without a number is of the only set. */
export function setOf({ set = 0 }: Pick<WantedCopy, 'set'>): number {
  return set;
}

function walk(input: PlacementInput, rank: Rank): readonly PlacementStep[] {
  const { request } = input;
  let nodes: readonly PlacementNode[] = input.nodes.toSorted(byName);
  let held: readonly ExistingCopy[] = input.existing;
  const isSpread = setsOf(input).length > 1 || held.some((copy) => setOf(copy) > 0);

  const steps: PlacementStep[] = [];
  for (const copy of largestFirst(input)) {
    const sizeBytes = request.sizeBytes[copy.role];
    const own = held.filter((other) => setOf(other) === setOf(copy));
    const takenNodes = new Set(own.map((other) => other.node));
    const zoneCounts = countBy(own, (other) => existingZone(other, nodes));
    const nodeCounts = isSpread ? countBy(held, (other) => other.node) : undefined;
    const weighed = nodes.map((node) => weigh({ node, request, takenNodes, sizeBytes }, { zoneCounts, nodeCounts }));
    const best = pickBest(weighed, (candidate) => rank(candidate, { pool: request.pool, zoneCounts }));
    steps.push({ copy, sizeBytes, weighed, chosen: best && { ...copy, node: best.name, pool: request.pool } });
    if (best === undefined) break;
    held = [...held, { ...copy, node: best.name }];
    nodes = nodes.map((node) => (node === best ? withCopy(node, request.pool, sizeBytes) : node));
  }
  return steps;
}

/**
 * Copies in the order of choice. Each pool that has room for a large copy has room for a small one, so with the
 * largest first no early choice can spoil a later one.
 */
function largestFirst({ request }: PlacementInput): readonly WantedCopy[] {
  const size = (copy: WantedCopy) => request.sizeBytes[copy.role];
  return request.copies.toSorted((a, b) => size(b) - size(a) || a.index - b.index);
}

interface Counts {
  readonly zoneCounts: ReadonlyMap<string, number>;
  readonly nodeCounts: ReadonlyMap<string, number> | undefined;
}

function weigh(candidate: Candidate, { zoneCounts, nodeCounts }: Counts): Weighed {
  const { node, request } = candidate;
  const failed = failedChecks(candidate);
  const pool = poolOf(node, request.pool);
  if (failed.length > 0 || pool === undefined) return { node, failed, scores: [] };
  const volumeCopies = nodeCounts === undefined ? {} : { volumeCopies: nodeCounts.get(node.name) ?? 0 };
  return { node, failed, scores: scoreCandidate({ node, pool, zoneCounts, ...volumeCopies }) };
}

/** Nodes come sorted by name and only a higher rank replaces the best, so the first name wins a tie. */
function pickBest(
  weighed: readonly Weighed[],
  rankOf: (candidate: Weighed) => readonly number[],
): PlacementNode | undefined {
  let best: { readonly node: PlacementNode; readonly rank: readonly number[] } | undefined;
  for (const candidate of weighed) {
    if (candidate.failed.length > 0) continue;
    const rank = rankOf(candidate);
    if (best === undefined || isHigher(rank, best.rank)) best = { node: candidate.node, rank };
  }
  return best?.node;
}

function isHigher(a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at >= 0 && (a[at] ?? 0) > (b[at] ?? 0);
}

/** The node with one more copy on it, whose bytes nobody else can have any more. */
function withCopy(node: PlacementNode, poolName: string, sizeBytes: number): PlacementNode {
  const pools = node.pools.map((pool) => {
    if (pool.name !== poolName) return pool;
    return {
      ...pool,
      promisedBytes: pool.promisedBytes + sizeBytes,
      committedBytes: pool.committedBytes + sizeBytes,
    };
  });
  return { ...node, copyCount: node.copyCount + 1, pools };
}

function roomIn(node: PlacementNode, poolName: string): number {
  const pool = poolOf(node, poolName);
  return pool === undefined ? 0 : roomOf(pool);
}

function poolOf(node: PlacementNode, name: string): PlacementPool | undefined {
  return node.pools.find((pool) => pool.name === name);
}

function existingZone(copy: ExistingCopy, nodes: readonly PlacementNode[]): string {
  const node = nodes.find((candidate) => candidate.name === copy.node);
  return zoneKey(node ?? { name: copy.node, ...(copy.zone === undefined ? {} : { zone: copy.zone }) });
}

function countBy<T>(items: readonly T[], key: (item: T) => string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return counts;
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
