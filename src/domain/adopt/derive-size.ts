/** How much a volume of others' making holds: the limit that the engine enforces, else what its file systems have. Pure. */

import { formatQuantity, MIB } from '../bytes.ts';
import type { DerivedLayout } from './derive-layout.ts';
import type { SeenPoolVolume } from './seen-pool.ts';

interface DerivedSize {
  readonly size: string;
  /** The size is a limit of the engine. */
  readonly isLimit: boolean;
}

/**
 * The size; undefined while the machines of a set do not answer, so that it cannot be known.
 *
 * Each set has as much as the smallest of its bricks; files are spread over sets without regard to their size, so a volume
 * is as many times as large as its smallest set.
 */
export function deriveSize(volume: SeenPoolVolume, layout: DerivedLayout, setSize: number): DerivedSize | undefined {
  if (volume.limitBytes !== undefined) return { size: formatQuantity(volume.limitBytes), isLimit: true };
  const { bricks } = volume;
  const sets = Array.from({ length: bricks.length / setSize }, (_, set) =>
    bricks.slice(set * setSize, (set + 1) * setSize),
  );
  const smallest = sets.map((set) => {
    const known = set.flatMap((brick) => (brick.isArbiter ? [] : (shareOf(brick, bricks) ?? [])));
    return known.length === 0 ? undefined : Math.min(...known);
  });
  const bytes = smallest.map((each) => each ?? 0);
  if (smallest.includes(undefined)) return undefined;
  const total = Math.min(...bytes) * sets.length * (layout.disperseData ?? 1);
  // A rounder number, and never more than there is.
  return { size: formatQuantity(total < MIB ? total : Math.floor(total / MIB) * MIB), isLimit: false };
}

type Brick = SeenPoolVolume['bricks'][number];

/** Bricks of one volume that lie in one file system share it. */
function shareOf({ capacityBytes, hostId, device }: Brick, bricks: readonly Brick[]): number | undefined {
  if (capacityBytes === undefined) return undefined;
  const sharing = bricks.filter((each) => device !== undefined && each.hostId === hostId && each.device === device);
  return Math.floor(capacityBytes / Math.max(1, sharing.length));
}
