/** What not every node can do, and a volume may ask for. */
import type { EngineWish } from './engines.ts';

/** Said by an engine of a node when it is probed. */
export const ABILITIES = ['btrfs', 'fscrypt', 'luks'] as const;
export type Ability = (typeof ABILITIES)[number];

/** Abilities of which a node must have one. */
export type Need = readonly [Ability, ...Ability[]];

const BTRFS: Need = ['btrfs'];
const LUKS: Need = ['luks'];
/** The better one first. */
const ENCRYPTION: Need = ['luks', 'fscrypt'];

/** What a node lacks that does not say it can do it. */
export function describeLack(need: Need): string {
  if (need === BTRFS) return 'the node has no btrfs: its kernel must know it, and btrfs-progs be installed';
  const luks = 'LUKS (a kernel with dm-crypt, and cryptsetup installed)';
  if (need === LUKS) return `the node has no ${luks}, and nothing else encrypts this kind of volume`;
  return `the node can encrypt no copy: it has neither ${luks} nor fscrypt (a kernel with CONFIG_FS_ENCRYPTION)`;
}

/** What the nodes of a volume's copies must be able to do. */
export function neededAbilities({
  fsType,
  brick,
  encryption,
}: Pick<EngineWish, 'fsType' | 'encryption'> & { readonly brick?: string }): readonly Need[] {
  const needs: Need[] = fsType === 'btrfs' ? [BTRFS] : [];
  if (encryption !== true) return needs;
  // fscrypt is of a folder of ext4: there is none in a device, and none of another file system.
  return [...needs, brick !== 'block' && (fsType ?? 'ext4') === 'ext4' ? ENCRYPTION : LUKS];
}
