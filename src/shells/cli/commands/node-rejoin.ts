/** `holdfast node rejoin NAME` */
import type { Command } from 'commander';
import { AppError } from '../../../domain/errors.ts';
import type { RejoinCopy, RejoinPlan } from '../../../domain/node/plan-rejoin.ts';
import { type RejoinedNode, rejoinNode } from '../../../usecases/nodes/rejoin-node.ts';
import type { CliContext } from '../context.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { printResult, say } from '../output.ts';
import { askYesNo } from '../prompt.ts';

interface RejoinFlags {
  readonly force?: boolean;
  readonly dryRun?: boolean;
  /** False with --no-wait. */
  readonly wait: boolean;
}

/** Registers the command. */
export function registerNodeRejoin(command: Command, context: CliContext): void {
  command
    .description('Let a machine that was installed anew take its place again, and fill its copies from the others')
    .argument('<name>', 'name of the node')
    .option('--dry-run', 'say what would be done, and change nothing')
    .option('--force', 'also when volumes have lost their last copy with the machine; those stay as they are')
    .option('--no-wait', 'do not wait until its copies are filled')
    .action(async (name: string, flags: RejoinFlags, own: Command) => {
      const { yes, timeout } = globalOptions(own);
      const rejoined = await withConnection(context, own, ({ client }) =>
        rejoinNode({ client, clock: context.clock }, name, {
          isForced: flags.force === true,
          isDryRun: flags.dryRun === true,
          signal: context.signal,
          ...(flags.wait ? { waitMs: timeout } : {}),
          say: (line) => say(context, line),
          confirm: async (plan) => {
            for (const line of describePlan(plan)) say(context, line);
            return yes === true || askYesNo(context, `Let ${name} rejoin?`);
          },
        }),
      );
      if (rejoined.outcome === 'kept') {
        throw new AppError('cancelled', `${name} was left as it is`, { hint: 'answer yes, or use --yes' });
      }
      await printResult(context, globalOptions(own), {
        data: rejoined,
        names: [`storagenode/${name}`],
        text: () => describeOutcome(rejoined),
      });
    });
}

function describePlan(plan: RejoinPlan): readonly string[] {
  const { node, engineId, blankEngineId, replace, hopeless, kept } = plan;
  const others = (copies: readonly RejoinCopy[]) =>
    copies.map(({ volume, sources }) => `${volume} (from ${sources.join(', ')})`).join(', ');
  const names = (copies: readonly RejoinCopy[]) => copies.map(({ volume }) => volume).join(', ');
  return [
    ...(blankEngineId === undefined
      ? []
      : [
          `GlusterFS on ${node} takes the identity ${engineId} of the machine that was ${node} before; that one must never run again`,
        ]),
    ...(replace.length === 0 ? [] : [`lost on ${node}, filled from the others: ${others(replace)}`]),
    ...(kept.length === 0 ? [] : [`still on ${node}, brought up to date: ${names(kept)}`]),
    ...(hopeless.length === 0 ? [] : [describeHopeless(hopeless)]),
  ];
}

function describeHopeless(hopeless: readonly RejoinCopy[]): string {
  return `lost, with nothing to fill it from, left as it is: ${hopeless.map(({ volume }) => volume).join(', ')}`;
}

function describeOutcome(rejoined: RejoinedNode): string {
  const { node, outcome, hopeless } = rejoined;
  switch (outcome) {
    case 'nothing':
      if (hopeless.length > 0) return `node ${node} is in its place\n${describeHopeless(hopeless)}\n`;
      return `node ${node} is in its place, and no copy on it is lost\n`;
    case 'planned':
      return `${[...describePlan(rejoined), `node ${node} would rejoin`].join('\n')}\n`;
    case 'asked':
      return `node ${node} rejoins\n`;
    case 'rejoined':
    case 'kept': // told as an error before
      return `node ${node} has rejoined\n`;
  }
}
