/** `holdfast simulate grow 20%/month` */
import type { Command } from 'commander';
import { describeAvailable, describeNeed } from '../../../domain/bytes.ts';
import {
  type Fill,
  type GrowthReport,
  MAX_MONTHS,
  type PoolGrowth,
  type PoolNameGrowth,
  parseGrowth,
  parseMonths,
} from '../../../domain/simulate/grow.ts';
import { growthReport } from '../../../usecases/simulate/simulate.ts';
import type { CliContext } from '../context.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { printResult } from '../output.ts';
import { parsedOption } from '../parsed-option.ts';
import { type Column, renderTable } from '../table.ts';

const DEFAULT_MONTHS = 12;

/** Registers `simulate grow`. */
export function registerSimulateGrow(command: Command, context: CliContext): void {
  command
    .description('Tell in which month each pool would be full if what is promised in it grew')
    .argument('<percent>', 'growth a month, compounded: 20%/month')
    .addOption(
      parsedOption('--months <number>', `months to look ahead, up to ${MAX_MONTHS}`, parseMonths).default(
        DEFAULT_MONTHS,
      ),
    )
    .action(async (percent: string, { months }: { readonly months: number }, own: Command) => {
      const request = { percent: parseGrowth(percent), months };
      const report = await withConnection(context, own, ({ client }) =>
        growthReport({ client, signal: context.signal }, request),
      );
      const { headers } = globalOptions(own);
      await printResult(context, globalOptions(own), {
        data: report,
        names: report.pools.map(({ node, pool }) => `storagenode/${node}/${pool}`),
        text: () => describe(report, headers),
      });
    });
}

function describe(report: GrowthReport, hasHeaders: boolean): string {
  const form = { isWide: false, hasHeaders };
  const { months, pools, totals, unknown } = report;
  const columns: readonly Column<PoolGrowth>[] = [
    { name: 'pool', value: (row) => row.pool },
    { name: 'node', value: (row) => row.node },
    { name: 'promised', value: (row) => describeNeed(row.committedBytes) },
    { name: 'thin', value: (row) => (row.thinBytes === 0 ? 'none' : describeNeed(row.thinBytes)) },
    { name: 'limit', value: (row) => describeAvailable(row.limitBytes) },
    { name: 'full', value: (row) => describeFull(row, months) },
  ];
  const table = pools.length === 0 ? 'No pool has been reported yet.\n' : renderTable(columns, pools, form);
  const notes = [
    ...totals.flatMap((total) => describeTotal(total, months)),
    ...unknown.map(({ node, pool }) => `Not counted: pool ${pool} of ${node}, whose size nobody has reported.`),
    THICK_AND_THIN,
    'Nothing was changed.',
  ];
  return `${table}\n${notes.map((note) => `${note}\n`).join('')}`;
}

const THICK_AND_THIN =
  'Counted is what is promised: image bricks take their whole size at once, thin ones (directory bricks) only as they are written.';

function describeTotal(total: PoolNameGrowth, months: number): readonly string[] {
  const { pool, nodes, afterLoss } = total;
  const words = nodes === 1 ? '1 node' : `${nodes} nodes`;
  const lines = [`Pool ${pool} on ${words} together: ${describeFull(total, months)}.`];
  if (afterLoss === undefined) return lines;
  const { withoutPlace } = afterLoss;
  lines.push(`Without ${afterLoss.node}, its largest node: ${describeFull(afterLoss, months)}.`);
  if (withoutPlace.length > 0) {
    lines.push(`Even now no other place for the copies on ${afterLoss.node} of: ${withoutPlace.join(', ')}.`);
  }
  return lines;
}

function describeFull({ fullInMonth, committedBytes }: Fill, months: number): string {
  if (fullInMonth === 0) return 'more than fits now';
  if (fullInMonth !== undefined) return `full in month ${fullInMonth}`;
  if (committedBytes === 0) return 'never: nothing is in it';
  return `not within ${months} ${months === 1 ? 'month' : 'months'}`;
}
