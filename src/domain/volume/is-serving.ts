/** Whether a copy serves, from what the engine said of its brick and from what is known of its node since. */
import type { BrickStatus, PlacedCopy } from '../../schemas/volume.ts';

/** Nodes with a fresh heartbeat and a running engine, and since when; see BrickStatus.nodeReadySince. */
export type UsableNodes = ReadonlyMap<string, string>;

/** A brick serves when its node is there and the engine could reach its process and its disk. */
export function isServing(
  placed: Pick<PlacedCopy, 'copy' | 'node'>,
  bricks: readonly BrickStatus[],
  usable: UsableNodes,
): boolean {
  const brick = bricks.find((candidate) => candidate.copy === placed.copy);
  const isSeenNow = brick?.nodeReadySince === usable.get(placed.node);
  return usable.has(placed.node) && isSeenNow && brick?.isOnline === true && brick.isReadable;
}

/** The node is there, but its brick was looked at before the node went away, or never. */
export function isUnchecked(
  placed: Pick<PlacedCopy, 'copy' | 'node'>,
  bricks: readonly BrickStatus[],
  usable: UsableNodes,
): boolean {
  const brick = bricks.find((candidate) => candidate.copy === placed.copy);
  return usable.has(placed.node) && brick?.nodeReadySince !== usable.get(placed.node);
}
