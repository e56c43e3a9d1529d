/** `holdfast plan diff -f FILE`: what apply would do. Ends as `kubectl diff` does: 0 for nothing, 1 for something. */
import type { Command } from 'commander';
import type { FieldChange } from '../../../domain/plan/describe-write.ts';
import { applyPlan, type PlanChange } from '../../../usecases/plan/apply-plan.ts';
import type { CliContext } from '../context.ts';
import { CommandExit } from '../exit-codes.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { printResult, say } from '../output.ts';
import type { Column } from '../table.ts';
import { addFileOption, type FileOption } from './plan-file-option.ts';

/** As `kubectl diff`: there are differences, and nothing went wrong. */
const EXIT_DIFFERENT = 1;

const COLUMNS: readonly Column<PlanChange>[] = [
  { name: 'kind', value: (change) => change.kind },
  { name: 'name', value: (change) => change.name },
  { name: 'action', value: (change) => change.action },
  { name: 'change', value: (change) => change.fields.map(describeField).join('; ') },
];

/** Registers the command. */
export function registerPlanDiff(command: Command, context: CliContext): void {
  addFileOption(command)
    .description('Show what apply would change; exit code 0 for nothing, 1 for something')
    .action(async ({ file }: FileOption, own: Command) => {
      const plan = await context.plans.read(file);
      const { changes, notices } = await withConnection(context, own, ({ client }) =>
        applyPlan({ client }, plan, { isDryRun: true, signal: context.signal }),
      );
      for (const notice of notices) say(context, `note: ${notice}`);
      const different = changes.filter((change) => change.action !== 'unchanged');
      await printResult(context, globalOptions(own), {
        data: { changes: different, notices },
        names: different.map((change) => `${change.kind.toLowerCase()}/${change.name}`),
        table: { columns: COLUMNS, items: different, empty: 'no differences' },
      });
      if (different.length > 0) throw new CommandExit(EXIT_DIFFERENT);
    });
}

function describeField({ field, from, to }: FieldChange): string {
  const show = (value: unknown) => (value === undefined ? 'nothing' : JSON.stringify(value));
  return `${field}: ${show(from)} -> ${show(to)}`;
}
