/**
 * Removes what Tasks left on this node: versions that were put aside, once their Task is gone and they are older than
 * Tasks are kept, and mounts of agents that died. Both must hold: a database that was lost, or a clock that was wrong, is
 * no reason to remove what somebody may want back.
 */
import { CHOICE_KEPT_MS, isFinished } from '../../domain/task/sum-up-task.ts';
import { createReconcileLoop, type ReconcileLoop, watchKeys } from '../runtime/reconcile-loop.ts';
import { AGENT_BACKOFF, type AgentDeps } from './agent-deps.ts';

const PERIOD_MS = 3_600_000;

/** The loop that tidies up after Tasks, once an hour. */
export function createTidyLoop(deps: AgentDeps): ReconcileLoop {
  const { informers, clock, log, work, node: self } = deps;
  let nextAt = 0;
  let pools = '';

  const reconcile = async (_key: string, signal: AbortSignal) => {
    const poolPaths = [...deps.readyPools.values()].toSorted();
    const leftMs = nextAt - clock.monotonic();
    // A pool that has become ready is looked at when its node is reported, not an hour later.
    if (poolPaths.length === 0 || (leftMs > 0 && poolPaths.join('\n') === pools)) return { requeueAfterMs: PERIOD_MS };
    const tasks = informers.Task.list();
    const open = tasks.filter((task) => !isFinished(task.status));
    const removed = await work.tidyUp(
      {
        poolPaths,
        knownTasks: new Set(tasks.map((task) => task.metadata.uid)),
        openTasks: new Set(open.map((task) => task.metadata.uid)),
        savedBefore: clock.now() - CHOICE_KEPT_MS,
      },
      signal,
    );
    if (removed.length > 0) log.info('removed saved versions', { folders: removed });
    nextAt = clock.monotonic() + PERIOD_MS;
    pools = poolPaths.join('\n');
    return { requeueAfterMs: PERIOD_MS };
  };

  return createReconcileLoop(deps, {
    name: 'agent-tidy',
    watches: [watchKeys(informers.StorageNode, (node) => (node.metadata.name === self ? [self] : []))],
    reconcile,
    workers: 1,
    backoff: AGENT_BACKOFF,
  });
}
