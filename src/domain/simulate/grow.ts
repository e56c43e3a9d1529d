/** When pools would be full if what is promised in them grew by a share each month. Nothing is changed by asking. */
import { AppError } from '../errors.ts';
import { placementNode } from '../placement/from-resources.ts';
import { roomOf } from '../placement/model.ts';
import { promisedCopies } from './see-volume.ts';
import { simulateLoss } from './simulate-loss.ts';
import type { StoredCluster } from './stored-cluster.ts';

export interface GrowthRequest {
  /** Growth a month: 20 is 20 %, compounded. */
  readonly percent: number;
  /** How many months to look ahead. */
  readonly months: number;
}

export interface Fill {
  /** Sizes of the copies placed there, written or not. */
  readonly committedBytes: number;
  /** What they may come to: with the room that is left. */
  readonly limitBytes: number;
  /** 0: it does not fit now; undefined: not within the months looked at. */
  readonly fullInMonth?: number;
}

export interface PoolGrowth extends Fill {
  readonly node: string;
  readonly pool: string;
  /** Part of the committed bytes in directory bricks, which take space only as they are written. */
  readonly thinBytes: number;
}

export interface PoolNameGrowth extends Fill {
  readonly pool: string;
  readonly nodes: number;
  readonly thinBytes: number;
  /** The same data on the nodes that are left when the one with the most space is gone. */
  readonly afterLoss?: Fill & {
    readonly node: string;
    /** Volumes of this pool that would find no place for a lost copy even now. */
    readonly withoutPlace: readonly string[];
  };
}

export interface GrowthReport extends GrowthRequest {
  /** By pool and node. */
  readonly pools: readonly PoolGrowth[];
  /** All pools of one name together: as late as any placing could make it. */
  readonly totals: readonly PoolNameGrowth[];
  /** Pools that no agent has reported, so that nobody knows their size. */
  readonly unknown: readonly { readonly node: string; readonly pool: string }[];
}

export const MAX_MONTHS = 120;
const MAX_PERCENT = 1000;

/**
 * Reads "20%/month", "20%" or "20".
 *
 * @throws {AppError} invalid or range
 */
export function parseGrowth(text: string): number {
  const digits = /^(?<digits>\d{1,9}(?:\.\d{1,3})?)%?(?:\/month)?$/.exec(text)?.groups?.['digits'];
  if (digits === undefined) {
    throw new AppError('invalid', `${JSON.stringify(text.slice(0, 40))} is not a growth`, {
      hint: 'write a percentage a month, for example 20%/month',
    });
  }
  const percent = Number(digits);
  if (percent > MAX_PERCENT) throw new AppError('range', `${text} is too much: at most ${MAX_PERCENT}%/month`);
  return percent;
}

/**
 * Reads a number of months.
 *
 * @throws {AppError} invalid or range
 */
export function parseMonths(text: string): number {
  const months = /^\d{1,4}$/.test(text) ? Number(text) : undefined;
  if (months === undefined) {
    throw new AppError('invalid', `${JSON.stringify(text.slice(0, 40))} is not a whole number of months`);
  }
  if (months < 1 || months > MAX_MONTHS) {
    throw new AppError('range', `${months} months cannot be looked ahead: choose from 1 to ${MAX_MONTHS}`);
  }
  return months;
}

/** Answers `holdfast simulate grow`. */
export function simulateGrowth(stored: StoredCluster, request: GrowthRequest): GrowthReport {
  const copies = promisedCopies(stored);
  const seen = stored.nodes.flatMap((node) => {
    const view = placementNode(node, copies, 'gluster');
    return view.pools.map((pool) => ({ node: view.name, pool }));
  });
  // A pool that was seen once keeps its size while its node is away; one never seen has none.
  const known = seen.filter(({ pool }) => pool.capacityBytes > 0).toSorted(byPoolAndNode);
  const pools = known.map(({ node, pool }): PoolGrowth => {
    const own = copies.filter(({ spec }) => spec.node === node && spec.pool === pool.name);
    const thin = own.filter(({ spec }) => spec.brick === 'directory');
    return {
      node,
      pool: pool.name,
      thinBytes: thin.reduce((sum, { spec }) => sum + spec.sizeBytes, 0),
      ...fill(pool.committedBytes, pool.committedBytes + roomOf(pool), request),
    };
  });
  const names = [...new Set(pools.map((pool) => pool.pool))];
  return {
    ...request,
    pools,
    totals: names.map((name) => total(stored, name, { pools, request })),
    unknown: seen.filter(({ pool }) => pool.capacityBytes === 0).map(({ node, pool }) => ({ node, pool: pool.name })),
  };
}

function total(
  stored: StoredCluster,
  name: string,
  { pools, request }: { readonly pools: readonly PoolGrowth[]; readonly request: GrowthRequest },
): PoolNameGrowth {
  const own = pools.filter((pool) => pool.pool === name);
  const sum = (value: (pool: PoolGrowth) => number) => own.reduce((all, pool) => all + value(pool), 0);
  const [committed, limit] = [sum((pool) => pool.committedBytes), sum((pool) => pool.limitBytes)];
  const largest = own.toSorted((a, b) => b.limitBytes - a.limitBytes)[0];
  const whole = { pool: name, nodes: own.length, thinBytes: sum((pool) => pool.thinBytes) };
  const filled = fill(committed, limit, request);
  if (largest === undefined) return { ...whole, ...filled };
  const here = new Set(stored.volumes.filter(({ spec }) => spec.pool === name).map(({ metadata }) => metadata.name));
  const { volumes } = simulateLoss(stored, [largest.node]);
  const withoutPlace = volumes.filter(({ volume, restore }) => here.has(volume) && restore?.hasRoom === false);
  return {
    ...whole,
    ...filled,
    afterLoss: {
      node: largest.node,
      ...fill(committed, limit - largest.limitBytes, request),
      withoutPlace: withoutPlace.map(({ volume }) => volume),
    },
  };
}

function fill(committedBytes: number, limitBytes: number, { percent, months }: GrowthRequest): Fill {
  for (let month = 0; month <= months; month += 1) {
    const grown = committedBytes * (1 + percent / 100) ** month;
    if (grown > limitBytes) return { committedBytes, limitBytes, fullInMonth: month };
  }
  return { committedBytes, limitBytes };
}

type SeenPool = { readonly node: string; readonly pool: { readonly name: string } };

function byPoolAndNode(a: SeenPool, b: SeenPool): number {
  const key = ({ node, pool }: SeenPool) => `${pool.name} ${node}`;
  return key(a) < key(b) ? -1 : 1;
}
