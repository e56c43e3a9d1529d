/** Asks for a piece of work and follows it to its end. */
import { AppError } from '../../domain/errors.ts';
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
 * `waitMs`). A wait that is given up leaves it running.
 *
 * @throws {AppError} precondition TaskFailed, when it failed; timeout, notFound (removed meanwhile), cancelled
 */
export async function runTask(
  deps: RunTaskDeps,
  spec: TaskSpec,
  options: RunTaskOptions = {},
): Promise<Resource<'Task'>> {
  const scope = options.signal === undefined ? {} : { signal: options.signal };
  const about = spec.volume ?? spec.node ?? 'cluster';
  const verb = spec.action.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const name = `${verb}-${about.slice(0, 32)}-${deps.random.uuid().slice(0, 8)}`;
  const task = await deps.client.create('Task', { metadata: { name }, spec }, scope);
  options.onSeen?.(task);
  if (options.waitMs === undefined) return task;
  return waitForTask(deps, task, { ...options, waitMs: options.waitMs });
}

/** Follows a Task that is stored. Errors as {@link runTask}. */
export async function waitForTask(
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
        throw new AppError('precondition', seen.status.message ?? `${resource} failed`, {
          resource,
          reason: 'TaskFailed',
        });
      }
      return seen.status?.state === 'Succeeded' ? seen : undefined;
    },
    describeTimeout: (seen) =>
      new AppError(
        'timeout',
        `${resource} is not done after ${options.waitMs / 1000} s: ${seen?.status?.message ?? 'nobody has begun'}`,
        {
          resource,
          reason: 'NotDoneInTime',
          hint: `it goes on by itself; see: holdfast volume tasks${task.spec.volume === undefined ? '' : ` ${task.spec.volume}`}`,
        },
      ),
  });
}
