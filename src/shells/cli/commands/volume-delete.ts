/** `holdfast volume delete NAME` */
import type { Command } from 'commander';
import { AppError } from '../../../domain/errors.ts';
import { describeLayout } from '../../../domain/volume/describe-layout.ts';
import type { Volume } from '../../../schemas/volume.ts';
import { deleteVolume } from '../../../usecases/volumes/delete-volume.ts';
import type { CliContext } from '../context.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { printResult, say } from '../output.ts';
import { askYesNo } from '../prompt.ts';

interface DeleteOptions {
  readonly force?: boolean;
  readonly detach?: boolean;
  readonly removeFromEngine?: boolean;
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
    .option(
      '--remove-from-engine',
      'an adopted volume is only forgotten; this deletes it in GlusterFS too, and leaves its brick directories',
    )
    .option('--no-wait', 'do not wait until it is gone')
    .action(async (name: string, options: DeleteOptions, own: Command) => {
      const { yes, timeout } = globalOptions(own);
      const isAnswered = options.force === true || yes === true;
      const deleted = await withConnection(context, own, ({ client }) =>
        deleteVolume({ client, clock: context.clock }, name, {
          detach: options.detach ?? false,
          removeFromEngine: options.removeFromEngine ?? false,
          signal: context.signal,
          ...(options.wait ? { waitMs: timeout } : {}),
          confirm: async ({ volume }) => {
            if (isAnswered) return true;
            say(context, `volume ${name}, ${volume.spec.size}, ${describeLayout(volume.spec)}`);
            return askYesNo(context, questionAbout(volume, options.removeFromEngine === true));
          },
        }),
      );
      if (deleted.outcome === 'kept') {
        throw new AppError('cancelled', `volume ${name} was not deleted`, { hint: 'answer yes, or use --force' });
      }
      if (deleted.detachedFrom.length > 0) say(context, `unmounted from ${deleted.detachedFrom.join(', ')}`);
      const isForgotten = deleted.leftBehind !== undefined && options.removeFromEngine !== true;
      const verb = isForgotten ? 'forgotten' : 'deleted';
      const done = deleted.outcome === 'gone' ? verb : isForgotten ? 'marked to be forgotten' : 'marked for deletion';
      for (const line of describeLeft(deleted.leftBehind, isForgotten)) say(context, line);
      await printResult(context, globalOptions(own), {
        data: deleted,
        names: [`volume/${name}`],
        text: () => `volume ${name} ${done}\n`,
      });
    });
}

function questionAbout({ spec }: Volume, removeFromEngine: boolean): string {
  if (spec.adopted === undefined) return QUESTION;
  if (!removeFromEngine) return 'Forget this adopted volume? GlusterFS goes on serving it';
  return 'Delete this adopted volume in GlusterFS? Nobody can mount it then; its brick directories stay';
}

function describeLeft(left: readonly string[] | undefined, isForgotten: boolean): readonly string[] {
  if (left === undefined) return [];
  const what = isForgotten
    ? 'GlusterFS still serves the volume, from'
    : 'these directories keep all data; remove them by hand when it is not needed any more:';
  return [`${what} ${left.join(', ')}`];
}
