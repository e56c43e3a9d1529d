/** checkNode: what this machine looks like from within, for `holdfast doctor`. */
import { gatherFacts } from '../gather-facts.ts';
import type { TaskRunner } from './task-runner.ts';

export const checkNode: TaskRunner = {
  run: async ({ deps, signal }) => {
    const facts = await gatherFacts(deps, signal);
    return { part: { state: 'Succeeded', message: 'looked at', progress: 100, result: { facts } } };
  },
};
