/** The copies of a Task's volume on this node that hold data. */
import type { TaskContext } from './task-runner.ts';

export interface CopyHere {
  readonly copy: string;
  readonly copyUid: string;
  readonly node: string;
  readonly pool: string;
  readonly brickPath: string;
}

/** Only copies that this agent has made a brick for. */
export function copiesHere({ deps, volume }: TaskContext): readonly CopyHere[] {
  const placed = (volume?.status?.placement ?? []).filter((copy) => copy.node === deps.node && copy.role === 'data');
  return placed.flatMap(({ copy, node, pool }) => {
    const found = deps.informers.VolumeCopy.get(copy);
    const brickPath = found?.status?.path;
    if (found === undefined || brickPath === undefined) return [];
    return [{ copy, copyUid: found.metadata.uid, node, pool, brickPath }];
  });
}
