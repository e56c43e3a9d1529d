/** Explains a placement: every node against every filter, and the scores of those that passed. */
import { walkPlacement } from './choose-placement.ts';
import { FILTERS } from './filters.ts';
import type { CopyRole, PlacementInput } from './model.ts';
import { type Score, totalPoints } from './scorers.ts';

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
  const nodes = (last?.weighed ?? []).map(({ node }): ExplainedNode => {
    const own = steps.find((step) => step.chosen?.node === node.name);
    const seen = (own ?? last)?.weighed.find((candidate) => candidate.node.name === node.name);
    const scores = seen?.scores ?? [];
    return {
      node: node.name,
      pool: request.pool,
      ...(node.zone === undefined ? {} : { zone: node.zone }),
      ...(own === undefined ? {} : { chosenFor: { index: own.copy.index, role: own.copy.role } }),
      checks: FILTERS.map(({ name }) => {
        const failed = seen?.failed.find((check) => check.filter === name);
        return failed === undefined
          ? { filter: name, isPassed: true }
          : { filter: name, isPassed: false, message: failed.message };
      }),
      scores,
      ...(scores.length === 0 ? {} : { points: totalPoints(scores) }),
    };
  });
  return { volume: request.volume, filters: FILTERS.map((filter) => filter.name), nodes };
}
