/** Asks for a piece of work and follows it to its end. */
import { AppError } from '../../domain/errors.ts';
import { isFinished } from '../../domain/task/sum-up-task.ts';
import type { Random } from '../../ports/random.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { TaskSpec } from '../../schemas/task.ts';
import { type WaitDeps, waitForObject } from '../waiting/wait-for-object.ts';

export interface RunTaskDeps extends WaitDeps {
  readonly random: Random;
}

export interface RunTaskOptions {
  /** How long to wait for the end; does not wait when left out. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
  /** Told each state in which the Task is seen, the first of all when it is stored. */
  readonly onSeen?: (task: Resource<'Task'>) => void;
}

/**
 * Creates a Task named after its action and object, and resolves with it once it has succeeded (at once without
 * `waitMs`). The same wish that is being carried out already is followed instead. A wait that is given up leaves it
 * running.
 *
 * @throws {AppError} precondition TaskFailed, when it failed; timeout, notFound (removed meanwhile), cancelled
 */
export async function runTask(
  deps: RunTaskDeps,
  spec: TaskSpec,
  options: RunTaskOptions = {},
): Promise<Resource<'Task'>> {
  const scope = options.signal === undefined ? {} : { signal: options.signal };
  const running = await findRunning(deps, spec, scope);
  const task = running ?? (await deps.client.create('Task', { metadata: { name: nameOf(deps, spec) }, spec }, scope));
  options.onSeen?.(task);
  if (options.waitMs === undefined) return task;
  return waitForTask(deps, task, { ...options, waitMs: options.waitMs });
}

/** "heal-gv0-1c0f23ab": short enough for a label, and never the same twice. */
function nameOf({ random }: RunTaskDeps, spec: TaskSpec): string {
  const about = spec.volume ?? spec.node ?? 'cluster';
  const verb = spec.action.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return `${verb}-${about.slice(0, 30).replace(/-+$/, '')}-${random.uuid().slice(0, 8)}`;
}

async function findRunning(
  { client }: RunTaskDeps,
  spec: TaskSpec,
  scope: { readonly signal?: AbortSignal },
): Promise<Resource<'Task'> | undefined> {
  const wanted = wishOf(spec);
  const { items } = await client.list('Task', scope);
  return items.find((task) => !isFinished(task.status) && wishOf(task.spec) === wanted);
}

/** The same text for the same wish, in whatever order its fields were written. */
function wishOf(spec: TaskSpec): string {
  return JSON.stringify(Object.entries(spec).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * Stops the unfinished Tasks of an action on a volume, and tells their names.
 *
 * @throws {AppError} notFound, when there is none
 */
export async function cancelTasks(
  { client }: WaitDeps,
  { action, volume }: Pick<TaskSpec, 'action'> & { readonly volume: string },
  scope: { readonly signal?: AbortSignal } = {},
): Promise<readonly string[]> {
  const { items } = await client.list('Task', scope);
  const running = items.filter(
    (task) => task.spec.action === action && task.spec.volume === volume && !isFinished(task.status),
  );
  if (running.length === 0) {
    throw new AppError('notFound', `no ${action} of volume ${volume} is running`, { resource: `volume ${volume}` });
  }
  for (const { metadata } of running) {
    await client.patch('Task', metadata.name, { spec: { isCancelled: true } }, { ...scope, uid: metadata.uid });
  }
  return running.map((task) => task.metadata.name);
}

/** Follows a Task that is stored. Errors as {@link runTask}. */
async function waitForTask(
  deps: WaitDeps,
  task: Resource<'Task'>,
  options: RunTaskOptions & { readonly waitMs: number },
): Promise<Resource<'Task'>> {
  const { name, uid } = task.metadata;
  const resource = `task ${name}`;
  return waitForObject(deps, {
    kind: 'Task',
    name,
    timeoutMs: options.waitMs,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    check: (seen) => {
      if (seen === undefined || seen.metadata.uid !== uid) {
        throw new AppError('notFound', `${resource} was removed by somebody else before it ended`, { resource });
      }
      options.onSeen?.(seen);
      if (seen.status?.state === 'Failed') {
        const message = seen.status.message ?? `${resource} failed`;
        throw new AppError('precondition', message, { resource, reason: 'TaskFailed' });
      }
      return seen.status?.state === 'Succeeded' ? seen : undefined;
    },
    describeTimeout: (seen) =>
      new AppError(
        'timeout',
        `${resource} is not done after ${options.waitMs / 1000} s: ${seen?.status?.message ?? 'nobody has begun'}`,
        { resource, reason: 'NotDoneInTime', hint: 'it goes on by itself; repeat the command to follow it' },
      ),
  });
}
