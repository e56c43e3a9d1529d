/** `kismatic volume delete`, with its question (apprenda/kismatic, pkg/cli/volume_delete.go). */
import type { Command } from 'commander';
import { AppError, isAppError } from '../../../domain/errors.ts';
import { deleteVolume } from '../../../usecases/volumes/delete-volume.ts';
import type { CliContext } from '../context.ts';
import { CommandExit } from '../exit-codes.ts';
import { say } from '../output.ts';
import { readLine } from '../prompt.ts';
import { readPlan, withCluster, wrapped } from './plan-file.ts';
import { addStepOptions, checkStepOutput, type StepOptions } from './step-options.ts';

interface DeleteOptions extends StepOptions {
  readonly force?: boolean;
}

/** Longer than any deletion takes that will ever end. */
const WAIT_MS = 60 * 60 * 1000;
const CHOICES = ['N', 'y'];

/** Registers the command. */
export function registerKismaticDelete(command: Command, context: CliContext): void {
  command
    .description("delete storage volumes created by the 'volume add' command; all data in the volume will be lost")
    .argument('[volume-name]')
    .allowExcessArguments(true)
    .option('--force', 'do not prompt', false);
  addStepOptions(command);
  command.action(async (_name, options: DeleteOptions, own: Command) => {
    const [name] = own.args;
    if (name === undefined || own.args.length !== 1) {
      const message = `${own.args.length} arguments were provided, but delete takes one: the name of the volume`;
      throw new AppError('invalid', message);
    }
    checkStepOutput(context, own, options);
    if (options.force !== true) await ask(context);
    await readPlan(context, own);
    await withCluster(context, async (client) => {
      const deps = { client, clock: context.clock };
      try {
        // The question was asked before anything was looked at, as Kismatic does.
        const confirm = async () => true;
        const { detachedFrom, leftBehind = [] } = await deleteVolume(deps, name, {
          confirm,
          waitMs: WAIT_MS,
          signal: context.signal,
        });
        if (options.verbose === true && detachedFrom.length > 0)
          say(context, `unmounted from ${detachedFrom.join(', ')}`);
        if (leftBehind.length > 0)
          say(context, `the adopted volume is only forgotten: GlusterFS still serves it from ${leftBehind.join(', ')}`);
      } catch (error) {
        throw isAppError(error) && error.kind !== 'cancelled' ? wrapped('error deleting volume', error) : error;
      }
    });
    context.stdout.write('\nSuccessfully deleted the persistent volume in the kubernetes cluster.\n');
  });
}

/** Anything but y ends the program: no is the default and no failure, another word is one. */
async function ask(context: CliContext): Promise<void> {
  const question = 'Are you sure you want to delete this volume? All data will be lost';
  context.stdout.write(`=> ${question} [${CHOICES.join('/')}]: `);
  const answer = (await readLine(context.stdin, context.signal)).replace(/\r$/, '');
  if (context.stdin.isTTY !== true) context.stdout.write('\n');
  if (answer === 'y') return;
  if (answer === '' || answer === 'N') throw new CommandExit(0);
  const message = `error getting user response: error, ${answer.slice(0, 40)} is not a valid option [${CHOICES.join(' ')}]`;
  throw new AppError('invalid', message);
}
