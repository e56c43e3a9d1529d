/** `holdfast volume list` and `holdfast volume show NAME` */
import type { Command } from 'commander';
import { describeBytes } from '../../../domain/bytes.ts';
import { findCondition } from '../../../domain/find-condition.ts';
import { mountSource } from '../../../domain/nfs/share.ts';
import { describePath } from '../../../domain/nfs-export/names.ts';
import { describeLayout } from '../../../domain/volume/describe-layout.ts';
import { phaseOf, stateMessage } from '../../../domain/volume/describe-volume.ts';
import { describeEncryption } from '../../../domain/volume/encryption-state.ts';
import type { Resource } from '../../../ports/resource-client.ts';
import type { Adopted, Share } from '../../../schemas/volume.ts';
import { listKismaticVolumes } from '../../../usecases/volumes/list-kismatic-volumes.ts';
import {
  type ListedVolume,
  listServedVolumes,
  type ShownVolume,
  showVolume,
} from '../../../usecases/volumes/read-volumes.ts';
import { ageOf } from '../age.ts';
import type { CliContext } from '../context.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { kismaticJson } from '../kismatic/volume-list.ts';
import { printResult } from '../output.ts';
import { type Column, renderPairs, renderTable } from '../table.ts';

/** Registers `volume list`. */
export function registerVolumeList(command: Command, context: CliContext): void {
  command.description('List the volumes').action(async (_options, own: Command) => {
    if (globalOptions(own).output === 'kismatic-json') return printKismaticList(context, own);
    const { signal } = context;
    const volumes = await withConnection(context, own, ({ client }) => listServedVolumes({ client, signal }));
    await printResult(context, globalOptions(own), {
      data: { items: volumes.map(({ volume }) => volume) },
      names: volumes.map(({ volume }) => `volume/${volume.metadata.name}`),
      table: {
        columns: columnsOf(context),
        items: volumes,
        empty: 'No volumes were found on the cluster. You may use `holdfast volume add` to create new volumes.',
      },
    });
  });
}

async function printKismaticList(context: CliContext, own: Command): Promise<void> {
  const { signal } = context;
  const items = await withConnection(context, own, ({ client }) => listKismaticVolumes({ client, signal }));
  context.stdout.write(kismaticJson(items));
}

/** Registers `volume show`. */
export function registerVolumeShow(command: Command, context: CliContext): void {
  command
    .description('Show one volume with its copies, mounts and the reasons of its placement')
    .argument('<name>', 'name of the volume')
    .action(async (name: string, _options, own: Command) => {
      const shown = await withConnection(context, own, ({ client }) =>
        showVolume({ client, signal: context.signal }, name),
      );
      await printResult(context, globalOptions(own), {
        data: shown,
        names: [`volume/${shown.volume.metadata.name}`],
        text: () => describe(shown, globalOptions(own).headers),
      });
    });
}

function columnsOf({ clock }: CliContext): readonly Column<ListedVolume>[] {
  return [
    { name: 'name', value: ({ volume }) => volume.metadata.name },
    { name: 'phase', value: ({ volume }) => phaseOf(volume) },
    { name: 'size', value: ({ volume }) => volume.status?.size ?? volume.spec.size },
    { name: 'layout', value: ({ volume }) => describeLayout(volume.spec) },
    { name: 'copies', value: describeServing },
    {
      name: 'nodes',
      value: ({ volume }) => (volume.status?.placement ?? []).map((placed) => placed.node).join(','),
      isWide: true,
    },
    { name: 'anchor', value: ({ volume }) => volume.status?.anchor, isWide: true },
    { name: 'state', value: ({ volume }) => stateMessage(volume), isWide: true },
    { name: 'age', value: ({ volume }) => ageOf(volume, clock) },
  ];
}

/** The size that holds, and the one asked for where that is another. */
function describeSize(volume: Resource<'Volume'>): string {
  const { spec, status } = volume;
  const { size = spec.size } = status ?? {};
  if (size === spec.size) return size;
  const why = findCondition(volume, 'Sized')?.message;
  return `${size}, to grow to ${spec.size}${why === undefined ? '' : ` (${why})`}`;
}

function describeServing({ volume, servingCount }: ListedVolume): string {
  const placed = volume.status?.placement?.length ?? 0;
  return placed === 0 ? '' : `${servingCount}/${placed}`;
}

/** What it lacks of what Holdfast's own volumes have, and how to take that on. */
function describeAdopted({ metadata, spec, status }: Resource<'Volume'>): string | undefined {
  if (spec.adopted === undefined) return undefined;
  const { engineName } = spec.adopted;
  const options = describeOptions(spec.adopted, metadata.name, status?.engine?.lacks ?? []);
  return engineName === undefined ? options : `GlusterFS calls it ${engineName}; ${options}`;
}

