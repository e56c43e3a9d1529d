/** Judges one check by what its tool printed and how it ended. */
import type { ToolResult } from '../project.ts';
import type { CheckTask } from './tasks.ts';

export interface CheckOutcome {
  readonly name: string;
  readonly isOk: boolean;
  /** "81 files". */
  readonly summary: string;
  /** What the tool said; shown when the check failed. */
  readonly details: string;
}

/** A check passes when its tool ended with 0 and looked at something: a tool that found no file has proved nothing. */
export function judge(task: Pick<CheckTask, 'name' | 'lookedAt' | 'unit'>, result: ToolResult): CheckOutcome {
  const match = task.lookedAt.exec(result.output);
  const count = Number(match?.[1] ?? 0);
  const summary = `${count} ${task.unit}`;
  if (result.code !== 0) return { name: task.name, isOk: false, summary, details: result.output.trimEnd() };
  const details =
    count > 0 ? '' : `${result.output.trimEnd()}\n${task.name} looked at no ${task.unit}, so it proves nothing`;
  return { name: task.name, isOk: count > 0, summary, details };
}
