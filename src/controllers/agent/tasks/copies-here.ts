/** The copies of a Task's volume on this node that hold data. */
import { AppError } from '../../../domain/errors.ts';
import { heldCopies } from '../../../domain/volume/held-copies.ts';
import { findCopy } from '../../task/task-look.ts';
import type { TaskContext } from './task-runner.ts';

export interface CopyHere {
  readonly copy: string;
  readonly copyUid: string;
  readonly node: string;
  readonly pool: string;
  readonly brickPath: string;
}

/**
 * Those that the engine has the volume made of, in a change under way the old ones, too.
 *
 * @throws {AppError} unavailable, when the volume has one here of which it is not known where it is: its version is not none
 */
export function copiesHere({ deps, volume }: TaskContext): readonly CopyHere[] {
  const held = heldCopies(volume?.status ?? {}, findCopy(deps.informers));
  return held
    .filter(({ node }) => node === deps.node)
    .map(({ copy, node, path }) => {
      const found = deps.informers.VolumeCopy.get(copy);
      if (found === undefined || path === undefined) {
        throw new AppError('unavailable', `it is not known where copy ${copy} is on ${node}`, {
          reason: 'CopyUnknown',
        });
      }
      return { copy, copyUid: found.metadata.uid, node, pool: found.spec.pool, brickPath: path };
    });
}
