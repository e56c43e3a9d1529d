/** `holdfast simulate add-node NAME --pool default=100Gi` */
import type { Command } from 'commander';
import { describeAvailable, parseQuantity } from '../../../domain/bytes.ts';
import { AppError } from '../../../domain/errors.ts';
import { parsePoolName } from '../../../domain/names.ts';
import type { AddedNodeReport, BiggestVolume, NewNode, WaitingVolume } from '../../../domain/simulate/add-node.ts';
import { addNodeReport } from '../../../usecases/simulate/simulate.ts';
import type { CliContext } from '../context.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { printResult } from '../output.ts';
import { parsedOption } from '../parsed-option.ts';
import { type Column, renderTable } from '../table.ts';

type Pools = NewNode['pools'];

interface AddNodeOptions {
  readonly zone?: string;
  readonly pool: Pools;
}

/** Registers `simulate add-node`. */
export function registerSimulateAddNode(command: Command, context: CliContext): void {
  command
    .description('Tell what another node would make possible')
    .argument('<name>', 'name of the new node')
    .option('--zone <zone>', 'zone of the new node; new ones are welcome')
    .addOption(
      parsedOption<Pools | undefined>('--pool <name=size>', 'a pool and its size: default=100Gi; repeatable', readPool),
    )
    .action(async (name: string, { zone, pool = [] }: Partial<AddNodeOptions>, own: Command) => {
      if (pool.length === 0) {
        throw new AppError('invalid', `node ${name} needs a pool`, { hint: 'for example: --pool default=100Gi' });
      }
      const node = { name, pools: pool, ...(zone === undefined ? {} : { zone }) };
      const report = await withConnection(context, own, ({ client }) =>
        addNodeReport({ client, signal: context.signal }, node),
      );
      const { headers } = globalOptions(own);
      await printResult(context, globalOptions(own), {
        data: report,
        names: report.waiting.filter((row) => row.fits === 'after').map((row) => `volume/${row.volume}`),
        text: (isWide) => describe(report, { isWide, hasHeaders: headers }),
      });
    });
}

function readPool(text: string, before: Pools | undefined): Pools {
  const at = text.indexOf('=');
  if (at < 1) throw new AppError('invalid', 'write the name of the pool and its size: default=100Gi');
  const name = parsePoolName(text.slice(0, at));
  const bytes = parseQuantity(text.slice(at + 1));
  if (bytes === 0) throw new AppError('range', `pool ${name} must hold more than nothing`);
  if (before?.some((pool) => pool.name === name)) throw new AppError('invalid', `pool ${name} is named twice`);
  return [...(before ?? []), { name, bytes }];
}

const WAITING: readonly Column<WaitingVolume>[] = [
  { name: 'waiting volume', value: (row) => row.volume },
  { name: 'size', value: (row) => row.size },
  { name: 'would be placed', value: describeFit },
  { name: 'why not', value: (row) => row.message, isWide: true },
  { name: 'would help', value: (row) => row.smallestChange, isWide: true },
];

function describe(report: AddedNodeReport, form: { readonly isWide: boolean; readonly hasHeaders: boolean }): string {
  const { biggest, replicas, waiting } = report;
  const columns: readonly Column<BiggestVolume>[] = [
    { name: 'pool', value: (row) => row.pool },
    { name: `biggest volume of ${replicas} copies now`, value: (row) => describeBiggest(row.before) },
    { name: 'with the new node', value: (row) => describeBiggest(row.after) },
  ];
  const placed = waiting.filter((row) => row.fits === 'after').length;
  const words = waiting.length === 0 ? 'No volume waits for a place.' : describeWaiting(placed, waiting.length);
  const table = waiting.length === 0 ? '' : `\n${renderTable(WAITING, waiting, form)}`;
  return `${renderTable(columns, biggest, form)}\n${words}\n${table}\nNothing was changed.\n`;
}

function describeWaiting(placed: number, all: number): string {
  return `${placed} of ${all} waiting ${all === 1 ? 'volume' : 'volumes'} would be placed because of it.`;
}

function describeFit({ fits, nodes }: WaitingVolume): string {
  if (fits === 'no') return 'no';
  return `${fits === 'after' ? 'yes' : 'without it too'}: ${nodes.join(', ')}`;
}

function describeBiggest(bytes: number): string {
  return bytes === 0 ? 'none' : describeAvailable(bytes);
}
