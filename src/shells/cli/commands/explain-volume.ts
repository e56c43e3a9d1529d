/** `holdfast explain volume NAME`: every decision about one volume, in order. */
import type { Command } from 'commander';
import type {
  ExplainedCondition,
  ExplainedCopy,
  ExplainedSet,
  ExplainedShare,
  VolumeExplanation,
} from '../../../domain/explain/explain-volume.ts';
import { explainVolumeOf } from '../../../usecases/explain/explain.ts';
import { ageOf } from '../age.ts';
import type { CliContext } from '../context.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { describeOutcome } from '../outcome-words.ts';
import { printResult } from '../output.ts';
import { type Column, renderPairs, renderTable } from '../table.ts';

/** Registers the command. */
export function registerExplainVolume(command: Command, context: CliContext): void {
  command
    .description('Tell why a volume is as it is, what it waits for, what a loss would do to it, and what to do next')
    .argument('<name>', 'name of the volume')
    .action(async (name: string, _options, own: Command) => {
      const explained = await withConnection(context, own, ({ client }) =>
        explainVolumeOf({ client, signal: context.signal }, name),
      );
      await printResult(context, globalOptions(own), {
        data: explained,
        names: [`volume/${explained.volume}`],
        text: () => describe(explained, context, globalOptions(own).headers),
      });
    });
}

/** They are of the day when it was placed: copies that have moved since are in the table. */
function describeReasons({ reasons, copies }: VolumeExplanation): string {
  const heading = copies.length === 0 ? 'Placement:  ' : 'Placed at first:  ';
  return reasons.map((reason, at) => `${at === 0 ? heading : ' '.repeat(heading.length)}${reason}\n`).join('');
}

function describe(explained: VolumeExplanation, context: CliContext, hasHeaders: boolean): string {
  const form = { isWide: false, hasHeaders };
  const { copies, conditions, mounts, next } = explained;
  const sections = [
    renderPairs(pairsOf(explained, context)),
    describeReasons(explained),
    conditions.length === 0 ? '' : renderTable(conditionColumns(context), conditions, form),
    copies.length === 0 ? '' : `${renderTable(copyColumns(explained), copies, form)}${describeWarning(explained)}`,
    mounts.length === 0
      ? ''
      : renderTable<(typeof mounts)[number]>(
          [
            { name: 'mounted on', value: (mount) => mount.node },
            {
              name: 'at',
              value: ({ path, clients }) => (clients === undefined ? path : `NFS ${path} for ${clients.join(', ')}`),
            },
            { name: 'state', value: (mount) => mount.state },
          ],
          mounts,
          form,
        ),
    `Next:  ${next.command}\n       ${next.why}\n`,
  ];
  return sections.filter((section) => section !== '').join('\n');
}

function pairsOf(
  explained: VolumeExplanation,
  context: CliContext,
): readonly (readonly [string, string | undefined])[] {
  const { anchor, waitsFor, share } = explained;
  const waits = waitsFor && `${waitsFor.what} (for ${age(waitsFor.since, context)})`;
  return [
    ['Volume', explained.volume],
    ['Phase', `${explained.phase}: ${explained.message}`],
    ['Asked for', `${explained.size}, ${explained.layout}`],
    ['Waits for', waits ?? 'nothing'],
    ['Anchor', anchor && describeAnchor(anchor, explained.observedEpoch)],
    ['Engine', explained.engineMessage],
    ...explained.fences.map(({ message }) => ['Fence', message] as const),
    ['Adopted', describeLacks(explained)],
    ...(share === undefined ? servedPairs(explained) : sharePairs(share)),
  ];
}

function servedPairs({ sets, serverQuorum }: VolumeExplanation): readonly (readonly [string, string])[] {
  return [
    ['Served', describeSets(sets)],
    [
      'Pool quorum',
      serverQuorum.isMet
        ? `${serverQuorum.active} of ${serverQuorum.members} nodes are there; more than half are needed`
        : `only ${serverQuorum.active} of ${serverQuorum.members} nodes are there: GlusterFS stops replicated volumes until more than half are`,
    ],
  ];
}

const WHEN_DELETED = { delete: 'its folder is erased', retain: 'nothing is touched', archive: 'its folder is renamed' };

