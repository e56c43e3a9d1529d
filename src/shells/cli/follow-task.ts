/** Runs a Task from the command line: progress on stderr, and what Ctrl-C leaves behind. */
import type { Command } from 'commander';
import type { Resource } from '../../ports/resource-client.ts';
import type { TaskSpec } from '../../schemas/task.ts';
import { runTask } from '../../usecases/tasks/run-task.ts';
import type { CliContext, Connection } from './context.ts';
import { globalOptions } from './global-options.ts';
import { say } from './output.ts';

export interface FollowedTask {
  readonly spec: TaskSpec;
  /** With false it is only started. */
  readonly isWaiting?: boolean;
  /** Nothing is said of what is over in a moment. */
  readonly isQuiet?: boolean;
}

/** As runTask, with the waiting time of --timeout. */
export async function followTask(
  context: CliContext,
  own: Command,
  { client }: Connection,
  { spec, isWaiting = true, isQuiet = false }: FollowedTask,
): Promise<Resource<'Task'>> {
  const { clock, random, signal } = context;
  let said = '';
  let task: Resource<'Task'> | undefined;
  const onSeen = (seen: Resource<'Task'>) => {
    task = seen;
    const { state = 'Waiting', message, progress } = seen.status ?? {};
    const line = `${seen.metadata.name}: ${progress === undefined ? state : `${progress} %`}${message === undefined ? '' : `, ${message}`}`;
    if (!isQuiet && state === 'Running' && line !== said) say(context, line);
    said = line;
  };
  const waitMs = isWaiting ? { waitMs: globalOptions(own).timeout } : {};
  try {
    return await runTask({ client, clock, random }, spec, { ...waitMs, signal, onSeen });
  } catch (error) {
    if (signal.aborted && task !== undefined) {
      say(context, `${task.metadata.name} goes on by itself; repeat the command to follow it`);
    }
    throw error;
  }
}
