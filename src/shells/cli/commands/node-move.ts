/** `holdfast node drain|undrain|replace` */
import type { Command } from 'commander';
import { AppError } from '../../../domain/errors.ts';
import type { Move } from '../../../domain/volume/foresee-moves.ts';
import {
  drainNode,
  foreseeDrain,
  foreseeNodeReplacement,
  replaceNode,
  undrainNode,
} from '../../../usecases/nodes/move-copies.ts';
import type { CliContext } from '../context.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { printResult, say } from '../output.ts';
import { printMoves } from '../print-moves.ts';
import { askYesNo } from '../prompt.ts';

interface DrainFlags {
  readonly dryRun?: boolean;
  /** False with --no-wait. */
  readonly wait: boolean;
}

interface ReplaceFlags {
  readonly dryRun?: boolean;
}

/** Registers `node drain`. */
export function registerNodeDrain(command: Command, context: CliContext): void {
  command
    .description('Move every copy away from a node, while its volumes are in use')
    .argument('<name>', 'name of the node')
    .option('--dry-run', 'list where each copy would go, and change nothing')
    .option('--no-wait', 'do not wait until the copies have left')
    .action(async (name: string, flags: DrainFlags, own: Command) => {
      const options = globalOptions(own);
      const moves = await withConnection(context, own, ({ client }) => {
        const deps = { client, clock: context.clock };
        if (flags.dryRun === true) return foreseeDrain(deps, name, { signal: context.signal });
        return drainNode(deps, name, {
          signal: context.signal,
          ...(flags.wait ? { waitMs: options.timeout } : {}),
          onProgress: (message) => say(context, message),
        });
      });
      if (flags.dryRun === true) return printMoves(context, options, { moves, empty: `No copy is on ${name}.` });
      await printResult<Move>(context, options, {
        data: { items: moves },
        names: moves.map((move) => `volumecopy/${move.copy}`),
        text: () => `node ${name} ${flags.wait ? 'has no copies any more' : 'is being drained'}\n`,
      });
    });
}

/** Registers `node undrain`. */
export function registerNodeUndrain(command: Command, context: CliContext): void {
  command
    .description('Let a node that was drained take copies again')
    .argument('<name>', 'name of the node')
    .action(async (name: string, _flags, own: Command) => {
      await withConnection(context, own, ({ client }) =>
        undrainNode({ client, clock: context.clock }, name, { signal: context.signal }),
      );
      await printResult(context, globalOptions(own), {
        data: { node: name },
        names: [`storagenode/${name}`],
        text: () => `node ${name} takes copies again\n`,
      });
    });
}

/** Registers `node replace`. */
export function registerNodeReplace(command: Command, context: CliContext): void {
  command
    .description('Give up a node that is gone for good: new copies for all that it had')
    .argument('<old>', 'name of the node that is gone')
    .argument('[new]', 'node for the new copies; chosen for each when left out')
    .option('--dry-run', 'list where each new copy would go, and change nothing')
    .action(async (old: string, next: string | undefined, flags: ReplaceFlags, own: Command) => {
      const options = globalOptions(own);
      const asked = { old, ...(next === undefined ? {} : { node: next }) };
      if (flags.dryRun === true) {
        const moves = await withConnection(context, own, ({ client }) =>
          foreseeNodeReplacement({ client, clock: context.clock }, asked, { signal: context.signal }),
        );
        return printMoves(context, options, { moves, empty: `No copy was on ${old}; it would be removed.` });
      }
      const outcome = await withConnection(context, own, ({ client }) =>
        replaceNode({ client, clock: context.clock }, asked, {
          signal: context.signal,
          waitMs: options.timeout,
          onProgress: (message) => say(context, message),
          confirm: async (ending) => {
            if (options.yes === true) return true;
            const too = ending.length === 0 ? '' : `, and with it what is left of ${ending.join(', ')}`;
            return askYesNo(context, `Is ${old} gone for good? What only it holds is given up${too}`);
          },
        }),
      );
      if (outcome === 'kept') {
        throw new AppError('cancelled', `node ${old} was not replaced`, { hint: 'answer yes, or use --yes' });
      }
      await printResult(context, options, {
        data: { node: old, outcome },
        names: [`storagenode/${old}`],
        text: () => `node ${old} is replaced and no longer part of the cluster\n`,
      });
    });
}
