/** The code of each action of a Task. */
import type { TaskAction } from '../../../schemas/task.ts';
import { checkNode } from './check-node.ts';
import { heal } from './heal.ts';
import { repairNode } from './repair-node.ts';
import type { TaskRunner } from './task-runner.ts';

/** Every action there is. */
export const TASKS: Readonly<Record<TaskAction, TaskRunner>> = {
  checkNode,
  heal,
  repairNode,
};
