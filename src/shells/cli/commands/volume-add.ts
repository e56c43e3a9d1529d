/** `holdfast volume add SIZE [NAME]`: Kismatic's command line, with more to say and more to read. */
import { type Command, Option } from 'commander';
import { AppError } from '../../../domain/errors.ts';
import { mountSource, ON_DELETE, type OnDelete } from '../../../domain/nfs/share.ts';
import type { ExplainedNode } from '../../../domain/placement/explain-placement.ts';
import { describeLayout } from '../../../domain/volume/describe-layout.ts';
import {
  BRICK_KINDS,
  type BrickKind,
  ENGINES,
  type EngineName,
  FILE_SYSTEM_TYPES,
  type FileSystemType,
} from '../../../domain/volume/engines.ts';
import { generateVolumeName } from '../../../domain/volume/generate-name.ts';
import type { Registration } from '../../../domain/volume/persistent-volume.ts';
import { PROFILE_NAMES } from '../../../domain/volume/profile.ts';
import type { Random } from '../../../ports/random.ts';
import type { VolumeProfile } from '../../../schemas/volume.ts';
import {
  addStaticVolume,
  type StaticVolume,
  type StaticVolumeRequest,
} from '../../../usecases/volumes/add-static-volume.ts';
import type { CliContext } from '../context.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { addLayoutOptions, type LayoutOptions, readLayoutOptions } from '../layout-options.ts';
import { addOfferOptions, afterEquals, type OfferOptions, readOffer } from '../offer-options.ts';
import { printResult, say } from '../output.ts';
import { sayStates } from '../say-states.ts';
import { type Column, renderTable } from '../table.ts';

interface AddOptions extends LayoutOptions, OfferOptions {
  readonly replicaCount?: number;
  readonly distributionCount?: number;
  readonly allowAddress?: readonly string[];
  readonly pool?: string;
  readonly brick?: BrickKind;
  readonly engine?: EngineName;
  readonly fsType?: FileSystemType;
  readonly encryption?: boolean;
  readonly thinProvision?: boolean;
  readonly node?: string;
  readonly server?: string;
  readonly share?: string;
  readonly subDir?: string;
  readonly onDelete?: OnDelete;
  readonly permissions?: string;
  readonly mountOptions?: string;
  readonly profile?: VolumeProfile;
  readonly dryRun?: boolean;
  readonly wait?: boolean;
  readonly verbose?: boolean;
}

/** Registers the command. */
export function registerVolumeAdd(command: Command, context: CliContext): void {
  addOfferOptions(addLayoutOptions(command))
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
      'sets of copies to spread files over (default: 1)',
      readCount('Distribution'),
    )
    .option(
      '-a, --allow-address <addresses>',
      'clients that may mount, comma-separated: 10.10.*.* or 10.10.0.0/16',
      readAddresses,
    )
    .option('--pool <name>', 'pool that the copies go to (default: default)')
    .addOption(
      new Option('--profile <profile>', 'what it is used for').choices(PROFILE_NAMES.filter((name) => name !== 'none')),
    )
    .addOption(new Option('--brick <kind>', 'what a copy is made of (default: image)').choices([...BRICK_KINDS]))
    .addOption(
      new Option(
        '--engine <engine>',
        'what stores it: local is one copy, used on its node only; nfs is a share of a file server (default: gluster)',
      ).choices(ENGINES),
    )
    .addOption(
      new Option('--fs-type <type>', 'engine local: file system of the image (default: xfs)').choices(
        FILE_SYSTEM_TYPES,
      ),
    )
    .option('--encryption', 'encrypt what is in its copies, with a key of its own')
    .option('--thin-provision', 'engine local: reserve no room, and give back what is deleted')
    .option('--node <nodes>', 'only on these nodes, comma-separated')
    .option('--server <host>', 'engine nfs: name or address of the file server')
    .option('--share <path>', 'engine nfs: what it exports, such as /export')
    .option('--sub-dir <folder>', 'engine nfs: folder of the share that is the volume (default: the whole share)')
    .addOption(
      new Option('--on-delete <what>', 'engine nfs: what becomes of that folder (default: delete)').choices(ON_DELETE),
    )
    .option('--permissions <mode>', 'engine nfs: octal mode that the folder is made with (default: 0755)')
    .option('--mount-options <options>', 'engine nfs: comma-separated, such as nfsvers=4.1')
    .option('--dry-run', 'say where the copies would go, and create nothing')
    .option('--wait', 'wait until the volume is ready, and register its PersistentVolume')
    .option('--verbose', 'also say why each copy goes where it goes')
    .action(async (_size, _name, options: AddOptions, own: Command) => add(context, own, options));
}

async function add(context: CliContext, own: Command, options: AddOptions): Promise<void> {
  const isSaid = own.getOptionValueSource('accessModes') !== 'default';
  // What several nodes may share by default, only one can have of a local volume.
  const accessModes = options.engine === 'local' && !isSaid ? 'ReadWriteOnce' : options.accessModes;
  const request = readRequest(own.args, { ...options, accessModes }, context.random);
  const { timeout, headers, output } = globalOptions(own);
  const added = await withConnection(context, own, ({ client }) =>
    addStaticVolume({ client, clock: context.clock }, request, {
      isDryRun: options.dryRun ?? false,
      signal: context.signal,
      ...(options.wait === true ? { waitMs: timeout } : {}),
      onStored: (stored) => sayAll(context, notesOf(stored, options)),
      ...(output === 'raw' ? { onSeen: sayStates(context) } : {}),
    }),
  );
  if (added.isDryRun) sayAll(context, notesOf(added, options));
  say(context, describeRegistration(added, request.registration));
  const done = added.isDryRun ? 'would be added' : added.phase === 'Ready' ? 'is ready' : 'is added';
  await printResult(context, globalOptions(own), {
    data: added,
    names: [`volume/${added.name}`],
    text: (isWide) =>
      `volume ${added.name} (${added.size}, ${request.share === undefined ? describeLayout(added) : mountSource(request.share)}) ${done}\n${isWide ? explain(added, headers) : ''}`,
  });
}

