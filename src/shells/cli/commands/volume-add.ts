/** `holdfast volume add SIZE [NAME]`: Kismatic's command line, as far as this version goes. */
import { type Command, Option } from 'commander';
import { AppError } from '../../../domain/errors.ts';
import type { ExplainedNode } from '../../../domain/placement/explain-placement.ts';
import type { LayoutName } from '../../../domain/volume/layout.ts';
import type { Random } from '../../../ports/random.ts';
import { type AddedVolume, type AddVolumeRequest, addVolume } from '../../../usecases/volumes/add-volume.ts';
import type { CliContext } from '../context.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { printResult, say } from '../output.ts';
import { type Column, renderTable } from '../table.ts';

interface AddOptions {
  readonly replicaCount?: number;
  readonly distributionCount?: number;
  readonly allowAddress?: readonly string[];
  readonly storageClass?: string;
  readonly layout?: LayoutName;
  readonly pool?: string;
  readonly brick?: 'image' | 'directory';
  readonly allowSplitBrain?: boolean;
  readonly dryRun?: boolean;
  readonly wait?: boolean;
}

/** Registers the command. */
export function registerVolumeAdd(command: Command, context: CliContext): void {
  command
    .description('Add a volume')
    .argument('[size]', 'size: a number is gigabytes, or with a unit such as 500Mi')
    .argument('[name]', 'name (default: kismatic- and five letters)')
    .allowExcessArguments(true)
    .option(
      '-r, --replica-count <number>',
      'copies that hold data; 2 adds an arbiter on a third node (default: 3)',
      readCount('Replication'),
    )
    .option(
      '-d, --distribution-count <number>',
      'replica sets to spread files over; this version has 1',
      readCount('Distribution'),
    )
    .option(
      '-a, --allow-address <addresses>',
      'clients that may mount, comma-separated: 10.10.*.* or 10.10.0.0/16',
      readAddresses,
    )
    .option('-c, --storage-class <name>', 'storage class of the PersistentVolume; not in this version')
    .addOption(
      new Option('--layout <layout>', 'how copies make the volume').choices(['single', 'replicated', 'arbiter']),
    )
    .option('--pool <name>', 'pool that the copies go to (default: default)')
    .addOption(new Option('--brick <kind>', 'what a copy is made of (default: image)').choices(['image', 'directory']))
    .option('--allow-split-brain', 'accept 2 plain replicas, which can diverge')
    .option('--dry-run', 'say where the copies would go, and create nothing')
    .option('--wait', 'wait until the volume is ready')
    .action(async (_size, _name, options: AddOptions, own: Command) => add(context, own, options));
}

async function add(context: CliContext, own: Command, options: AddOptions): Promise<void> {
  const request = readRequest(own.args, options, context.random);
  const { timeout, headers } = globalOptions(own);
  const added = await withConnection(context, own, ({ client }) =>
    addVolume({ client, clock: context.clock }, request, {
      isDryRun: options.dryRun ?? false,
      signal: context.signal,
      ...(options.wait === true ? { waitMs: timeout } : {}),
      onStored: ({ notes }) => sayAll(context, notes),
    }),
  );
  if (added.isDryRun) sayAll(context, added.notes);
  const done = added.isDryRun ? 'would be added' : added.phase === 'Ready' ? 'is ready' : 'is added';
  await printResult(context, globalOptions(own), {
    data: added,
    names: [`volume/${added.name}`],
    text: (isWide) =>
      `volume ${added.name} (${added.size}, ${added.layout}) ${done}\n${isWide ? `\n${explain(added, headers)}` : ''}`,
  });
}

/** The table of placement: which node was taken for which copy, with how many points, or why it was not. */
function explain({ explanation }: AddedVolume, hasHeaders: boolean): string {
  const columns: readonly Column<ExplainedNode>[] = [
    { name: 'node', value: (row) => row.node },
    { name: 'zone', value: (row) => row.zone },
    { name: 'copy', value: (row) => row.chosenFor && `${row.chosenFor.index} (${row.chosenFor.role})` },
    { name: 'points', value: (row) => row.points?.toFixed(1) },
    { name: 'why', value: describeRow },
  ];
  return renderTable(columns, explanation.nodes, { isWide: true, hasHeaders });
}

function describeRow({ checks, scores }: ExplainedNode): string {
  const failed = checks.filter((check) => !check.isPassed).map((check) => check.message ?? check.filter);
  return (failed.length > 0 ? failed : scores.map((score) => score.message)).join('; ');
}

function sayAll(context: CliContext, notes: readonly string[]): void {
  for (const note of notes) say(context, note);
}

function readRequest(args: readonly string[], options: AddOptions, random: Random): AddVolumeRequest {
  // Kismatic's sentences: its users and scripts know them.
  const [size, name = randomName(random)] = args;
  if (size === undefined) {
    throw new AppError('invalid', 'the volume size (in gigabytes) must be provided as the first argument to add', {
      hint: 'for example: holdfast volume add 10 storage01 -r 3',
    });
  }
  if (args.length > 2) {
    throw new AppError(
      'invalid',
      `${args.length} arguments were provided, but add does not support more than two arguments`,
    );
  }
  refuseLater(options);
  return {
    name,
    size: readSize(size),
    ...(options.replicaCount === undefined ? {} : { replicas: options.replicaCount }),
    ...(options.layout === undefined ? {} : { layout: options.layout }),
    ...(options.pool === undefined ? {} : { pool: options.pool }),
    ...(options.brick === undefined ? {} : { brick: options.brick }),
    ...(options.allowAddress === undefined ? {} : { allowFrom: options.allowAddress }),
    allowSplitBrain: options.allowSplitBrain ?? false,
  };
}

/** What Kismatic has and this version does not: said, never ignored. */
function refuseLater({ distributionCount = 1, storageClass }: AddOptions): void {
  if (distributionCount !== 1) {
    throw new AppError(
      'unsupported',
      `spreading a volume over ${distributionCount} replica sets (-d ${distributionCount}) is not in this version; nothing was created`,
      {
        reason: 'DistributionNotInThisVersion',
        hint: 'leave -d out, or say -d 1',
      },
    );
  }
  if (storageClass !== undefined) {
    throw new AppError(
      'unsupported',
      `a storage class (-c ${storageClass}) belongs to a PersistentVolume, which this version does not register; nothing was created`,
      {
        reason: 'StorageClassNotInThisVersion',
        hint: 'leave -c out',
      },
    );
  }
}

function readSize(text: string): string {
  if (!/^\d+$/.test(text)) return text;
  if (Number(text) < 1) throw new AppError('range', 'Volume size must be 1GB or larger');
  // Kismatic's gigabyte: the quota is N GB, the PersistentVolume NGi. The larger of the two is kept.
  return `${text}Gi`;
}

function readCount(what: string): (text: string) => number {
  return (text) => {
    if (!/^\d{1,4}$/.test(text))
      throw new AppError('invalid', `${what} count ${JSON.stringify(text.slice(0, 40))} is not a whole number`);
    if (Number(text) < 1) throw new AppError('invalid', `${what} count must be greater than zero`);
    return Number(text);
  };
}

function readAddresses(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), ...text.split(',').map((address) => address.trim())];
}

/** Kismatic's letters: no 0, 1, l or o, which look alike. */
const NAME_LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';

function randomName(random: Random): string {
  const letters = Array.from({ length: 5 }, () => NAME_LETTERS[Math.floor(random.next() * NAME_LETTERS.length)]);
  return `kismatic-${letters.join('')}`;
}
