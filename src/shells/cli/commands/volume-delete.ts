/** `holdfast volume delete NAME` */
import type { Command } from 'commander';
import { AppError } from '../../../domain/errors.ts';
import { describeLayout } from '../../../domain/volume/describe-layout.ts';
import { deleteVolume } from '../../../usecases/volumes/delete-volume.ts';
import type { CliContext } from '../context.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { printResult, say } from '../output.ts';
import { askYesNo } from '../prompt.ts';

interface DeleteOptions {
  readonly force?: boolean;
  readonly detach?: boolean;
  /** False with --no-wait. */
  readonly wait: boolean;
}

/** Kismatic's question, word for word. */
const QUESTION = 'Are you sure you want to delete this volume? All data will be lost';

/** Registers the command. */
export function registerVolumeDelete(command: Command, context: CliContext): void {
  command
    .description('Delete a volume and all its data')
    .argument('<name>', 'name of the volume')
    .option('--force', 'do not ask')
    .option('--detach', 'unmount it first where it is mounted')
    .option('--no-wait', 'do not wait until it is gone')
    .action(async (name: string, options: DeleteOptions, own: Command) => {
      const { yes, timeout } = globalOptions(own);
      const isAnswered = options.force === true || yes === true;
      const deleted = await withConnection(context, own, ({ client }) =>
        deleteVolume({ client, clock: context.clock }, name, {
          detach: options.detach ?? false,
          signal: context.signal,
          ...(options.wait ? { waitMs: timeout } : {}),
          confirm: async ({ volume }) => {
            if (isAnswered) return true;
            say(context, `volume ${name}, ${volume.spec.size}, ${describeLayout(volume.spec)}`);
            return askYesNo(context, QUESTION);
          },
        }),
      );
      if (deleted.outcome === 'kept') {
        throw new AppError('cancelled', `volume ${name} was not deleted`, { hint: 'answer yes, or use --force' });
      }
      if (deleted.detachedFrom.length > 0) say(context, `unmounted from ${deleted.detachedFrom.join(', ')}`);
      const done = deleted.outcome === 'gone' ? 'deleted' : 'marked for deletion';
      await printResult(context, globalOptions(own), {
        data: deleted,
        names: [`volume/${name}`],
        text: () => `volume ${name} ${done}\n`,
      });
    });
}
