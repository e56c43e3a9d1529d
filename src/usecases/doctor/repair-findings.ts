/** Has the agents repair what doctor found and what can be repaired without losing anything. */
import { keyOf } from '../../domain/doctor/judge.ts';
import { describeRepair } from '../../domain/doctor/repair.ts';
import type { Judged } from '../../domain/doctor/world.ts';
import { messageOf } from '../../domain/errors.ts';
import { type RunTaskDeps, runTask } from '../tasks/run-task.ts';

export interface PlannedRepair {
  /** Node whose agent does it. */
  readonly node: string;
  /** One line: "detach the dead mount at /data". */
  readonly about: string;
  /** Number and subject of the finding. */
  readonly finding: string;
}

export interface RepairOutcome {
  readonly node: string;
  readonly isDone: boolean;
  /** What was done, or why not. */
  readonly message: string;
}

/** What --fix would do, each thing once. */
export function planRepairs(judged: readonly Judged[]): readonly PlannedRepair[] {
  return judged.flatMap(({ finding, remedy }) =>
    remedy === undefined ? [] : [{ node: remedy.node, about: describeRepair(remedy.repair), finding: keyOf(finding) }],
  );
}

/** Carries them out, all nodes at once; says of each node what became of it, and throws for none. */
export async function repairFindings(
  deps: RunTaskDeps,
  repairs: readonly PlannedRepair[],
  options: { readonly waitMs: number; readonly signal?: AbortSignal },
): Promise<readonly RepairOutcome[]> {
  const byNode = Map.groupBy(repairs, ({ node }) => node);
  return Promise.all(
    [...byNode].map(async ([node, own]): Promise<RepairOutcome> => {
      const findings = [...new Set(own.map(({ finding }) => finding))];
      try {
        const task = await runTask(deps, { action: 'repairNode', node, findings }, options);
        return { node, isDone: true, message: task.status?.message ?? 'done' };
      } catch (error) {
        options.signal?.throwIfAborted();
        return { node, isDone: false, message: messageOf(error) };
      }
    }),
  );
}