function describeOptions(adopted: Adopted, name: string, lacks: readonly string[]): string {
  if (adopted.takesOptions === true) {
    return lacks.length === 0 ? "with the options of Holdfast's own volumes" : `takes options on: ${lacks.join(', ')}`;
  }
  if (lacks.length === 0) return 'with its own options, which lack nothing';
  return `with its own options; lacks ${lacks.join(', ')}; to take them on: adopted.takesOptions: true for ${name} in the plan, and apply it`;
}

/** Nothing of the usual one. */
function describeEngine({ spec, status }: Resource<'Volume'>): string | undefined {
  if (spec.engine === 'gluster') return undefined;
  if (spec.share !== undefined) return describeShare(spec.share);
  const [placed] = status?.placement ?? [];
  return placed === undefined ? spec.engine : `${spec.engine}, used on ${placed.node} only`;
}

function describeShare(share: Share): string {
  const { subDir, onDelete = 'delete', mountOptions = [] } = share;
  const end = subDir === undefined ? 'left as it is' : onDelete;
  const options = mountOptions.length === 0 ? '' : `; mounted with ${mountOptions.join(',')}`;
  return `nfs, ${mountSource(share)}; when it is deleted: ${end}${options}`;
}

/** Nothing of a share: its file server keeps it as it likes. */
function describeCopies(volume: Resource<'Volume'>): readonly (readonly [string, string])[] {
  const { spec } = volume;
  if (spec.share !== undefined) return [];
  return [
    ['Layout', describeLayout(spec)],
    ['Pool', spec.pool],
    ['Bricks', describeBrick(volume)],
    ...(spec.thinProvision === true ? [['Room', THIN] as const] : []),
  ];
}

/** What placement cannot rule out. */
const THIN =
  'not reserved, and given back as files are deleted; counted whole, and writes fail where others fill the pool all the same';

function describeBrick({ spec }: Resource<'Volume'>): string {
  if (spec.engine === 'gluster') return spec.brick;
  if (spec.brick === 'block') return 'block (a device without a file system)';
  const fsType = spec.fsType ?? (spec.encryption === true ? 'ext4' : 'xfs');
  return spec.brick === 'image' ? `image (${fsType})` : 'directory, which nothing holds to its size';
}

function describe({ volume, copies, attachments, serving, encryption }: ShownVolume, hasHeaders: boolean): string {
  const options = { isWide: false, hasHeaders };
  const bricks = new Map((volume.status?.engine?.bricks ?? []).map((brick) => [brick.copy, brick]));
  const sections = [
    renderPairs([
      ['Name', volume.metadata.name],
      ['Phase', phaseOf(volume)],
      ['State', stateMessage(volume)],
      ['Size', describeSize(volume)],
      ['Profile', volume.spec.profile],
      ['Engine', describeEngine(volume)],
      ...describeCopies(volume),
      ['Encrypted', encryption === undefined ? undefined : describeEncryption(encryption)],
      ['Adopted', describeAdopted(volume)],
      ['Allowed', volume.spec.allowFrom?.join(', ')],
      ['Anchor', volume.status?.anchor],
    ]),
    renderTable(
      [
        { name: 'copy', value: (copy: (typeof copies)[number]) => copy.metadata.name },
        { name: 'node', value: (copy) => copy.spec.node },
        { name: 'role', value: (copy) => copy.spec.role },
        { name: 'size', value: (copy) => describeBytes(copy.status?.sizeBytes ?? copy.spec.sizeBytes) },
        { name: 'state', value: (copy) => copy.status?.state },
        { name: 'serves', value: (copy) => serving[copy.metadata.name] },
        { name: 'to heal', value: (copy) => bricks.get(copy.metadata.name)?.pendingHeals },
      ],
      copies,
      options,
    ),
    renderTable(
      [
        { name: 'mounted on', value: (record: (typeof attachments)[number]) => record.spec.node },
        { name: 'at', value: (record) => describePath(record.spec) },
        { name: 'state', value: (record) => record.status?.state },
        { name: 'message', value: (record) => record.status?.message },
      ],
      attachments,
      options,
    ),
    [
      copies.length === 0 ? 'Placement:\n' : 'Placed at first:\n',
      ...(volume.status?.reasons ?? []).map((reason) => `  ${reason}\n`),
    ].join(''),
  ];
  const lists = [true, copies.length > 0, attachments.length > 0, (volume.status?.reasons ?? []).length > 0];
  return sections.filter((_, at) => lists[at]).join('\n');
}
