/** `holdfast volume grow NAME SIZE` */
import type { Command } from 'commander';
import { describeBytes, describeNeed } from '../../../domain/bytes.ts';
import { isAppError } from '../../../domain/errors.ts';
import { growVolume, type VolumeGrowth } from '../../../usecases/volumes/grow-volume.ts';
import type { CliContext } from '../context.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { printResult, say } from '../output.ts';
import { type Column, renderTable } from '../table.ts';

interface GrowOptions {
  readonly dryRun?: boolean;
  /** False with --no-wait. */
  readonly wait: boolean;
}

/** Registers the command. */
export function registerVolumeGrow(command: Command, context: CliContext): void {
  command
    .description('Make a volume larger while it is in use')
    .argument('<name>', 'name of the volume')
    .argument('<size>', 'the new size, or how much more: 20Gi, +5Gi; a number alone is gigabytes')
    .option('--dry-run', 'say whether it fits and what each copy would take, and change nothing')
    .option('--no-wait', 'do not wait until every copy has grown')
    .action(async (name: string, size: string, options: GrowOptions, own: Command) => {
      const { timeout, headers } = globalOptions(own);
      const growth = await withConnection(context, own, ({ client }) =>
        growVolume(
          { client, clock: context.clock },
          { name, size: /^\+?\d+$/.test(size) ? `${size}Gi` : size },
          {
            isDryRun: options.dryRun ?? false,
            signal: context.signal,
            ...(options.wait ? { waitMs: timeout } : {}),
            onProgress: (message) => say(context, message),
          },
        ),
      ).catch((error: unknown) => {
        if (isAppError(error, 'cancelled'))
          say(context, `what was begun goes on by itself; see: holdfast volume show ${name}`);
        throw error;
      });
      await printResult(context, globalOptions(own), {
        data: growth,
        names: [`volume/${name}`],
        text: () => describe(growth, headers),
      });
    });
}

function describe(growth: VolumeGrowth, hasHeaders: boolean): string {
  const { name, from, to, isDryRun, isDone, copies } = growth;
  if (isDone) return `volume ${name} has ${to}\n`;
  if (!isDryRun) return `volume ${name} grows from ${from} to ${to}\n`;
  const columns: readonly Column<VolumeGrowth['copies'][number]>[] = [
    { name: 'copy', value: (copy) => copy.copy },
    { name: 'node', value: (copy) => copy.node },
    { name: 'pool', value: (copy) => copy.pool },
    { name: 'from', value: (copy) => describeBytes(copy.fromBytes) },
    { name: 'to', value: (copy) => describeBytes(copy.toBytes) },
    { name: 'takes of the pool', value: (copy) => describeNeed(copy.poolBytes) },
  ];
  return `volume ${name} would grow from ${from} to ${to}\n\n${renderTable(columns, copies, { isWide: false, hasHeaders })}`;
}
