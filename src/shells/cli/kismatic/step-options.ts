/** Options that Kismatic's verbs share because they ran Ansible. */
import { type Command, Option } from 'commander';
import { AppError } from '../../../domain/errors.ts';
import type { CliContext } from '../context.ts';
import { say } from '../output.ts';

export interface StepOptions {
  readonly output: string;
  readonly verbose?: boolean;
}

const ASSETS = '--generated-assets-dir';

/** Adds them to a command. */
export function addStepOptions(command: Command): void {
  command
    .option('--verbose', 'enable verbose logging', false)
    .addOption(new Option('-o, --output <format>', 'output format (options simple|raw)').default('simple'))
    .option(`${ASSETS} <path>`, 'accepted as Kismatic has it; Holdfast generates no files', 'generated');
}

/** Refuses other forms of output, and says what an option that was given cannot do. @throws {AppError} invalid */
export function checkStepOutput(context: CliContext, command: Command, { output }: StepOptions): void {
  if (output !== 'simple' && output !== 'raw') {
    throw new AppError('invalid', `Output format ${JSON.stringify(output)} is not supported`);
  }
  if (command.getOptionValueSource('generatedAssetsDir') === 'cli') {
    say(context, `note: ${ASSETS} is not used: Holdfast generates no files`);
  }
}
