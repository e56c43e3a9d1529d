/** The code of each action of a Task. */
import type { TaskAction } from '../../../schemas/task.ts';
import { acceptFolder, lookAtFolder } from './accept-folder.ts';
import { checkEncryption } from './check-encryption.ts';
import { checkNode } from './check-node.ts';
import { heal } from './heal.ts';
import { rebalance } from './rebalance.ts';
import { repairNode } from './repair-node.ts';
import { resolveSplitBrain } from './resolve-split-brain.ts';
import { listSplitBrain, showSplitBrain } from './split-brain.ts';
import type { TaskRunner } from './task-runner.ts';
import { undoSplitBrain } from './undo-split-brain.ts';

/** Every action there is. */
export const TASKS: Readonly<Record<TaskAction, TaskRunner>> = {
  checkNode,
  checkEncryption,
  heal,
  rebalance,
  listSplitBrain,
  showSplitBrain,
  resolveSplitBrain,
  undoSplitBrain,
  repairNode,
  lookAtFolder,
  acceptFolder,
};
