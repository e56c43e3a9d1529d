/** `holdfast plan export`: the plan of what is stored. */
import type { Command } from 'commander';
import { exportStoredPlan } from '../../../usecases/plan/export-plan.ts';
import type { CliContext } from '../context.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { say } from '../output.ts';
import type { FileOption } from './plan-file-option.ts';
import { writeNewFile } from './write-new-file.ts';

/** Registers the command. */
export function registerPlanExport(command: Command, context: CliContext): void {
  command
    .description('Write the plan of what is stored; applying it changes nothing')
    .option('-f, --file <file>', 'file to write, never over one that is there; - is standard output', '-')
    .action(async ({ file }: FileOption, own: Command) => {
      const { plan, notices } = await withConnection(context, own, ({ client }) =>
        exportStoredPlan({ client, signal: context.signal }),
      );
      for (const notice of notices) say(context, `note: ${notice}`);
      const isJson = globalOptions(own).output === 'json';
      // JSON is YAML too: what is written can be applied in both forms.
      const { toYaml } = await import('../to-yaml.ts');
      const text = isJson ? `${JSON.stringify(plan, undefined, 2)}\n` : toYaml(plan);
      if (file === '-') context.stdout.write(text);
      else {
        await writeNewFile(file, text);
        say(context, `${file} is written`);
      }
    });
}
