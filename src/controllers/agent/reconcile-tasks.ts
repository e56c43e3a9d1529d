/** Does this node's part of each Task: leads where it is named or anchor of the volume, helps where its copies are needed. */
import { AppError, isAppError, messageOf } from '../../domain/errors.ts';
import { isFinished, isPartDone, workersOf } from '../../domain/task/sum-up-task.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { TaskPart } from '../../schemas/task.ts';
import { mergeDiff } from '../runtime/merge-diff.ts';
import { createReconcileLoop, type ReconcileLoop, watchKeys } from '../runtime/reconcile-loop.ts';
import { seeTaskVolume } from '../task/task-look.ts';
import { AGENT_BACKOFF, type AgentDeps } from './agent-deps.ts';
import { TASKS } from './tasks/index.ts';
import type { TaskContext, TaskOutcome } from './tasks/task-runner.ts';

type StoredTask = Resource<'Task'>;

const PERIOD_MS = 1_000;
/** Copying what a person wants to keep may take long; a pass that hangs for longer is given up. */
const PASS_DEADLINE_MS = 6 * 3_600_000;
/** An obstacle that may go away by itself is waited for so long. */
const PATIENCE_MS = 120_000;

/** What this process knows of a Task beyond the cache. */
interface Memory {
  part: TaskPart | undefined;
  /** clock.monotonic() of the first of the failures in a row. */
  failingSince: number | undefined;
}

/** The loop for the parts of Tasks on this node. */
export function createTaskPartLoop(deps: AgentDeps): ReconcileLoop {
  const { informers } = deps;
  const memories = new Map<string, Memory>();

  const reconcile = async (name: string, signal: AbortSignal) => {
    const task = informers.Task.get(name);
    forgetGone(memories, deps);
    if (task === undefined || task.metadata.deletionTimestamp !== undefined || isFinished(task.status))
      return undefined;
    const { uid } = task.metadata;
    // What this process wrote itself counts more than a cache that may not know of it yet.
    const memory = memories.get(uid) ?? { part: task.status?.parts?.[deps.node], failingSince: undefined };
    memories.set(uid, memory);
    return workOn(deps, { task, memory, signal });
  };

  const openTasks = () =>
    informers.Task.list()
      .filter((task) => !isFinished(task.status))
      .map((task) => task.metadata.name);
  return createReconcileLoop(deps, {
    name: 'agent-tasks',
    watches: [
      watchKeys(informers.Task, (task) => [task.metadata.name]),
      // The anchor may have moved to this node.
      watchKeys(informers.Volume, openTasks),
    ],
    reconcile,
    workers: 4,
    deadlineMs: PASS_DEADLINE_MS,
    backoff: AGENT_BACKOFF,
  });
}

function forgetGone(memories: Map<string, Memory>, { informers }: AgentDeps): void {
  const known = new Set(informers.Task.list().map((task) => task.metadata.uid));
  for (const uid of memories.keys()) if (!known.has(uid)) memories.delete(uid);
}

interface Pass {
  readonly task: StoredTask;
  readonly memory: Memory;
  readonly signal: AbortSignal;
}

async function workOn(deps: AgentDeps, { task, memory, signal }: Pass) {
  const found = task.spec.volume === undefined ? undefined : deps.informers.Volume.get(task.spec.volume);
  const volume = found?.metadata.uid === task.spec.volumeUid ? found : undefined;
  // The controller fails a Task whose volume is gone.
  if (task.spec.volume !== undefined && volume === undefined) return undefined;
  const workers = workersOf(task.spec, volume && seeTaskVolume(volume, deps.informers));
  if (workers?.all.includes(deps.node) !== true) return undefined;
  const isLead = workers.lead === deps.node;
  if (isPartDone(memory.part, isLead)) return undefined;
  const write = (part: TaskPart) => writePart(deps, { task, memory, signal }, isLead ? { ...part, isLead } : part);
  const context: TaskContext = { deps, task, volume, part: memory.part, isLead, signal, report: write };
  const outcome = await attempt(context, memory);
  await write(outcome.part);
  return isFinished(outcome.part) ? undefined : { requeueAfterMs: outcome.againAfterMs ?? PERIOD_MS };
}

async function attempt(context: TaskContext, memory: Memory): Promise<TaskOutcome> {
  const { deps, task, signal } = context;
  const runner = TASKS[task.spec.action];
  try {
    const outcome = task.spec.isCancelled === true ? await cancel(context) : await runner.run(context);
    memory.failingSince = undefined;
    return outcome;
  } catch (error) {
    signal.throwIfAborted();
    memory.failingSince ??= deps.clock.monotonic();
    const isHopeless = deps.clock.monotonic() - memory.failingSince > PATIENCE_MS;
    deps.log.warn('task failed', { task: task.metadata.name, err: error });
    const state = isHopeless || !mayPass(error) ? 'Failed' : 'Running';
    // What was remembered for the next try stays.
    return { part: { ...memory.part, state, message: describe(error) } };
  }
}

async function cancel(context: TaskContext): Promise<TaskOutcome> {
  await TASKS[context.task.spec.action].cancel?.(context);
  return { part: { ...context.part, state: 'Failed', message: 'cancelled' } };
}

/** Whether the same may work a moment later. */
function mayPass(error: unknown): boolean {
  if (!(error instanceof AppError)) return true;
  return (['unavailable', 'timeout', 'conflict', 'internal'] as const).some((kind) => isAppError(error, kind));
}

function describe(error: unknown): string {
  return isAppError(error) && error.hint !== undefined ? `${error.message}; ${error.hint}` : messageOf(error);
}

async function writePart(deps: AgentDeps, { task, memory, signal }: Pass, part: TaskPart): Promise<void> {
  const patch = mergeDiff({ parts: { [deps.node]: memory.part ?? null } }, { parts: { [deps.node]: part } });
  if (patch === undefined) return;
  const { name, uid } = task.metadata;
  await deps.client.patch('Task', name, { status: patch }, { subresource: 'status', uid, signal });
  memory.part = part;
}
