/** Sums up what the agents say of each Task, gives up those that nobody can finish, and removes old ones. */
import { isFinished, keptMs, sumUpTask } from '../../domain/task/sum-up-task.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { ControllerDeps } from '../deps.ts';
import { createReconcileLoop, type ReconcileLoop, watchKeys } from '../runtime/reconcile-loop.ts';
import { seeTaskNode, seeTaskVolume } from './task-look.ts';

/** The loop for all Tasks. */
export function createTaskLoop(deps: ControllerDeps): ReconcileLoop {
  const { informers, clock, client } = deps;

  const reconcile = async (name: string, signal: AbortSignal) => {
    const task = informers.Task.get(name);
    if (task === undefined || task.metadata.deletionTimestamp !== undefined) return undefined;
    if (isFinished(task.status)) {
      const end = Date.parse(task.status?.finishedAt ?? task.metadata.creationTimestamp) + keptMs(task.spec);
      if (clock.now() < end) return { requeueAfterMs: end - clock.now() };
      await client.delete('Task', name, { uid: task.metadata.uid, signal });
      return undefined;
    }
    return sumUp(deps, task, signal);
  };

  const openTasks = (concerns: (task: Resource<'Task'>) => boolean) =>
    informers.Task.list()
      .filter((task) => !isFinished(task.status) && concerns(task))
      .map((task) => task.metadata.name);
  return createReconcileLoop(deps, {
    name: 'tasks',
    watches: [
      watchKeys(informers.Task, (task) => [task.metadata.name]),
      watchKeys(informers.Volume, (volume) => openTasks((task) => task.spec.volume === volume.metadata.name)),
      watchKeys(informers.StorageNode, () => openTasks(() => true)),
    ],
    reconcile,
    workers: 2,
  });
}

async function sumUp(deps: ControllerDeps, task: Resource<'Task'>, signal: AbortSignal) {
  const { informers, clock, events, statusWriter } = deps;
  const volume = task.spec.volume === undefined ? undefined : informers.Volume.get(task.spec.volume);
  const { status, requeueAfterMs } = sumUpTask({
    spec: task.spec,
    status: task.status,
    createdAt: Date.parse(task.metadata.creationTimestamp),
    volume: volume && seeTaskVolume(volume, informers),
    node: (name) => seeTaskNode(informers, name),
    now: clock.now(),
  });
  await statusWriter.write('Task', task, status, { signal });
  if (status.state === 'Failed') events.warning(task, 'TaskFailed', status.message ?? 'it failed');
  if (status.state === 'Succeeded') events.normal(task, 'TaskSucceeded', status.message ?? 'it is done');
  return { requeueAfterMs };
}
