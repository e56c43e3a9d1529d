/** rebalance: spreads the files of a volume over all its sets, and follows it to its end. */
import { AppError } from '../../../domain/errors.ts';
import { engineNameOf, ownEngineName } from '../../../domain/volume/engine-name.ts';
import type { Resource } from '../../../ports/resource-client.ts';
import type { RebalanceState } from '../../../ports/volume-work.ts';
import type { TaskPart } from '../../../schemas/task.ts';
import type { TaskRunner } from './task-runner.ts';
import { requireVolume } from './task-volume.ts';

/**
 * While it starts a rebalance GlusterFS's daemon answers nobody for 5 s (glusterd_handle_defrag_start sleeps), and the process
 * that another node has started for it may ask that daemon for a port meanwhile. It takes no answer within `network.ping-timeout`
 * for a lost brick and fails before it has looked at anything (measured with 10.3, once in about five starts on a busy machine).
 */
const MOST_STARTS = 5;

export const rebalance: TaskRunner = {
  run: async (context) => {
    const { deps, part, signal } = context;
    const volume = requireVolume(context);
    const name = engineNameOf(volume);
    const starts = part?.result?.['starts'];
    if (typeof starts === 'number') {
      const state = await deps.work.rebalanceState(name, signal);
      if (state.state !== 'failed' || starts >= MOST_STARTS) return { part: describe(volume, state, starts) };
      await deps.work.startRebalance(name, signal);
      const message = `GlusterFS ended it as failed, ${state.lookedAt} looked at; started again (${starts + 1} of ${MOST_STARTS})`;
      return { part: { state: 'Running', message, progress: 0, result: { starts: starts + 1 } } };
    }
    const running = (await deps.work.rebalanceState(name, signal)).state === 'running';
    // One that runs already, perhaps from before a restart of this agent, is followed.
    if (!running) await deps.work.startRebalance(name, signal);
    return { part: { state: 'Running', message: 'lays folders out', progress: 0, result: { starts: 1 } } };
  },
  cancel: async (context) => {
    const { task, volume, deps, signal } = context;
    if (task.spec.volume === undefined) return;
    const name = volume === undefined ? ownEngineName(task.spec.volume) : engineNameOf(volume);
    await deps.work.stopRebalance(name, signal);
  },
};

function describe(volume: Resource<'Volume'>, state: RebalanceState, starts: number): TaskPart {
  const moved = `${state.movedFiles} files moved (${state.movedBytes} bytes), ${state.lookedAt} looked at`;
  const result = { starts, ...state };
  switch (state.state) {
    case 'running':
      return { state: 'Running', message: moved, result };
    case 'done': {
      if (state.failures > 0)
        return { state: 'Failed', message: `${state.failures} files could not be moved; ${moved}`, result };
      const skipped =
        state.skipped > 0 ? `; ${state.skipped} stayed where they are, since moving them would fill a set` : '';
      return { state: 'Succeeded', message: `${moved}${skipped}`, progress: 100, result };
    }
    case 'none':
    case 'stopped':
    case 'failed': {
      const hint = `see the log on the nodes: /var/log/glusterfs/${engineNameOf(volume)}-rebalance.log`;
      throw new AppError(
        'precondition',
        `the rebalance of volume ${volume.metadata.name} has ${ENDS[state.state]}; ${moved}`,
        {
          hint,
        },
      );
    }
  }
}

const ENDS = {
  none: 'been forgotten by GlusterFS',
  stopped: 'been stopped by somebody else',
  failed: 'failed',
} as const;
