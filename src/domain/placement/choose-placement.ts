/** Where the copies of one replica set go. Pure: the same input, in any order, gives the same answer. */

import { describeNeed } from '../bytes.ts';
import { type Candidate, type FailedCheck, failedChecks } from './filters.ts';
import type {
  PlacedOn,
  PlacementInput,
  PlacementNode,
  PlacementPool,
  PlacementRequest,
  PlacementResult,
  Rejection,
  WantedCopy,
} from './model.ts';
import { zoneKey } from './model.ts';
import { type Score, scoreCandidate, totalPoints } from './scorers.ts';
import { describeChanges, findSmallestChange } from './smallest-change.ts';

/** What one step of the choice saw of a node; explain-placement shows these as a table. */
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

/**
 * Chooses a node and pool for each wanted copy, for the controller and for dry runs.
 *
 * Properties (choose-placement.prop.test.ts): never two copies of the set on a node; as even over zones as any valid
 * choice; never a pool without room; independent of the order of the input; `changes` really make it fit.
 */
export function choosePlacement(input: PlacementInput): PlacementResult {
  const steps = walkPlacement(input);
  const placed = steps.flatMap((step) => (step.chosen === undefined ? [] : [step.chosen]));
  if (placed.length < input.request.copies.length) return refuse(input, steps);
  return {
    ok: true,
    placed: placed.toSorted((a, b) => a.index - b.index),
    reasons: [...steps.toSorted((a, b) => a.copy.index - b.copy.index).map(describeChoice), ...describeRejected(steps)],
  };
}

/** The choice step by step, the largest copy first, until one cannot be placed. */
export function walkPlacement(input: PlacementInput): readonly PlacementStep[] {
  const { request } = input;
  const nodes = input.nodes.toSorted(byName);
  const takenNodes = new Set(input.existing.map((copy) => copy.node));
  const zoneCounts = new Map<string, number>();
  for (const copy of input.existing) addOne(zoneCounts, existingZone(copy, nodes));

  const steps: PlacementStep[] = [];
  for (const copy of largestFirst(request)) {
    const sizeBytes = request.sizeBytes[copy.role];
    const weighed = nodes.map((node) => weigh({ node, request, takenNodes, sizeBytes }, zoneCounts));
    const best = pickBest(weighed);
    steps.push({ copy, sizeBytes, weighed, chosen: best && { ...copy, node: best.name, pool: request.pool } });
    if (best === undefined) break;
    takenNodes.add(best.name);
    addOne(zoneCounts, zoneKey(best));
  }
  return steps;
}

/**
 * Copies in the order of choice. Each pool that has room for a large copy has room for a small one, so with the
 * largest first no early choice can spoil a later one.
 */
export function largestFirst(request: PlacementRequest): readonly WantedCopy[] {
  const size = (copy: WantedCopy) => request.sizeBytes[copy.role];
  return request.copies.toSorted((a, b) => size(b) - size(a) || a.index - b.index);
}

function weigh(candidate: Candidate, zoneCounts: ReadonlyMap<string, number>): Weighed {
  const { node, request } = candidate;
  const failed = failedChecks(candidate);
  const pool = poolOf(node, request.pool);
  if (failed.length > 0 || pool === undefined) return { node, failed, scores: [] };
  return { node, failed, scores: scoreCandidate({ node, pool, zoneCounts }) };
}

/** Nodes come sorted by name and only a higher sum replaces the best, so the first name wins a tie. */
function pickBest(weighed: readonly Weighed[]): PlacementNode | undefined {
  let best: Weighed | undefined;
  for (const candidate of weighed) {
    if (candidate.failed.length > 0) continue;
    if (best === undefined || totalPoints(candidate.scores) > totalPoints(best.scores)) best = candidate;
  }
  return best?.node;
}

function refuse(input: PlacementInput, steps: readonly PlacementStep[]): PlacementResult {
  const { request } = input;
  const last = steps.at(-1);
  const rejections = last === undefined ? [] : rejectionsOf(last, request.pool, placedNodes(steps));
  const fitting = steps.length - 1;
  const changes = findSmallestChange(input);
  const need = describeNeed(last?.sizeBytes ?? 0);
  const held = input.existing.length > 0 ? ` beside the ${input.existing.length} that it has` : '';
  const wanted = request.copies.length;
  const message =
    `volume ${request.volume} needs ${wanted} ${wanted === 1 ? 'node' : 'nodes'}${held}; ` +
    `${fitting === 0 ? 'none fits' : `only ${fitting} ${fitting === 1 ? 'fits' : 'fit'}`} ` +
    `(a ${last?.copy.role ?? 'data'} copy takes ${need} in pool ${request.pool})`;
  const smallestChange = describeChanges(changes, request);
  const reasons = [message, ...rejections.map((rejection) => rejection.message), `to make it fit: ${smallestChange}`];
  return { ok: false, message, rejections, smallestChange, changes, reasons };
}

function describeChoice(step: PlacementStep): string {
  const { copy, chosen } = step;
  const scores = step.weighed.find((candidate) => candidate.node.name === chosen?.node)?.scores ?? [];
  const why = scores.map((score) => score.message).join(', ');
  return `copy ${copy.index} (${copy.role}) on ${chosen?.node}, pool ${chosen?.pool}: ${why}`;
}

/** Why the nodes that were not taken were not, seen when the last and smallest copy was placed. */
function describeRejected(steps: readonly PlacementStep[]): readonly string[] {
  const last = steps.at(-1);
  if (last === undefined) return [];
  return rejectionsOf(last, last.chosen?.pool ?? '', placedNodes(steps)).map((rejection) => rejection.message);
}

function rejectionsOf(step: PlacementStep, pool: string, ignored: ReadonlySet<string>): readonly Rejection[] {
  return step.weighed
    .filter(({ node }) => !ignored.has(node.name))
    .flatMap(({ node, failed }) =>
      failed.map(({ filter, message }) => ({ node: node.name, pool, filter, message: `${node.name}: ${message}` })),
    );
}

function placedNodes(steps: readonly PlacementStep[]): ReadonlySet<string> {
  return new Set(steps.flatMap((step) => (step.chosen === undefined ? [] : [step.chosen.node])));
}

function poolOf(node: PlacementNode, name: string): PlacementPool | undefined {
  return node.pools.find((pool) => pool.name === name);
}

function existingZone(copy: { node: string; zone?: string }, nodes: readonly PlacementNode[]): string {
  const node = nodes.find((candidate) => candidate.name === copy.node);
  return zoneKey(node ?? { name: copy.node, ...(copy.zone === undefined ? {} : { zone: copy.zone }) });
}

function addOne(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