/** Copies, sets and quorums are the file server's own business. */
function sharePairs({
  server,
  path,
  subDir,
  onDelete,
  usableOn,
}: ExplainedShare): readonly (readonly [string, string])[] {
  const what = subDir === undefined ? `the whole of ${path}` : `folder ${subDir} of ${path}`;
  return [
    ['Kept by', `${server}, ${what}; Holdfast keeps no copy`],
    ['When deleted', WHEN_DELETED[onDelete]],
    ['Usable on', usableOn.length === 0 ? 'no node now' : usableOn.join(', ')],
  ];
}

/** Sets that stand alike are told together. */
function describeSets(sets: readonly ExplainedSet[]): string {
  const [only] = sets;
  if (sets.length === 1 && only !== undefined) {
    return `needs ${only.needed} of ${only.copies} copies; ${only.serving} serve`;
  }
  const alike = new Map<string, number[]>();
  for (const { set, needed, copies, serving } of sets) {
    const words = `needs ${needed} of ${copies} copies; ${serving} serve`;
    alike.set(words, [...(alike.get(words) ?? []), set]);
  }
  return [...alike]
    .map(([words, own]) => `${own.length === 1 ? 'set' : 'each of the sets'} ${own.join(', ')} ${words}`)
    .join('. ');
}

function describeAnchor(anchor: NonNullable<VolumeExplanation['anchor']>, observedEpoch: number | undefined): string {
  const away = anchor.isReady ? '' : ', not reachable';
  const old = observedEpoch === undefined ? '' : `; the last report is of epoch ${observedEpoch}`;
  return `${anchor.node}, epoch ${anchor.epoch}${away}${old}`;
}

function conditionColumns(context: CliContext): readonly Column<ExplainedCondition>[] {
  return [
    { name: 'condition', value: (row) => row.type },
    { name: 'status', value: (row) => row.status },
    { name: 'reason', value: (row) => row.reason },
    { name: 'for', value: (row) => age(row.since, context) },
    { name: 'message', value: (row) => row.message },
  ];
}

function copyColumns({ ifLost }: VolumeExplanation): readonly Column<ExplainedCopy>[] {
  const lossOf = (node: string) => ifLost.find((loss) => loss.node === node);
  return [
    { name: 'copy', value: (copy) => copy.copy },
    { name: 'node', value: (copy) => (copy.isNodeReady ? copy.node : `${copy.node} (away)`) },
    { name: 'pool', value: (copy) => copy.pool },
    { name: 'role', value: (copy) => copy.role },
    { name: 'state', value: (copy) => [copy.state, copy.message].filter((part) => part !== undefined).join(': ') },
    { name: 'online', value: (copy) => seen(copy, copy.isOnline) },
    { name: 'readable', value: (copy) => seen(copy, copy.isReadable) },
    { name: 'to heal', value: healWord },
    { name: 'if its node is lost now', value: (copy) => describeLoss(lossOf(copy.node)) },
  ];
}

/** What was seen before the node went away says nothing any more. */
function seen({ isSeenNow, isNodeReady }: ExplainedCopy, value: boolean | undefined): string {
  if (value === undefined) return '';
  if (!isSeenNow) return isNodeReady ? 'not checked yet' : 'no';
  return value ? 'yes' : 'no';
}

function healWord({ pendingHeals, splitBrainEntries = 0 }: ExplainedCopy): string {
  const split = splitBrainEntries === 0 ? '' : ` (${splitBrainEntries} in split brain)`;
  return pendingHeals === undefined ? '' : `${pendingHeals}${split}`;
}

function describeLoss(loss: VolumeExplanation['ifLost'][number] | undefined): string {
  if (loss === undefined) return '';
  const why = loss.outcome === 'unavailable' ? `: ${loss.message}` : '';
  return `${describeOutcome(loss.outcome)}${why}`;
}

function describeWarning({ ifLost }: VolumeExplanation): string {
  const warning = ifLost.find((loss) => loss.warning !== undefined)?.warning;
  return warning === undefined ? '' : `If one is lost: ${warning}.\n`;
}

function age(since: string, { clock }: CliContext): string {
  return ageOf({ metadata: { creationTimestamp: since } }, clock);
}

/** Undefined for a volume that Holdfast made. */
function describeLacks({ volume, lacks, engineName }: VolumeExplanation): string | undefined {
  if (lacks === undefined) return undefined;
  const called = engineName === undefined ? '' : `GlusterFS calls it ${engineName}; `;
  if (lacks.length === 0) return `${called}it lacks no safety option`;
  return `${called}it keeps its own options and lacks ${lacks.join(', ')}; to take them on, say adopted.takesOptions: true for ${volume} in the plan and apply it`;
}
