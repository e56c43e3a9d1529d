/** `holdfast disk replace NODE [POOL]` */
import type { Command } from 'commander';
import { AppError } from '../../../domain/errors.ts';
import { foreseeDiskReplacement, replaceDisk } from '../../../usecases/nodes/move-copies.ts';
import type { CliContext } from '../context.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { printResult, say } from '../output.ts';
import { printMoves } from '../print-moves.ts';
import { askYesNo } from '../prompt.ts';

interface Flags {
  readonly dryRun?: boolean;
  /** False with --no-wait. */
  readonly wait: boolean;
}

/** Registers the command. */
export function register(command: Command, context: CliContext): void {
  command
    .command('replace')
    .description('Fill a disk that was exchanged: new copies for those that were on the old one')
    .argument('<node>', 'name of the node')
    .argument('[pool]', 'pool on the disk', 'default')
    .option('--dry-run', 'list the copies that would be given up and where new ones would go, and change nothing')
    .option('--no-wait', 'do not wait until the new copies hold everything')
    .action(async (node: string, pool: string, flags: Flags, own: Command) => {
      const options = globalOptions(own);
      if (flags.dryRun === true) {
        const moves = await withConnection(context, own, ({ client }) =>
          foreseeDiskReplacement({ client, clock: context.clock }, { node, pool }, { signal: context.signal }),
        );
        return printMoves(context, options, { moves, empty: `No copy on ${node} is lost.` });
      }
      const volumes = await withConnection(context, own, ({ client }) =>
        replaceDisk(
          { client, clock: context.clock },
          { node, pool },
          {
            signal: context.signal,
            ...(flags.wait ? { waitMs: options.timeout } : {}),
            onProgress: (message) => say(context, message),
            confirm: async (lost) => {
              if (options.yes === true) return true;
              return askYesNo(
                context,
                `The copies of ${lost.join(', ')} on ${node} are given up. Is their disk gone for good?`,
              );
            },
          },
        ),
      );
      if (volumes === undefined) {
        throw new AppError('cancelled', 'no copy was replaced', { hint: 'answer yes, or use --yes' });
      }
      const done = flags.wait ? 'are replaced' : 'are being replaced';
      await printResult(context, options, {
        data: { node, pool, volumes },
        names: volumes.map((volume) => `volume/${volume}`),
        text: () => `the copies of ${volumes.join(', ')} on ${node} ${done}\n`,
      });
    });
}
