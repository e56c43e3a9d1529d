/** The layout that a volume of others' making has, in Holdfast's words; or why it has none of them. Pure. */

import { formatQuantity } from '../bytes.ts';
import { type LayoutName, layoutFaults } from '../volume/layout-faults.ts';
import type { SeenPoolVolume } from './seen-pool.ts';

/** As the plan file says it. */
export interface DerivedLayout {
  readonly layout: LayoutName;
  readonly replicas?: number;
  readonly distribution?: number;
  readonly disperseData?: number;
  readonly redundancy?: number;
  readonly shard?: string;
  readonly allowSplitBrain?: boolean;
}

type LayoutFinding =
  | { readonly ok: true; readonly layout: DerivedLayout; readonly setSize: number }
  | { readonly ok: false; readonly reason: string };

/** Derives it from the numbers that the engine gives, and checks them against the bricks. */
export function deriveLayout(volume: SeenPoolVolume): LayoutFinding {
  const { bricks } = volume;
  const base = deriveSets(volume);
  if (typeof base === 'string') return { ok: false, reason: base };
  const { setSize, ...numbers } = base;
  if (setSize < 1 || bricks.length === 0 || bricks.length % setSize !== 0) {
    return { ok: false, reason: `it has ${bricks.length} bricks, which form no sets of ${setSize}` };
  }
  const shard = shardOf(volume.options);
  if (shard?.ok === false) return { ok: false, reason: shard.reason };
  const layout = { ...numbers, ...(shard === undefined ? {} : { shard: shard.size }) };
  const [fault] = layoutFaults(layout);
  const reason = fault === undefined ? misplaced(volume, setSize) : `its ${fault.field} ${fault.message}`;
  return reason === undefined ? { ok: true, layout, setSize } : { ok: false, reason };
}

/** With the number of bricks in a set. */
type DerivedSets = DerivedLayout & { readonly setSize: number };

function deriveSets(volume: SeenPoolVolume): DerivedSets | string {
  const { type, bricks } = volume;
  if (volume.stripeCount > 1 || /stripe/i.test(type)) return `it is striped (${type}), which GlusterFS 6 removed`;
  if (volume.hasThinArbiter) return 'it has a thin arbiter, which Holdfast cannot look after';
  switch (type) {
    case 'Distribute':
      if (bricks.length === 1) return { layout: 'single', setSize: 1 };
      return { layout: 'distributed', distribution: bricks.length, setSize: 1 };
    case 'Replicate':
    case 'Distributed-Replicate':
      return volume.arbiterCount > 0 ? deriveArbiter(volume) : deriveReplicated(volume);
    case 'Disperse':
    case 'Distributed-Disperse':
      return deriveDispersed(volume);
    default:
      return `it is of type ${type === '' ? 'unknown' : type}, which Holdfast has no layout for`;
  }
}

function deriveArbiter({ bricks, replicaCount, arbiterCount }: SeenPoolVolume): DerivedSets | string {
  if (replicaCount !== 3 || arbiterCount !== 1) return `it has ${arbiterCount} arbiters of ${replicaCount} copies`;
  return { layout: 'arbiter', replicas: 2, ...spreadOver(bricks.length, 3), setSize: 3 };
}

function deriveReplicated({ bricks, replicaCount }: SeenPoolVolume): DerivedSets {
  return {
    layout: bricks.length > replicaCount ? 'distributed-replicated' : 'replicated',
    replicas: replicaCount,
    ...spreadOver(bricks.length, replicaCount),
    ...(replicaCount === 2 ? { allowSplitBrain: true } : {}),
    setSize: replicaCount,
  };
}

function deriveDispersed({ bricks, disperseCount, redundancyCount }: SeenPoolVolume): DerivedSets {
  return {
    layout: bricks.length > disperseCount ? 'distributed-dispersed' : 'dispersed',
    disperseData: disperseCount - redundancyCount,
    redundancy: redundancyCount,
    ...spreadOver(bricks.length, disperseCount),
    setSize: disperseCount,
  };
}

function spreadOver(brickCount: number, setSize: number): Pick<DerivedLayout, 'distribution'> {
  return brickCount / setSize > 1 ? { distribution: Math.floor(brickCount / setSize) } : {};
}

/** What is true of every volume that Holdfast makes, and has to be of one that it is to judge. */
function misplaced({ bricks, arbiterCount }: SeenPoolVolume, setSize: number): string | undefined {
  for (let at = 0; at < bricks.length; at += setSize) {
    const set = bricks.slice(at, at + setSize);
    const twice = set.find((brick, index) => set.findIndex((other) => other.hostId === brick.hostId) !== index);
    if (twice !== undefined) return `two bricks of one set are on ${twice.host}, whose loss would take both`;
    const arbiters = set.map((brick) => brick.isArbiter);
    const isWrong = arbiterCount === 0 ? arbiters.includes(true) : arbiters.join() !== 'false,false,true';
    if (isWrong) return 'its arbiters are not the last brick of each set';
  }
  return undefined;
}

const UNITS: Readonly<Record<string, number>> = { '': 1, B: 1, KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30, TB: 2 ** 40 };

function shardOf(
  options: SeenPoolVolume['options'],
): { readonly ok: true; readonly size: string } | { readonly ok: false; readonly reason: string } | undefined {
  if (!['on', 'enable', 'yes', 'true', '1'].includes(options['features.shard'] ?? 'off')) return undefined;
  // GlusterFS's own default where nothing is set; its KB and MB are powers of 1024.
  const written = options['features.shard-block-size'] ?? '64MB';
  const { number, unit = '' } = /^(?<number>\d{1,15})(?<unit>[KMGT]?B?)$/i.exec(written)?.groups ?? {};
  const factor = UNITS[unit.toUpperCase()] ?? UNITS[`${unit.toUpperCase()}B`];
  if (number === undefined || factor === undefined) return { ok: false, reason: `its shards are of ${written}` };
  return { ok: true, size: formatQuantity(Number(number) * factor) };
}
