/** Which copies of a volume serve at this moment, for people: not what a node said before it went away. */
import type { StorageNode } from '../../schemas/storage-node.ts';
import type { Volume } from '../../schemas/volume.ts';
import { usableSince } from '../node/is-usable.ts';
import { isServing } from './is-serving.ts';

/** In words as short as a cell: `yes`, or why not. */
export type ServingWord = 'yes' | 'no' | 'node away' | 'not checked yet' | 'does not answer';

/** Tells of each placed copy, by its name, whether it serves. A copy is left out until the engine has been asked once. */
export function servingCopies(volume: Volume, nodes: readonly StorageNode[]): ReadonlyMap<string, ServingWord> {
  const usable = usableSince(nodes, volume.spec.engine);
  const bricks = volume.status?.engine?.bricks ?? [];
  const words = (volume.status?.placement ?? []).flatMap((placed): (readonly [string, ServingWord])[] => {
    const brick = bricks.find((candidate) => candidate.copy === placed.copy);
    if (brick === undefined) return [];
    if (isServing(placed, bricks, usable)) return [[placed.copy, 'yes']];
    if (!usable.has(placed.node)) return [[placed.copy, 'node away']];
    if (brick.nodeReadySince !== usable.get(placed.node)) return [[placed.copy, 'not checked yet']];
    return [[placed.copy, brick.isOnline ? 'does not answer' : 'no']];
  });
  return new Map(words);
}
