/** Explains a placement: every node against every filter, and the scores of those that passed. */

import { FILTERS } from './filters.ts';
import type { CopyRole, PlacementInput } from './model.ts';
import { type Score, totalPoints } from './scorers.ts';
import { type PlacementStep, walkPlacement } from './walk-placement.ts';

export interface ExplainedCheck {
  readonly filter: string;
  readonly isPassed: boolean;
  /** Why not; only of a filter that did not pass. */
  readonly message?: string;
}

/** One row of the table: a node as it was when it was taken, or when the last copy was placed. */
export interface ExplainedNode {
  readonly node: string;
  readonly pool: string;
  readonly zone?: string;
  readonly chosenFor?: { readonly index: number; readonly role: CopyRole };
  readonly checks: readonly ExplainedCheck[];
  readonly scores: readonly Score[];
  readonly points?: number;
}

export interface PlacementExplanation {
  readonly volume: string;
  readonly filters: readonly string[];
  readonly nodes: readonly ExplainedNode[];
}

/** The table behind `holdfast explain` and the dashboard; the same walk as {@link choosePlacement}. */
export function explainPlacement(input: PlacementInput): PlacementExplanation {
  const { request } = input;
  const steps = walkPlacement(input);
  const last = steps.at(-1);
  const nodes = (last?.weighed ?? []).flatMap(({ node: { name } }): readonly ExplainedNode[] => {
    const own = steps.filter((step) => step.chosen?.node === name);
    // A node that takes copies of several sets has a row for each.
    const rows = own.length === 0 && last !== undefined ? [last] : own;
    return rows.flatMap((step) => explainNode(step, name, request.pool) ?? []);
  });
  return { volume: request.volume, filters: FILTERS.map((filter) => filter.name), nodes };
}

function explainNode(step: PlacementStep, name: string, pool: string): ExplainedNode | undefined {
  const seen = step.weighed.find((candidate) => candidate.node.name === name);
  if (seen === undefined) return undefined;
  const { node, failed, scores } = seen;
  const { index, role } = step.copy;
  return {
    node: name,
    pool,
    ...(node.zone === undefined ? {} : { zone: node.zone }),
    ...(step.chosen?.node === name ? { chosenFor: { index, role } } : {}),
    checks: FILTERS.map((filter) => {
      const check = failed.find((each) => each.filter === filter.name);
      return check === undefined
        ? { filter: filter.name, isPassed: true }
        : { filter: filter.name, isPassed: false, message: check.message };
    }),
    scores,
    ...(scores.length === 0 ? {} : { points: totalPoints(scores) }),
  };
}
