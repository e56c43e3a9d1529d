/** Reads plan files from disk or standard input, never more than a plan can be. */
import type { PlanReader } from '../../ports/plan-reader.ts';
import { type InputDeps, readInput } from '../input-file/read-input.ts';
import { MAX_PLAN_BYTES, parsePlan } from './parse-plan.ts';

const PLAN = { noun: 'plan', maxBytes: MAX_PLAN_BYTES, hint: 'name the plan file with -f', pipe: '-f -' };

/** Creates the reader; `stdin` is what "-" means. */
export function createPlanReader(deps: InputDeps): PlanReader {
  return {
    read: async (path) => parsePlan(await readInput(deps, path, PLAN), path === '-' ? 'standard input' : path),
  };
}
