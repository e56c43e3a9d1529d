/** `holdfast volume convert NAME --replicas N | --layout LAYOUT` */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { AppError } from '../../../domain/errors.ts';
import { isReplicaCount } from '../../../domain/volume/layout.ts';
import { type Conversion, type ConvertibleLayout, convertVolume } from '../../../usecases/volumes/convert-volume.ts';
import type { CliContext } from '../context.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { printResult, say } from '../output.ts';

interface ConvertFlags {
  readonly replicas?: number;
  readonly layout?: ConvertibleLayout;
  readonly dryRun?: boolean;
  /** False with --no-wait. */
  readonly wait: boolean;
}

/** Registers the command. */
export function registerVolumeConvert(command: Command, context: CliContext): void {
  command
    .description('Change how many copies a volume has, while it is in use')
    .argument('<name>', 'name of the volume')
    .addOption(new Option('--replicas <count>', 'copies that hold data').argParser(parseReplicas))
    .addOption(
      new Option('--layout <layout>', 'how copies make the volume').choices(['single', 'replicated', 'arbiter']),
    )
    .option('--dry-run', 'say what would be done, and change nothing')
    .option('--no-wait', 'do not wait until it is done')
    .action(async (name: string, flags: ConvertFlags, own: Command) => {
      const { replicas, layout } = flags;
      if (replicas === undefined && layout === undefined) {
        throw new AppError('invalid', 'it was not said what the volume is to become', {
          hint: `for example: holdfast volume convert ${name} --replicas 3`,
        });
      }
      const { timeout } = globalOptions(own);
      const wish = { name, ...(layout && { layout }), ...(replicas === undefined ? {} : { replicas }) };
      const done = await withConnection(context, own, ({ client }) =>
        convertVolume({ client, clock: context.clock }, wish, {
          isDryRun: flags.dryRun ?? false,
          signal: context.signal,
          ...(flags.wait ? { waitMs: timeout } : {}),
          onProgress: (message) => say(context, message),
        }),
      );
      await printResult(context, globalOptions(own), {
        data: done,
        names: [`volume/${name}`],
        text: () => `${describe(done)}\n`,
      });
    });
}

function describe({ name, from, to, isDryRun, isDone, isUnchanged }: Conversion): string {
  if (isUnchanged) return `volume ${name} has ${to} already; there is nothing to do`;
  const verb = isDryRun ? 'would be converted' : isDone ? 'is converted' : 'is being converted';
  // A change that an earlier command asked for.
  return from === to ? `volume ${name} ${verb} to ${to}` : `volume ${name} ${verb} from ${from} to ${to}`;
}

function parseReplicas(text: string): number {
  const count = Number(text);
  if (!isReplicaCount(count)) throw new InvalidArgumentError('write a whole number from 1 to 9.');
  return count;
}
