/** `holdfast volume export NAME` and `holdfast volume unexport NAME` */
import type { Command } from 'commander';
import { AppError } from '../../../domain/errors.ts';
import { type ExportedVolume, exportVolume } from '../../../usecases/volumes/export-volume.ts';
import { type UnexportedVolume, unexportVolume } from '../../../usecases/volumes/unexport-volume.ts';
import type { CliContext } from '../context.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { printResult, say } from '../output.ts';
import { askYesNo } from '../prompt.ts';

interface UnexportOptions {
  readonly node?: string;
  readonly dryRun?: boolean;
  /** False with --no-wait. */
  readonly wait: boolean;
}

interface ExportOptions extends UnexportOptions {
  readonly to?: readonly string[];
  readonly readOnly?: boolean;
  readonly rootSquash?: boolean;
  readonly beyondAllowed?: boolean;
}

/** Registers `volume export`. */
export function registerVolumeExport(command: Command, context: CliContext): void {
  command
    .description('Serve a volume by NFSv4 to machines that are no nodes')
    .argument('<name>', 'name of the volume')
    .option(
      '--to <clients...>',
      'who may mount it: 10.10.1.2, 10.10.0.0/16 or 10.10.*.* (default: who may mount the volume)',
    )
    .option('--node <nodes>', 'nodes that serve it, comma-separated (default: those that do, else its anchor)')
    .option('--read-only', 'nobody may write')
    .option('--root-squash', "what a client's root does is done as the anonymous user")
    .option('--beyond-allowed', 'also clients that may not mount the volume itself')
    .option('--dry-run', 'say what would change, and change nothing')
    .option('--no-wait', 'do not wait until it is served')
    .action(async (name: string, options: ExportOptions, own: Command) => {
      const { yes, timeout } = globalOptions(own);
      const exported = await withConnection(context, own, ({ client }) =>
        exportVolume(
          { client, clock: context.clock },
          {
            volume: name,
            ...(options.to === undefined ? {} : { to: options.to.flatMap(words) }),
            ...nodesOf(options),
            isReadOnly: options.readOnly ?? false,
            squash: options.rootSquash === true ? 'root' : 'none',
            mayGoBeyond: options.beyondAllowed ?? false,
          },
          {
            isDryRun: options.dryRun ?? false,
            signal: context.signal,
            ...(options.wait ? { waitMs: timeout } : {}),
            confirm: async (losses) => {
              if (yes === true) return true;
              for (const loss of losses) say(context, loss);
              return askYesNo(context, `Change the export of volume ${name}?`);
            },
          },
        ),
      );
      for (const notice of exported.notices) say(context, notice);
      assertDone(exported.outcome, `the export of volume ${name} was not changed`);
      await printResult(context, globalOptions(own), {
        data: exported,
        names: [`volume/${name}`],
        text: () => describeExports(exported),
      });
    });
}

/** Registers `volume unexport`. */
export function registerVolumeUnexport(command: Command, context: CliContext): void {
  command
    .description('End the NFS exports of a volume')
    .argument('<name>', 'name of the volume')
    .option('--node <nodes>', 'only on these nodes, comma-separated')
    .option('--dry-run', 'say what would end, and change nothing')
    .option('--no-wait', 'do not wait until it has ended')
    .action(async (name: string, options: UnexportOptions, own: Command) => {
      const { yes, timeout } = globalOptions(own);
      const ended = await withConnection(context, own, ({ client }) =>
        unexportVolume(
          { client, clock: context.clock },
          { volume: name, ...nodesOf(options) },
          {
            isDryRun: options.dryRun ?? false,
            signal: context.signal,
            ...(options.wait ? { waitMs: timeout } : {}),
            confirm: async (nodes) =>
              yes === true ||
              askYesNo(context, `Clients that mount volume ${name} from ${nodes.join(', ')} lose it. End it?`),
          },
        ),
      );
      assertDone(ended.outcome, `volume ${name} is exported as before`);
      await printResult(context, globalOptions(own), {
        data: ended,
        names: [`volume/${name}`],
        text: () => `${describeEnd(ended)}\n`,
      });
    });
}

function nodesOf({ node }: UnexportOptions): { readonly nodes?: readonly string[] } {
  return node === undefined ? {} : { nodes: words(node) };
}

function words(text: string): readonly string[] {
  return text.split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]));
}

function assertDone(outcome: string, message: string): void {
  if (outcome === 'kept') throw new AppError('cancelled', message, { hint: 'answer yes, or use --yes' });
}

function describeExports({ name, outcome, exports }: ExportedVolume): string {
  const verb = { kept: '', foreseen: 'would be exported', stored: 'is to be exported', served: 'is exported' }[outcome];
  return exports
    .map(({ node, clients, isReadOnly, squash, address, action }) => {
      const how = `${isReadOnly ? ', read-only' : ''}${squash === 'root' ? ', root squashed' : ''}`;
      const asBefore = action === 'unchanged' ? ', as before' : '';
      const where = address === undefined ? `by ${node}` : `by ${node} as ${address}`;
      return `volume ${name} ${verb} ${where} to ${clients.join(', ')}${how}${asBefore}\n`;
    })
    .join('');
}

function describeEnd({ name, outcome, nodes }: UnexportedVolume): string {
  if (nodes.length === 0) return `volume ${name} is not exported${outcome === 'foreseen' ? '' : ' there'}`;
  const verb = { kept: '', foreseen: 'would end', marked: 'ends', ended: 'has ended' }[outcome];
  return `the export of volume ${name} by ${nodes.join(', ')} ${verb}`;
}
