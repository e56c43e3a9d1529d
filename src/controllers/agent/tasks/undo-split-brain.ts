/** undoSplitBrain: puts a version that lost back, from where its node put it aside; what is there now is put aside first. */
import { AppError, isAppError } from '../../../domain/errors.ts';
import { engineNameOf } from '../../../domain/volume/engine-name.ts';
import type { SavePlace } from '../../../ports/brick-work.ts';
import { copiesHere } from './copies-here.ts';
import type { TaskContext, TaskRunner } from './task-runner.ts';
import { requirePath, requirePool, requireVolume } from './task-volume.ts';

export const undoSplitBrain: TaskRunner = {
  run: async (context) => {
    const { deps, signal } = context;
    const volume = requireVolume(context);
    const path = requirePath(context);
    const nodes = (volume.status?.placement ?? []).map((placed) => placed.node);
    const servers = [...new Set([deps.node, ...nodes])];
    const request = { volume: engineNameOf(volume), servers, path };
    const before = await putBackFirst(placesOf(context), (places) =>
      deps.work.putBack({ ...request, ...places }, signal),
    );
    const message =
      before === undefined
        ? `the version of ${deps.node} is back; there was none meanwhile`
        : `the version of ${deps.node} is back; what it replaced is in ${before.savedIn} on ${deps.node} for 7 days`;
    return {
      part: { state: 'Succeeded', progress: 100, message, result: before === undefined ? {} : { aside: before } },
    };
  },
};

interface Places {
  readonly from: SavePlace;
  readonly aside: SavePlace;
}

/** A file lies in one set only, so of a node's copies of several sets one has put it aside. */
async function putBackFirst<T>(places: readonly Places[], putBack: (places: Places) => Promise<T>): Promise<T> {
  let first: unknown;
  for (const each of places) {
    try {
      return await putBack(each);
    } catch (error) {
      if (!isAppError(error, 'notFound')) throw error;
      first ??= error;
    }
  }
  throw first;
}

function placesOf(context: TaskContext): readonly Places[] {
  const { task } = context;
  const copies = copiesHere(context);
  const { undoes } = task.spec;
  if (copies.length === 0 || undoes === undefined) {
    throw new AppError('precondition', `node ${context.deps.node} holds no copy of volume ${task.spec.volume}`, {
      hint: 'the version that it put aside is still in its pool; copy it by hand',
    });
  }
  const volumeUid = requireVolume(context).metadata.uid;
  return copies.map(({ pool, copyUid }) => {
    const place = { poolPath: requirePool(context, pool), volumeUid, copyUid };
    return { from: { ...place, taskUid: undoes }, aside: { ...place, taskUid: task.metadata.uid } };
  });
}
