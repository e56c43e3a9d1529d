/** Where the copies of a volume go. Pure: the same input, in any order, gives the same answer. */

import { describeNeed } from '../bytes.ts';
import type { PlacementInput, PlacementResult, Rejection } from './model.ts';
import { describeChanges, findSmallestChange } from './smallest-change.ts';
import { isWhole, type PlacementStep, setOf, setsOf, walkPlacement } from './walk-placement.ts';

/**
 * Chooses a node and pool for each wanted copy, for the controller and for dry runs.
 *
 * Properties (choose-placement.prop.test.ts): never two copies of a set on a node; a single set as even over
 * zones as any valid choice; never a pool without room; independent of the order of the input; `changes` really make it fit.
 */
export function choosePlacement(input: PlacementInput): PlacementResult {
  const steps = walkPlacement(input);
  if (!isWhole(input, steps)) return refuse(input, steps);
  const placed = steps.flatMap((step) => step.chosen ?? []);
  return {
    ok: true,
    placed: placed.toSorted((a, b) => a.index - b.index),
    reasons: [...steps.toSorted((a, b) => a.copy.index - b.copy.index).map(describeChoice), ...describeRejected(steps)],
  };
}

function refuse(input: PlacementInput, steps: readonly PlacementStep[]): PlacementResult {
  const { request } = input;
  const last = steps.at(-1);
  const rejections = last === undefined ? [] : rejectionsOf(last, request.pool, placedNodes(steps, last));
  const fitting = steps.length - 1;
  const changes = findSmallestChange(input);
  const need = describeNeed(last?.sizeBytes ?? 0);
  const held = input.existing.length > 0 ? ` beside the ${input.existing.length} that it has` : '';
  const message =
    `volume ${request.volume} needs ${describeWanted(input)}${held}; ` +
    `${fitting === 0 ? 'none fits' : `only ${fitting} ${fitting === 1 ? 'fits' : 'fit'}`} ` +
    `(a ${last?.copy.role ?? 'data'} copy takes ${need} in pool ${request.pool})`;
  const smallestChange = describeChanges(changes, request);
  const reasons = [message, ...rejections.map((rejection) => rejection.message), `to make it fit: ${smallestChange}`];
  return { ok: false, message, rejections, smallestChange, changes, reasons };
}

/** "3 nodes", or "6 copies in 2 sets, each set on nodes of its own". */
function describeWanted(input: PlacementInput): string {
  const wanted = input.request.copies.length;
  const sets = setsOf(input).length;
  if (sets < 2) return `${wanted} ${wanted === 1 ? 'node' : 'nodes'}`;
  return `${wanted} copies in ${sets} sets, no two of a set on one node`;
}

function describeChoice(step: PlacementStep): string {
  const { copy, chosen } = step;
  const scores = step.weighed.find((candidate) => candidate.node.name === chosen?.node)?.scores ?? [];
  const why = scores.map((score) => score.message).join(', ');
  const set = copy.set === undefined ? '' : `, set ${copy.set}`;
  return `copy ${copy.index} (${copy.role}${set}) on ${chosen?.node}, pool ${chosen?.pool}: ${why}`;
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

/** Nodes that were taken, by any set or by that of one copy. */
function placedNodes(steps: readonly PlacementStep[], like?: PlacementStep): ReadonlySet<string> {
  const own = steps.filter((step) => like === undefined || setOf(step.copy) === setOf(like.copy));
  return new Set(own.flatMap((step) => step.chosen?.node ?? []));
}
