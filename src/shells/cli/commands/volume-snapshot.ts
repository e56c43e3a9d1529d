/** `holdfast volume snapshot NAME [SNAPSHOT]`, `volume snapshot list|delete` */
import type { Command } from 'commander';
import { AppError } from '../../../domain/errors.ts';
import { deleteSnapshot } from '../../../usecases/snapshots/delete-snapshot.ts';
import { listSnapshots } from '../../../usecases/snapshots/read-snapshots.ts';
import { snapshotName, takeSnapshot } from '../../../usecases/snapshots/take-snapshot.ts';
import { ageOf } from '../age.ts';
import type { CliContext } from '../context.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { printResult, say } from '../output.ts';
import { askYesNo } from '../prompt.ts';

interface ChangeOptions {
  readonly dryRun?: boolean;
  /** False with --no-wait. */
  readonly wait: boolean;
  readonly force?: boolean;
}

/** Registers the command. */
export function registerVolumeSnapshot(command: Command, context: CliContext): void {
  command.description('Keep what a volume holds at one moment; take is what it does without a word');
  registerTake(command.command('take', { isDefault: true }), context);
  registerList(command.command('list'), context);
  registerDelete(command.command('delete'), context);
}

function registerTake(command: Command, context: CliContext): void {
  command
    .description('Take a snapshot of a volume while it is in use')
    .argument('<name>', 'name of the volume')
    .argument('[snapshot]', 'name of the snapshot (default: the volume and the time)')
    .option('--dry-run', 'say whether one can be taken, and take none')
    .option('--no-wait', 'do not wait until it is taken')
    .action(async (volume: string, given: string | undefined, options: ChangeOptions, own: Command) => {
      const { timeout } = globalOptions(own);
      const { clock, signal } = context;
      const name = given ?? snapshotName(volume, clock.now());
      const taken = await withConnection(context, own, ({ client }) =>
        takeSnapshot(
          { client, clock },
          { volume, name },
          {
            isDryRun: options.dryRun ?? false,
            signal,
            onProgress: (message) => say(context, message),
            ...(options.wait ? { waitMs: timeout } : {}),
          },
        ),
      );
      const done = taken.isDryRun ? 'could be taken' : taken.phase === 'Ready' ? 'is taken' : 'is asked for';
      await printResult(context, globalOptions(own), {
        data: taken,
        names: [`volumesnapshotrecord/${name}`],
        text: () => `snapshot ${name} of volume ${volume} ${done}\n`,
      });
    });
}

function registerList(command: Command, context: CliContext): void {
  command
    .description('List snapshots')
    .argument('[name]', 'only those of this volume')
    .action(async (volume: string | undefined, _options: object, own: Command) => {
      const { clock, signal } = context;
      const items = await withConnection(context, own, ({ client }) => listSnapshots({ client, signal }, volume));
      await printResult(context, globalOptions(own), {
        data: { items },
        names: items.map((item) => `volumesnapshotrecord/${item.metadata.name}`),
        table: {
          columns: [
            { name: 'name', value: (item) => item.metadata.name },
            { name: 'volume', value: (item) => item.spec.volume },
            { name: 'phase', value: (item) => item.status?.phase ?? 'Pending' },
            { name: 'size', value: (item) => item.status?.volumeSpec?.size },
            { name: 'taken', value: (item) => item.status?.takenAt },
            { name: 'message', value: (item) => (item.status?.phase === 'Ready' ? undefined : item.status?.message) },
            { name: 'age', value: (item) => ageOf(item, clock) },
          ],
          items,
          empty: 'no snapshots were found',
        },
      });
    });
}

function registerDelete(command: Command, context: CliContext): void {
  command
    .description('Delete a snapshot; volumes that were made from it stay')
    .argument('<snapshot>', 'name of the snapshot')
    .option('--force', 'do not ask')
    .option('--dry-run', 'say whether it can be deleted, and delete nothing')
    .option('--no-wait', 'do not wait until it is gone')
    .action(async (name: string, options: ChangeOptions, own: Command) => {
      const { yes, timeout } = globalOptions(own);
      const { clock, signal } = context;
      const isDryRun = options.dryRun ?? false;
      const deleted = await withConnection(context, own, ({ client }) =>
        deleteSnapshot({ client, clock }, name, {
          isDryRun,
          signal,
          ...(options.wait ? { waitMs: timeout } : {}),
          confirm: async ({ spec, status }) => {
            if (options.force === true || yes === true) return true;
            say(context, `snapshot ${name} of volume ${spec.volume}, ${status?.takenAt ?? 'never taken'}`);
            return askYesNo(context, 'Are you sure you want to delete this snapshot? What only it holds will be lost');
          },
        }),
      );
      if (deleted.outcome === 'kept' && !isDryRun) {
        throw new AppError('cancelled', `snapshot ${name} was not deleted`, { hint: 'answer yes, or use --force' });
      }
      const done = isDryRun ? 'would be deleted' : deleted.outcome === 'gone' ? 'deleted' : 'marked for deletion';
      await printResult(context, globalOptions(own), {
        data: { ...deleted, isDryRun },
        names: [`volumesnapshotrecord/${name}`],
        text: () => `snapshot ${name} ${done}\n`,
      });
    });
}
