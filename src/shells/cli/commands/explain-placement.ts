/** `holdfast explain placement --size SIZE`: would it fit, where, and if not why. */
import { type Command, Option } from 'commander';
import type { ExplainedWish } from '../../../domain/explain/explain-wish.ts';
import type { ExplainedNode } from '../../../domain/placement/explain-placement.ts';
import { describeLayout } from '../../../domain/volume/describe-layout.ts';
import { explainPlacementOf } from '../../../usecases/explain/explain.ts';
import type { CliContext } from '../context.ts';
import { CommandExit, EXIT_CODES } from '../exit-codes.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { addLayoutOptions, type LayoutOptions, readWhole } from '../layout-options.ts';
import { printResult } from '../output.ts';
import { parsedOption } from '../parsed-option.ts';
import { type Column, renderTable } from '../table.ts';

interface PlacementOptions extends LayoutOptions {
  readonly size: string;
  readonly replicas?: number;
  readonly distribution?: number;
  readonly pool?: string;
  readonly brick?: 'image' | 'directory';
  readonly zones?: readonly string[];
}

/** Registers the command. */
export function registerExplainPlacement(command: Command, context: CliContext): void {
  addLayoutOptions(command)
    .description('Tell where the copies of a volume would go, or why there is no place; exit code 6 if it does not fit')
    .requiredOption('--size <size>', 'size with its unit: 20Gi')
    .addOption(parsedOption<number | undefined>('--replicas <number>', 'copies that hold data, of each set', readWhole))
    .addOption(
      parsedOption<number | undefined>('--distribution <number>', 'sets of copies to spread files over', readWhole),
    )
    .option('--pool <name>', 'pool that the copies go to (default: default)')
    .addOption(new Option('--brick <kind>', 'what a copy is made of (default: image)').choices(['image', 'directory']))
    .addOption(
      parsedOption<readonly string[] | undefined>('--zones <zones>', 'only in these zones, comma-separated', (text) =>
        text.split(',').map((zone) => zone.trim()),
      ),
    )
    .action(async (options: PlacementOptions, own: Command) => {
      const explained = await withConnection(context, own, ({ client }) =>
        explainPlacementOf({ client, signal: context.signal }, options),
      );
      const { headers } = globalOptions(own);
      await printResult(context, globalOptions(own), {
        data: explained,
        names: explained.placement.map((placed) => `storagenode/${placed.node}`),
        text: (isWide) => describe(explained, { isWide, hasHeaders: headers }),
      });
      if (!explained.fits) throw new CommandExit(EXIT_CODES.capacity);
    });
}

interface Form {
  readonly isWide: boolean;
  readonly hasHeaders: boolean;
}

function describe(explained: ExplainedWish, form: Form): string {
  const { explanation, smallestChange, sentence, notes } = explained;
  const scored = explanation.nodes.filter((node) => node.scores.length > 0);
  const sections = [
    explanation.nodes.length === 0 ? 'There are no nodes yet.\n' : filterTable(explained, form),
    scored.length === 0 ? '' : `${scoreTable(scored, form)}${describeWeights(explained)}`,
    [
      ...notes,
      `${explained.size}, ${describeLayout(explained)}, pool ${explained.pool}: ${sentence}`,
      ...(smallestChange === '' ? [] : [`to make it fit: ${smallestChange}`]),
    ]
      .map((line) => `${line}\n`)
      .join(''),
  ];
  return sections.filter((section) => section !== '').join('\n');
}

/** Columns for the filters that turned somebody away; with -o wide for all. */
function filterTable({ explanation }: ExplainedWish, form: Form): string {
  const { nodes, filters } = explanation;
  const isNeeded = (filter: string) => nodes.some((node) => failed(node).some((check) => check.filter === filter));
  const shown = filters.filter((filter) => form.isWide || isNeeded(filter));
  const columns: readonly Column<ExplainedNode>[] = [
    { name: 'node', value: (row) => row.node },
    { name: 'zone', value: (row) => row.zone },
    { name: 'copy', value: (row) => row.chosenFor && `${row.chosenFor.index} (${row.chosenFor.role})` },
    ...shown.map((filter) => ({ name: filter, value: (row: ExplainedNode) => checkWord(row, filter) })),
    {
      name: 'why not',
      value: (row) =>
        failed(row)
          .map((check) => check.message ?? check.filter)
          .join('; '),
    },
  ];
  const passed = filters.filter((filter) => !shown.includes(filter));
  const note = passed.length === 0 ? '' : `Every node passes: ${passed.join(', ')}\n`;
  return `${renderTable(columns, nodes, { ...form, isWide: true })}${note}`;
}

function failed({ checks }: ExplainedNode): ExplainedNode['checks'] {
  return checks.filter((check) => !check.isPassed);
}

function checkWord(row: ExplainedNode, filter: string): string {
  return failed(row).some((check) => check.filter === filter) ? 'no' : 'pass';
}

function scoreTable(nodes: readonly ExplainedNode[], form: Form): string {
  const scorers = nodes[0]?.scores.map((score) => score.scorer) ?? [];
  const columns: readonly Column<ExplainedNode>[] = [
    { name: 'node', value: (row) => row.node },
    { name: 'taken for', value: (row) => row.chosenFor && `copy ${row.chosenFor.index}` },
    { name: 'points', value: (row) => row.points?.toFixed(2) },
    ...scorers.map((scorer) => ({ name: scorer, value: (row: ExplainedNode) => scoreWord(row, scorer) })),
  ];
  return renderTable(columns, nodes, { ...form, isWide: true });
}

function scoreWord({ scores }: ExplainedNode, scorer: string): string {
  const score = scores.find((candidate) => candidate.scorer === scorer);
  // At most two decimals, and none for whole numbers.
  return score === undefined ? '' : `${Number(score.points.toFixed(2))} (${score.message})`;
}

function describeWeights({ weights }: ExplainedWish): string {
  const list = weights.map(({ scorer, weight }) => `${scorer} ${weight}`).join('; ');
  return `Points: ${list}. The highest sum is taken, of equal ones the first name.\n`;
}
