/** undoSplitBrain: puts a version that lost back, from where its node put it aside; what is there now is put aside first. */
import { AppError } from '../../../domain/errors.ts';
import type { SavePlace } from '../../../ports/brick-work.ts';
import { copiesHere } from './copies-here.ts';
import type { TaskContext, TaskRunner } from './task-runner.ts';
import { requirePath, requirePool, requireVolume } from './task-volume.ts';

export const undoSplitBrain: TaskRunner = {
  run: async (context) => {
    const { deps, signal } = context;
    const volume = requireVolume(context);
    const path = requirePath(context);
    const { from, aside } = placesOf(context);
    const nodes = (volume.status?.placement ?? []).map((placed) => placed.node);
    const servers = [...new Set([deps.node, ...nodes])];
    const before = await deps.work.putBack({ volume: volume.metadata.name, servers, path, from, aside }, signal);
    const message =
      before === undefined
        ? `the version of ${deps.node} is back; there was none meanwhile`
        : `the version of ${deps.node} is back; what it replaced is in ${before.savedIn} on ${deps.node} for 7 days`;
    return {
      part: { state: 'Succeeded', progress: 100, message, result: before === undefined ? {} : { aside: before } },
    };
  },
};

function placesOf(context: TaskContext): { readonly from: SavePlace; readonly aside: SavePlace } {
  const { task } = context;
  const [copy] = copiesHere(context);
  const { undoes } = task.spec;
  if (copy === undefined || undoes === undefined) {
    throw new AppError('precondition', `node ${context.deps.node} holds no copy of volume ${task.spec.volume}`, {
      hint: 'the version that it put aside is still in its pool; copy it by hand',
    });
  }
  const place = { poolPath: requirePool(context, copy.pool), volumeUid: requireVolume(context).metadata.uid };
  const { copyUid } = copy;
  return { from: { ...place, copyUid, taskUid: undoes }, aside: { ...place, copyUid, taskUid: task.metadata.uid } };
}
