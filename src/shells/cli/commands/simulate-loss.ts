/** `holdfast simulate lose-node NODE...` and `lose-zone ZONE...` */
import type { Command } from 'commander';
import { describeNeed } from '../../../domain/bytes.ts';
import type { LossReport, VolumeLoss } from '../../../domain/simulate/simulate-loss.ts';
import { loseNodesReport, loseZonesReport } from '../../../usecases/simulate/simulate.ts';
import type { CliContext } from '../context.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { describeOutcome } from '../outcome-words.ts';
import { printResult } from '../output.ts';
import { type Column, renderTable } from '../table.ts';

type Ask = typeof loseNodesReport;

/** Registers `simulate lose-node`. */
export function registerLoseNode(command: Command, context: CliContext): void {
  command
    .description('Tell what the loss of nodes, all at once, would do to each volume')
    .argument('<node...>', 'nodes that are lost');
  registerLoss(command, context, loseNodesReport);
}

/** Registers `simulate lose-zone`. */
export function registerLoseZone(command: Command, context: CliContext): void {
  command
    .description('Tell what the loss of all nodes of zones would do to each volume')
    .argument('<zone...>', 'zones that are lost');
  registerLoss(command, context, loseZonesReport);
}

function registerLoss(command: Command, context: CliContext, ask: Ask): void {
  command.action(async (names: readonly string[], _options, own: Command) => {
    const report = await withConnection(context, own, ({ client }) => ask({ client, signal: context.signal }, names));
    const { headers } = globalOptions(own);
    await printResult(context, globalOptions(own), {
      data: report,
      names: report.stopped.map((name) => `volume/${name}`),
      text: (isWide) => describe(report, { isWide, hasHeaders: headers }),
    });
  });
}

const COLUMNS: readonly Column<VolumeLoss>[] = [
  { name: 'volume', value: (row) => row.volume },
  { name: 'now', value: (row) => describeOutcome(row.before) },
  { name: 'after', value: (row) => describeOutcome(row.after) },
  { name: 'may lose then', value: (row) => row.spareCopies },
  { name: 'loses its copy on', value: (row) => row.lostCopies.join(', ') },
  { name: 'used on', value: (row) => row.lostMounts.join(', '), isWide: true },
  { name: 'to copy', value: describeCopying },
  { name: 'why', value: (row) => row.message, isWide: true },
];

function describe(report: LossReport, form: { readonly isWide: boolean; readonly hasHeaders: boolean }): string {
  const { nodes, volumes, serverQuorum } = report;
  const lines = [`Without ${nodes.join(', ')}: ${report.sentence}.`, ...describeQuorum(serverQuorum)];
  const notes = [...describeRestoring(report), ...volumes.flatMap(describeNotes), 'Nothing was changed.'];
  const table = volumes.length === 0 ? '' : `\n${renderTable(COLUMNS, volumes, form)}`;
  return `${lines.map(line).join('')}${table}\n${notes.map(line).join('')}`;
}

function describeQuorum({ active, members, isMet }: LossReport['serverQuorum']): readonly string[] {
  if (isMet) return [];
  const rule = 'GlusterFS stops every volume but single ones unless more than half of its nodes are there';
  return [`Only ${active} of ${members} nodes would be left: ${rule}.`];
}

function describeRestoring({ restorable }: LossReport): readonly string[] {
  const { volumes, of, bytes } = restorable;
  if (of === 0) return [];
  const amount = volumes === 0 ? '' : `, at most ${describeNeed(bytes)} to copy`;
  return [`Room for new copies on other nodes: for ${volumes} of the ${of} that would want one${amount}.`];
}

function describeNotes({ volume, warning, restore, lostMounts }: VolumeLoss): readonly string[] {
  return [
    ...(lostMounts.length === 0 ? [] : [`${volume} is mounted on ${lostMounts.join(', ')}: what uses it there stops.`]),
    ...(warning === undefined ? [] : [`${volume}: ${warning}.`]),
    ...(restore?.hasRoom === false ? [`${volume}: no other place: ${restore.smallestChange}.`] : []),
  ];
}

function describeCopying({ restore }: VolumeLoss): string {
  if (restore === undefined) return '';
  if (!restore.hasRoom) return 'no room';
  return `${describeNeed(restore.bytes)} to ${restore.places.map((placed) => placed.node).join(', ')}`;
}

function line(text: string): string {
  return `${text}\n`;
}
