/** What not every node can do, and a volume may ask for. */
import type { EngineWish } from './engines.ts';

/** Said by an engine of a node when it is probed. */
export const ABILITIES = ['btrfs'] as const;
export type Ability = (typeof ABILITIES)[number];

/** What a node lacks that does not say it can do it. */
export const LACKS: Readonly<Record<Ability, string>> = {
  btrfs: 'the node has no btrfs: its kernel must know it, and btrfs-progs be installed',
};

/** What the nodes of a volume's copies must be able to do. */
export function neededAbilities({ fsType }: Pick<EngineWish, 'fsType'>): readonly Ability[] {
  return fsType === 'btrfs' ? ['btrfs'] : [];
}
