/** `holdfast volume clone NAME NEW` */
import type { Command } from 'commander';
import { isAppError } from '../../../domain/errors.ts';
import { cloneVolume } from '../../../usecases/snapshots/clone-volume.ts';
import type { CliContext } from '../context.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { addOfferOptions, type OfferOptions, readOffer } from '../offer-options.ts';
import { printResult, say } from '../output.ts';

interface CloneOptions extends OfferOptions {
  readonly snapshot?: string;
  readonly dryRun?: boolean;
}

/** Registers the command. */
export function registerVolumeClone(command: Command, context: CliContext): void {
  addOfferOptions(command)
    .description('Make a volume that begins with what another one holds')
    .argument('<name>', 'name of the volume')
    .argument('<new>', 'name of the new volume')
    .option('--snapshot <name>', 'begin with this snapshot of it (default: one that is taken now)')
    .option('--dry-run', 'say whether it can be made, and make nothing')
    .action(async (volume: string, name: string, options: CloneOptions, own: Command) => {
      const { timeout } = globalOptions(own);
      const { clock, random, signal } = context;
      const { snapshot } = options;
      const registration = readOffer(options);
      const cloned = await withConnection(context, own, ({ client }) =>
        cloneVolume(
          { client, clock, random },
          { volume, name, registration, ...(snapshot === undefined ? {} : { snapshot }) },
          {
            isDryRun: options.dryRun ?? false,
            waitMs: timeout,
            signal,
            onProgress: (message) => say(context, message),
          },
        ),
      ).catch((error: unknown) => {
        if (isAppError(error, 'cancelled'))
          say(context, 'what was begun goes on by itself; the same command waits for it');
        throw error;
      });
      const { storageClass } = registration;
      say(
        context,
        `PersistentVolume ${name} (class ${storageClass}) ${cloned.isDryRun ? 'would be' : 'is'} registered`,
      );
      const done = cloned.isDryRun ? 'could be made' : 'is ready';
      await printResult(context, globalOptions(own), {
        data: cloned,
        names: [`volume/${name}`],
        text: () => `volume ${name} (${cloned.size}) from snapshot ${cloned.snapshot} of ${volume} ${done}\n`,
      });
    });
}
