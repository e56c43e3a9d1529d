/** The four striped layouts, which GlusterFS has no more, as what took their place. */
import { DEFAULT_SHARD, LAYOUTS, type LayoutName } from './layout-faults.ts';

/** As the documents of GlusterFS up to 5 call them. */
const STRIPED_LAYOUTS = [
  'striped',
  'distributed-striped',
  'striped-replicated',
  'distributed-striped-replicated',
] as const;
type StripedName = (typeof STRIPED_LAYOUTS)[number];

/** What a person may write as a layout. */
export const LAYOUT_WORDS = [...LAYOUTS, ...STRIPED_LAYOUTS] as const;
export type LayoutWord = LayoutName | StripedName;

/** True for one of the four. */
export function isStripedName(value: unknown): value is StripedName {
  return STRIPED_LAYOUTS.some((name) => name === value);
}

/** True for the name of a layout, striped or not. */
export function isLayoutWord(value: unknown): value is LayoutWord {
  return LAYOUT_WORDS.some((name) => name === value);
}

export interface Unstriped {
  readonly layout: 'distributed' | 'distributed-replicated';
  readonly shard: boolean | string;
  /** For the person who asked for stripes. */
  readonly warning: string;
}

/**
 * Stripes laid the pieces of a file over the bricks in turn. With shard on a distributed layout each piece is placed by
 * itself, so a large file is spread over the sets in the same way, and repair works piece by piece.
 */
export function unstripe(layout: StripedName, asked: boolean | string | undefined): Unstriped {
  const replacement = layout.endsWith('replicated') ? 'distributed-replicated' : 'distributed';
  // "false" would leave nothing of what was asked for.
  const shard = asked === undefined || asked === false ? true : asked;
  const size = shard === true ? DEFAULT_SHARD : shard;
  const warning =
    `warning: layout ${layout} is made as ${replacement} with shard ${size}: GlusterFS 6 removed stripe; ` +
    'shard spreads the pieces of large files over the sets instead';
  return { layout: replacement, shard, warning };
}
