/** Whether a volume would fit and why, before anything is created: the steps of `volume add`, kept instead of thrown away. */
import { choosePlacement } from '../placement/choose-placement.ts';
import { explainPlacement, type PlacementExplanation } from '../placement/explain-placement.ts';
import { countUsableNodes } from '../placement/filters.ts';
import { placementInput } from '../placement/from-resources.ts';
import type { Change, PlacedOn } from '../placement/model.ts';
import { FEW_COPIES_POINTS, FREE_SPACE_POINTS, NODE_SPREAD_POINTS, ZONE_SPREAD_POINTS } from '../placement/scorers.ts';
import type { StoredCluster } from '../simulate/stored-cluster.ts';
import { describeCopiesOf } from '../volume/describe-layout.ts';
import { type ChosenLayout, decideLayout, type LayoutRequest } from '../volume/layout.ts';
import { setCount } from '../volume/replica-sets.ts';

export interface Wish extends LayoutRequest {
  /** A Quantity: 20Gi. */
  readonly size: string;
  readonly pool: string;
  readonly brick: 'image' | 'directory';
  readonly zones?: readonly string[];
}

export interface ExplainedWish extends ChosenLayout {
  readonly fits: boolean;
  /** The answer in one sentence; where it does not fit, the one that `volume add` would refuse with. */
  readonly sentence: string;
  readonly size: string;
  readonly pool: string;
  /** What was made of the wish, such as an arbiter for the second replica. */
  readonly notes: readonly string[];
  readonly placement: readonly PlacedOn[];
  /** In words; empty when it fits. */
  readonly smallestChange: string;
  readonly changes: readonly Change[];
  /** Every node against every filter, and the scores. */
  readonly explanation: PlacementExplanation;
  readonly weights: readonly { readonly scorer: string; readonly weight: string }[];
}

/** What the points of each scorer can come to; see placement/scorers.ts. */
const WEIGHTS = [
  { scorer: 'zoneSpread', weight: `-${ZONE_SPREAD_POINTS} for each copy that the zone holds already` },
  { scorer: 'freeSpace', weight: `${FREE_SPACE_POINTS} for a pool that is wholly free` },
  { scorer: 'fewCopies', weight: `${FEW_COPIES_POINTS} for a node without copies, half of it with each copy` },
] as const;

/** Counts only for a volume of several sets. */
const SET_WEIGHT = {
  scorer: 'nodeSpread',
  weight: `-${NODE_SPREAD_POINTS} for each set of it that the node holds already`,
} as const;

export type WishAnswer =
  | { readonly ok: true; readonly explained: ExplainedWish }
  /** No number of nodes would help: the wish itself is refused. */
  | { readonly ok: false; readonly message: string; readonly hint: string };

/** Stands for the volume in sentences. */
const NAME = 'new';

/** Answers `holdfast explain placement`. */
export function explainWish({ nodes, copies }: Pick<StoredCluster, 'nodes' | 'copies'>, wish: Wish): WishAnswer {
  const { size, pool, brick, zones } = wish;
  const asked = {
    size,
    pool,
    brick,
    engine: 'gluster' as const,
    ...(zones === undefined ? {} : { zones: [...zones] }),
  };
  const toPlace = (chosen: ChosenLayout) =>
    placementInput({ name: NAME, spec: { ...asked, ...chosen } }, nodes, copies);
  const usable = countUsableNodes(toPlace({ layout: 'single', replicas: 1 }));
  // With nodes without end only the wish itself can be at fault.
  const wanted = decideLayout(wish, Number.MAX_SAFE_INTEGER);
  if (!wanted.ok) return wanted;
  const possible = decideLayout(wish, usable);
  const input = toPlace(wanted.chosen);
  const result = choosePlacement(input);
  const common = {
    ...wanted.chosen,
    size,
    pool,
    notes: wanted.notes,
    explanation: explainPlacement(input),
    weights: setCount(wanted.chosen) === 1 ? WEIGHTS : [WEIGHTS[0], SET_WEIGHT, ...WEIGHTS.slice(1)],
  };
  if (result.ok) {
    const where = result.placed.map((placed) => placed.node).join(', ');
    const sentence = `it fits: ${describeCopiesOf(wanted.chosen)} on ${where}`;
    return {
      ok: true,
      explained: { ...common, fits: true, sentence, placement: result.placed, smallestChange: '', changes: [] },
    };
  }
  const sentence = `it does not fit: ${possible.ok ? result.message : possible.message}`;
  const { smallestChange, changes } = result;
  return { ok: true, explained: { ...common, fits: false, sentence, placement: [], smallestChange, changes } };
}
