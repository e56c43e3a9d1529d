/** `holdfast node fence NAME` and `holdfast node unfence NAME` */
import type { Command } from 'commander';
import { AppError } from '../../../domain/errors.ts';
import { type FencedNode, type FencePlan, fenceNode, unfenceNode } from '../../../usecases/nodes/fence-node.ts';
import type { CliContext } from '../context.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { printResult, say } from '../output.ts';
import { askYesNo } from '../prompt.ts';

interface FenceFlags {
  readonly dryRun?: boolean;
  readonly reason?: string;
  /** False with --no-wait. */
  readonly wait: boolean;
}

/** Registers `fence`. */
export function registerNodeFence(command: Command, context: CliContext): void {
  command
    .description('Cut a node off from every volume, and prove it')
    .argument('<name>', 'name of the node')
    .option('--reason <text>', 'why, for whoever is refused later')
    .option('--dry-run', 'say what would be done, and change nothing')
    .option('--no-wait', 'do not wait for the proof')
    .action(async (name: string, flags: FenceFlags, own: Command) => {
      const { yes, timeout } = globalOptions(own);
      const fenced = await withConnection(context, own, ({ client }) =>
        fenceNode({ client, clock: context.clock }, name, {
          isDryRun: flags.dryRun === true,
          signal: context.signal,
          ...(flags.reason === undefined ? {} : { reason: flags.reason }),
          ...(flags.wait ? { waitMs: timeout } : {}),
          confirm: async (plan) => {
            for (const line of describePlan(plan)) say(context, line);
            return yes === true || askYesNo(context, `Fence ${name}?`);
          },
        }),
      );
      if (fenced.outcome === 'kept') {
        throw new AppError('cancelled', `${name} was left as it is`, { hint: 'answer yes, or use --yes' });
      }
      await printResult(context, globalOptions(own), {
        data: fenced,
        names: [`storagenode/${name}`],
        text: () => describeFenced(fenced),
      });
    });
}

/** Registers `unfence`. */
export function registerNodeUnfence(command: Command, context: CliContext): void {
  command
    .description('Let a fenced node use volumes again, once it was restarted or has none mounted')
    .argument('<name>', 'name of the node')
    .option('--dry-run', 'say whether it may be, and change nothing')
    .option('--no-wait', 'do not wait until it is done')
    .action(async (name: string, flags: Omit<FenceFlags, 'reason'>, own: Command) => {
      const { timeout } = globalOptions(own);
      const unfenced = await withConnection(context, own, ({ client }) =>
        unfenceNode({ client, clock: context.clock }, name, {
          isDryRun: flags.dryRun === true,
          signal: context.signal,
          ...(flags.wait ? { waitMs: timeout } : {}),
        }),
      );
      const words = {
        nothing: `node ${name} is not fenced`,
        planned: `node ${name} would be unfenced`,
        asked: `node ${name} is being unfenced`,
        unfenced: `node ${name} may use volumes again`,
      };
      await printResult(context, globalOptions(own), {
        data: unfenced,
        names: [`storagenode/${name}`],
        text: () => `${words[unfenced.outcome]}\n`,
      });
    });
}

function describePlan({ node, addresses, mounts }: FencePlan): readonly string[] {
  return [
    `every volume refuses ${addresses.join(' and ')}: what runs on ${node} cannot read or write them any more`,
    'its copies of volumes go on serving the other nodes',
    mounts.length === 0 ? `nothing is mounted there as far as is known` : `mounted there: ${mounts.join(', ')}`,
  ];
}

function describeFenced(fenced: FencedNode): string {
  const { node, outcome, record } = fenced;
  if (outcome === 'planned') return `${[...describePlan(fenced), `node ${node} would be fenced`].join('\n')}\n`;
  if (outcome === 'asked') return `node ${node} is being fenced; until it is held it may write\n`;
  return `node ${node} is fenced since ${record?.status?.heldSince}: ${record?.status?.message}\n`;
}
