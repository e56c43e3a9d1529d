/** Which copies with data the engine has a volume made of, or may have: what has a version of a file of its own. */
import type { VolumeStatus } from '../../schemas/volume.ts';
import { isMarked } from './membership.ts';

export interface HeldCopy {
  readonly copy: string;
  readonly node: string;
  /** Where it is; undefined when that is not known, though it is a member. */
  readonly path?: string | undefined;
}

/** What is known of a VolumeCopy; undefined when there is none of that name. */
export type FindCopy = (name: string) => { readonly node: string; readonly path?: string | undefined } | undefined;

/**
 * A copy that is settled counts, whatever is known of it. In a change under way those count that the engine was seen to have:
 * the old copy as long as it is a member, the new one as soon as it is.
 */
export function heldCopies({ placement = [], engine }: VolumeStatus, find: FindCopy): readonly HeldCopy[] {
  const isMember = ({ node, path }: HeldCopy) => engine?.members?.includes(`${node}:${path}`) === true;
  return placement
    .filter((placed) => placed.role === 'data')
    .flatMap((placed): readonly HeldCopy[] => {
      if (!isMarked(placed)) return [{ copy: placed.copy, node: placed.node, path: find(placed.copy)?.path }];
      const names = placed.replaces === undefined ? [placed.copy] : [placed.copy, placed.replaces];
      return names
        .flatMap((copy) => {
          const found = find(copy);
          return found === undefined ? [] : [{ copy, ...found }];
        })
        .filter(isMember);
    });
}