function notesOf({ notes, reasons }: StaticVolume, { verbose = false }: AddOptions): readonly string[] {
  return verbose ? [...notes, ...reasons] : notes;
}

function describeRegistration(
  { name, isRegistered, isDryRun }: StaticVolume,
  { storageClass, accessModes, reclaimPolicy }: Registration,
): string {
  const what = `PersistentVolume ${name} (class ${storageClass}, ${accessModes.join(',')}, ${reclaimPolicy})`;
  if (isRegistered) return `${what} is registered`;
  if (isDryRun) return `${what} would be registered when the volume is ready`;
  return `${what} is registered when the volume is ready: repeat the command for ${name} with --wait`;
}

/** The table of placement: which node was taken for which copy, with how many points, or why it was not. */
function explain({ explanation }: StaticVolume, hasHeaders: boolean): string {
  if (explanation === undefined) return '';
  const columns: readonly Column<ExplainedNode>[] = [
    { name: 'node', value: (row) => row.node },
    { name: 'zone', value: (row) => row.zone },
    { name: 'copy', value: (row) => row.chosenFor && `${row.chosenFor.index} (${row.chosenFor.role})` },
    { name: 'points', value: (row) => row.points?.toFixed(1) },
    { name: 'why', value: describeRow },
  ];
  return `\n${renderTable(columns, explanation.nodes, { isWide: true, hasHeaders })}`;
}

function describeRow({ checks, scores }: ExplainedNode): string {
  const failed = checks.filter((check) => !check.isPassed).map((check) => check.message ?? check.filter);
  return (failed.length > 0 ? failed : scores.map((score) => score.message)).join('; ');
}

function sayAll(context: CliContext, notes: readonly string[]): void {
  for (const note of notes) say(context, note);
}

function readRequest(args: readonly string[], options: AddOptions, random: Random): StaticVolumeRequest {
  // Kismatic's sentences: its users and scripts know them.
  const [size, name = generateVolumeName(random.next)] = args;
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
  return {
    name,
    size: readSize(size),
    ...(options.replicaCount === undefined ? {} : { replicas: options.replicaCount }),
    ...readLayoutOptions(options),
    ...(options.pool === undefined ? {} : { pool: options.pool }),
    ...(options.profile === undefined ? {} : { profile: options.profile }),
    ...(options.brick === undefined ? {} : { brick: options.brick }),
    ...readEngine(options),
    ...readShare(options),
    ...(options.allowAddress === undefined ? {} : { allowFrom: options.allowAddress }),
    ...(options.distributionCount === undefined ? {} : { distribution: options.distributionCount }),
    registration: readOffer(options),
  };
}

type EngineWish = Pick<StaticVolumeRequest, 'engine' | 'fsType' | 'encryption' | 'thinProvision' | 'nodes'>;

function readEngine({ engine, fsType, encryption, thinProvision, node }: AddOptions): EngineWish {
  return {
    ...(engine === undefined ? {} : { engine }),
    ...(fsType === undefined ? {} : { fsType }),
    ...(encryption === undefined ? {} : { encryption }),
    ...(thinProvision === undefined ? {} : { thinProvision }),
    ...(node === undefined ? {} : { nodes: node.split(',').map((each) => each.trim()) }),
  };
}

/** A server alone says it all: who names one means engine nfs. */
function readShare(options: AddOptions): Pick<StaticVolumeRequest, 'engine' | 'share'> {
  const { engine = 'nfs', server, share: path, subDir, onDelete, permissions, mountOptions } = options;
  const said = [server, path, subDir, onDelete, permissions, mountOptions];
  if (said.every((value) => value === undefined)) return {};
  if (server === undefined || path === undefined) {
    throw new AppError('invalid', 'a share is named by both --server and --share', {
      hint: 'for example: --server files.example.com --share /export',
    });
  }
  if (subDir === undefined && (onDelete !== undefined || permissions !== undefined)) {
    throw new AppError('invalid', '--on-delete and --permissions are about the folder that --sub-dir names', {
      hint: 'the whole of a share is left as it is',
    });
  }
  return {
    engine,
    share: {
      ...{ server, path },
      ...(subDir === undefined ? {} : { subDir }),
      ...(onDelete === undefined ? {} : { onDelete }),
      ...(permissions === undefined ? {} : { permissions }),
      ...(mountOptions === undefined ? {} : { mountOptions: mountOptions.split(',').map((each) => each.trim()) }),
    },
  };
}

function readSize(text: string): string {
  if (!/^\d+$/.test(text)) return text;
  if (Number(text) < 1) throw new AppError('range', 'Volume size must be 1GB or larger');
  // Kismatic's gigabyte: the quota is N GB, the PersistentVolume NGi. The larger of the two is kept.
  return `${text}Gi`;
}

function readCount(what: string): (text: string) => number {
  return (written) => {
    const text = afterEquals(written);
    if (!/^\d{1,4}$/.test(text))
      throw new AppError('invalid', `${what} count ${JSON.stringify(text.slice(0, 40))} is not a whole number`);
    if (Number(text) < 1) throw new AppError('invalid', `${what} count must be greater than zero`);
    return Number(text);
  };
}

function readAddresses(text: string, before: readonly string[] | undefined): readonly string[] {
  return [
    ...(before ?? []),
    ...afterEquals(text)
      .split(',')
      .map((address) => address.trim()),
  ];
}
