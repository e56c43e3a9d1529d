/** The scores of placement. The highest sum wins; equal sums are decided by the node's name. */

import { describeAvailable } from '../bytes.ts';
import type { PlacementNode, PlacementPool } from './model.ts';
import { roomOf, zoneKey } from './model.ts';

export interface ScoredCandidate {
  readonly node: PlacementNode;
  readonly pool: PlacementPool;
  /** Copies of the replica set by zone key, placed earlier or just now. */
  readonly zoneCounts: ReadonlyMap<string, number>;
  /** Copies of the same volume on the node, of other sets; left out for a volume of one set. */
  readonly volumeCopies?: number;
}

export interface Score {
  readonly scorer: string;
  readonly points: number;
  readonly message: string;
}

export interface Scorer {
  readonly name: string;
  readonly score: (candidate: ScoredCandidate) => Omit<Score, 'scorer'>;
}

/** Taken off for each copy that a zone holds already. More than all other points together: spread always goes first. */
export const ZONE_SPREAD_POINTS = 1000;
/** Taken off for each copy of another set of the volume that the node holds: sets spread over nodes before space counts. */
export const NODE_SPREAD_POINTS = 200;
/** For a pool that is wholly free. */
export const FREE_SPACE_POINTS = 100;
/** For a node without any copy; halves with each copy it holds. Decides only between pools that are equally free. */
export const FEW_COPIES_POINTS = 0.9;

const zoneSpread: Scorer = {
  name: 'zoneSpread',
  score: ({ node, zoneCounts }) => {
    const key = zoneKey(node);
    const count = zoneCounts.get(key) ?? 0;
    const copies = count === 0 ? 'no copy' : count === 1 ? '1 copy' : `${count} copies`;
    return { points: count === 0 ? 0 : -ZONE_SPREAD_POINTS * count, message: `${key} has ${copies}` };
  },
};

const nodeSpread: Scorer = {
  name: 'nodeSpread',
  score: ({ volumeCopies = 0 }) => {
    const sets = volumeCopies === 0 ? 'no set' : volumeCopies === 1 ? '1 set' : `${volumeCopies} sets`;
    return {
      points: volumeCopies === 0 ? 0 : -NODE_SPREAD_POINTS * volumeCopies,
      message: `the node has ${sets} of it`,
    };
  },
};

const freeSpace: Scorer = {
  name: 'freeSpace',
  score: ({ pool }) => {
    const room = roomOf(pool);
    const share = pool.capacityBytes === 0 ? 0 : Math.min(1, room / pool.capacityBytes);
    return {
      // Whole points: a few bytes more or less must not outweigh an even number of copies.
      points: Math.floor(FREE_SPACE_POINTS * share),
      message: `${describeAvailable(room)} of ${describeAvailable(pool.capacityBytes)} free`,
    };
  },
};

const fewCopies: Scorer = {
  name: 'fewCopies',
  score: ({ node }) => ({
    points: FEW_COPIES_POINTS / 2 ** Math.min(node.copyCount, 30),
    message: `${node.copyCount} ${node.copyCount === 1 ? 'copy' : 'copies'} on the node`,
  }),
};

const ONE_SET: readonly Scorer[] = [zoneSpread, freeSpace, fewCopies];
const SEVERAL_SETS: readonly Scorer[] = [zoneSpread, nodeSpread, freeSpace, fewCopies];

/** Scores a candidate that passed every filter. */
export function scoreCandidate(candidate: ScoredCandidate): readonly Score[] {
  const scorers = candidate.volumeCopies === undefined ? ONE_SET : SEVERAL_SETS;
  return scorers.map((scorer) => ({ scorer: scorer.name, ...scorer.score(candidate) }));
}

/** The sum that candidates are compared by. */
export function totalPoints(scores: readonly Score[]): number {
  return scores.reduce((sum, score) => sum + score.points, 0);
}
