/** `holdfast volume snapshot NAME [SNAPSHOT]`, `volume snapshot list|delete` */
import type { Command } from 'commander';
import { AppError } from '../../../domain/errors.ts';
import {
  type DeletedSnapshot,
  type DeleteSnapshotOptions,
  deleteSnapshot,
} from '../../../usecases/snapshots/delete-snapshot.ts';
import { type DeletedGroup, deleteSnapshotGroup } from '../../../usecases/snapshots/delete-snapshot-group.ts';
import { listSnapshots } from '../../../usecases/snapshots/read-snapshots.ts';
import { snapshotName, type TakeSnapshotOptions, takeSnapshot } from '../../../usecases/snapshots/take-snapshot.ts';
import { takeSnapshotGroup } from '../../../usecases/snapshots/take-snapshot-group.ts';
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

interface TakeOptions extends ChangeOptions {
  readonly with: readonly string[];
}

function registerTake(command: Command, context: CliContext): void {
  command
    .description('Take a snapshot of a volume while it is in use')
    .argument('<name>', 'name of the volume')
    .argument('[snapshot]', 'name of the snapshot (default: the volume and the time)')
    .option(
      '--with <volume>',
      'take one of this volume too, at the same moment (local volumes of one node); may be repeated',
      (value: string, before: readonly string[]) => [...before, value],
      [],
    )
    .option('--dry-run', 'say whether one can be taken, and take none')
    .option('--no-wait', 'do not wait until it is taken')
    .action(async (volume: string, given: string | undefined, options: TakeOptions, own: Command) => {
      const name = given ?? snapshotName(volume, context.clock.now());
      if (options.with.length > 0)
        await takeTogether(context, own, { name, volumes: [volume, ...options.with], options });
      else await takeOne(context, own, { name, volume, options });
    });
}

interface Taking {
  readonly name: string;
  readonly options: ChangeOptions;
}

function takeOptions(context: CliContext, own: Command, { dryRun, wait }: ChangeOptions): TakeSnapshotOptions {
  return {
    isDryRun: dryRun ?? false,
    signal: context.signal,
    onProgress: (message) => say(context, message),
    ...(wait ? { waitMs: globalOptions(own).timeout } : {}),
  };
}

function doneWords({ isDryRun, phase }: { readonly isDryRun: boolean; readonly phase: string }, be: string): string {
  if (isDryRun) return 'could be taken';
  return phase === 'Ready' ? `${be} taken` : `${be} asked for`;
}

async function takeOne(
  context: CliContext,
  own: Command,
  { name, volume, options }: Taking & { readonly volume: string },
): Promise<void> {
  const { clock } = context;
  const taken = await withConnection(context, own, ({ client }) =>
    takeSnapshot({ client, clock }, { volume, name }, takeOptions(context, own, options)),
  );
  await printResult(context, globalOptions(own), {
    data: taken,
    names: [`volumesnapshotrecord/${name}`],
    text: () => `snapshot ${name} of volume ${volume} ${doneWords(taken, 'is')}\n`,
  });
}

async function takeTogether(
  context: CliContext,
  own: Command,
  { name, volumes, options }: Taking & { readonly volumes: readonly string[] },
): Promise<void> {
  const { clock } = context;
  const taken = await withConnection(context, own, ({ client }) =>
    takeSnapshotGroup({ client, clock }, { volumes, name }, takeOptions(context, own, options)),
  );
  const each = taken.snapshots.map(({ volume, snapshot }) => `${snapshot} of ${volume}`).join(', ');
  await printResult(context, globalOptions(own), {
    data: taken,
    names: [`volumegroupsnapshotrecord/${name}`],
    text: () => `group ${name}: the snapshots ${each} ${doneWords(taken, 'are')}\n`,
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
            { name: 'group', value: (item) => item.spec.group?.name },
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
    .option('--group', 'the name is that of a group: delete all of its snapshots')
    .option('--force', 'do not ask')
    .option('--dry-run', 'say whether it can be deleted, and delete nothing')
    .option('--no-wait', 'do not wait until it is gone')
    .action(async (name: string, options: ChangeOptions & { readonly group?: boolean }, own: Command) => {
      if (options.group === true) await deleteTogether(context, own, { name, options });
      else await deleteOne(context, own, { name, options });
    });
}

async function deleteOne(context: CliContext, own: Command, { name, options }: Taking): Promise<void> {
  const { clock } = context;
  const deleted = await withConnection(context, own, ({ client }) =>
    deleteSnapshot({ client, clock }, name, {
      ...deleteOptions(context, own, options),
      confirm: ({ spec, status }) =>
        confirmed(context, own, {
          options,
          about: `snapshot ${name} of volume ${spec.volume}, ${status?.takenAt ?? 'never taken'}`,
          question: 'Are you sure you want to delete this snapshot? What only it holds will be lost',
        }),
    }),
  );
  await printDeleted(context, own, { deleted, what: `snapshot ${name}`, kind: 'volumesnapshotrecord', options });
}

async function deleteTogether(context: CliContext, own: Command, { name, options }: Taking): Promise<void> {
  const { clock } = context;
  const deleted = await withConnection(context, own, ({ client }) =>
    deleteSnapshotGroup({ client, clock }, name, {
      ...deleteOptions(context, own, options),
      confirm: ({ spec, status }) =>
        confirmed(context, own, {
          options,
          about: `group ${name} of ${spec.members.map(({ volume }) => volume).join(', ')}, ${status?.takenAt ?? 'never taken'}`,
          question: 'Are you sure you want to delete all of its snapshots? What only they hold will be lost',
        }),
    }),
  );
  await printDeleted(context, own, { deleted, what: `group ${name}`, kind: 'volumegroupsnapshotrecord', options });
}

function deleteOptions(
  { signal }: CliContext,
  own: Command,
  { dryRun, wait }: ChangeOptions,
): Omit<DeleteSnapshotOptions, 'confirm'> {
  return { isDryRun: dryRun ?? false, signal, ...(wait ? { waitMs: globalOptions(own).timeout } : {}) };
}

async function confirmed(
  context: CliContext,
  own: Command,
  asked: { readonly options: ChangeOptions; readonly about: string; readonly question: string },
): Promise<boolean> {
  if (asked.options.force === true || globalOptions(own).yes === true) return true;
  say(context, asked.about);
  return askYesNo(context, asked.question);
}

interface Deletion {
  readonly deleted: DeletedSnapshot | DeletedGroup;
  readonly what: string;
  readonly kind: string;
  readonly options: ChangeOptions;
}

async function printDeleted(
  context: CliContext,
  own: Command,
  { deleted, what, kind, options }: Deletion,
): Promise<void> {
  const isDryRun = options.dryRun ?? false;
  if (deleted.outcome === 'kept' && !isDryRun) {
    throw new AppError('cancelled', `${what} was not deleted`, { hint: 'answer yes, or use --force' });
  }
  const done = isDryRun ? 'would be deleted' : deleted.outcome === 'gone' ? 'deleted' : 'marked for deletion';
  await printResult(context, globalOptions(own), {
    data: { ...deleted, isDryRun },
    names: [`${kind}/${deleted.name}`],
    text: () => `${what} ${done}\n`,
  });
}
