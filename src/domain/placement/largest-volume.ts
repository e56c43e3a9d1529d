/** The largest volume that would be placed now: for CSI GetCapacity, which schedulers ask for each class and node. */
import { formatQuantity, MIB } from '../bytes.ts';
import { MIN_VOLUME_BYTES } from '../volume/copy-size.ts';
import { failedChecks, USABILITY_FILTERS } from './filters.ts';
import { poolSizes, type VolumeToPlace } from './from-resources.ts';
import type { CopyRole, PlacementInput } from './model.ts';
import { roomOf } from './model.ts';
import { isWhole, setsOf, walkPlacement } from './walk-placement.ts';

type Sizes = Readonly<Record<CopyRole, number>>;
type Fits = (sizes: Sizes) => boolean;

/**
 * Looks at nodes and pools once, and tries sizes on the bytes that are left in them. Nothing is placed, but for several sets with
 * an arbiter each: how copies of two sizes go together only placement knows.
 *
 * Property (largest-volume.prop.test.ts): a volume of the answer is placed, one of a MiB more is not.
 *
 * @param input - for the volume in any size, before it has a copy
 * @param spec - of that volume
 * @returns usable bytes in whole MiB; 0 when not even the smallest volume fits
 */
export function largestVolume(input: PlacementInput, spec: VolumeToPlace['spec']): number {
  const rooms = usableRooms(input);
  const fits = fitsOn(rooms, input);
  const isPlaced = (mebibytes: number) => fits(poolSizes({ ...spec, size: formatQuantity(mebibytes * MIB) }));
  const least = MIN_VOLUME_BYTES / MIB;
  if (!isPlaced(least)) return 0;
  // No byte of a volume is in less than one place.
  let [low, high] = [least, Math.floor(rooms.reduce((sum, room) => sum + room, 0) / MIB)];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (isPlaced(middle)) low = middle;
    else high = middle - 1;
  }
  return low * MIB;
}

/** Bytes that each node could give, the roomiest first. */
function usableRooms({ request, nodes }: PlacementInput): readonly number[] {
  const base = { request, takenNodes: new Set<string>(), sizeBytes: 0 };
  return nodes
    .filter((node) => failedChecks({ ...base, node }, USABILITY_FILTERS).length === 0)
    .map((node) => {
      const pool = node.pools.find(({ name }) => name === request.pool);
      return pool === undefined ? 0 : roomOf(pool);
    })
    .toSorted((a, b) => b - a);
}

function fitsOn(rooms: readonly number[], input: PlacementInput): Fits {
  const { copies } = input.request;
  const sets = setsOf(input).length;
  const data = copies.filter(({ role }) => role === 'data').length;
  if (sets === 1) {
    // The roomiest nodes take the larger copies.
    const room = (place: number) => rooms[place] ?? Number.NEGATIVE_INFINITY;
    return (sizes) =>
      room(data - 1) >= sizes.data && (data === copies.length || room(copies.length - 1) >= sizes.arbiter);
  }
  if (data === copies.length) {
    // Each node takes as many copies as it has room for, but one of each set (Gale and Ryser, for equal sets).
    const places = (bytes: number) => rooms.reduce((sum, room) => sum + Math.min(sets, Math.floor(room / bytes)), 0);
    return (sizes) => places(sizes.data) >= copies.length;
  }
  return (sizeBytes) => {
    const sized = { ...input, request: { ...input.request, sizeBytes } };
    return isWhole(sized, walkPlacement(sized));
  };
}
