/** `holdfast uninstall [--plan]`: takes Holdfast off the machines; data stays where it is. */
import type { Command } from 'commander';
import { AppError } from '../../../domain/errors.ts';
import { planUninstall, runUninstall, type UninstallPlan } from '../../../usecases/install/run-uninstall.ts';
import type { CommandModule } from '../command-entry.ts';
import type { CliContext } from '../context.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { printResult, say } from '../output.ts';
import { askYesNo } from '../prompt.ts';
import { type ComposeInstall, defaultAssets, withInstall } from './install-context.ts';
import { addFileOption, type FileOption } from './plan-file-option.ts';

interface Flags extends FileOption {
  readonly plan?: boolean;
  readonly abandon: readonly string[];
}

/** Creates the command's module. */
export function createUninstallCommand(compose: ComposeInstall): CommandModule {
  return {
    register: (command, context) => {
      addFileOption(command)
        .option('--plan', 'list what would be lost, and change nothing')
        .option(
          '--abandon <volume>',
          'leave this volume to GlusterFS alone; may be given several times',
          (name: string, previous: readonly string[]) => [...previous, name],
          [],
        )
        .action((flags: Flags, own: Command) => uninstall(compose, context, own, flags));
    },
  };
}

async function uninstall(compose: ComposeInstall, context: CliContext, own: Command, flags: Flags): Promise<void> {
  const plan = await context.plans.read(flags.file);
  const { signal } = context;
  await withConnection(context, own, async ({ client }) => {
    if (flags.plan === true) return printPlan(context, own, await planUninstall(client, plan, signal));
    await withInstall(compose, context, defaultAssets(flags.file), async (deps) => {
      const isDone = await runUninstall(deps, client, plan, {
        abandon: flags.abandon,
        signal,
        say: (line) => say(context, line),
        confirm: async (lost) => {
          if (globalOptions(own).yes === true) return true;
          say(context, describe(lost));
          return askYesNo(context, `Take Holdfast off ${lost.nodes.join(', ')}?`);
        },
      });
      if (!isDone) throw new AppError('cancelled', 'nothing was changed', { hint: 'answer yes, or use --yes' });
    });
  });
}

async function printPlan(context: CliContext, own: Command, lost: UninstallPlan): Promise<void> {
  await printResult(context, globalOptions(own), {
    data: lost,
    names: lost.volumes.map(({ name }) => `volume/${name}`),
    text: () => `${describe(lost)}\n`,
  });
}

function describe({ nodes, volumes, removed, kept }: UninstallPlan): string {
  const list = (items: readonly string[]) => items.map((item) => `  ${item}`);
  const described = volumes.map(({ name, size, layout, mountedOn, copies }) => {
    const mounts = mountedOn.length === 0 ? 'mounted nowhere' : `mounted on ${mountedOn.join(', ')}`;
    return `${name}, ${size}, ${layout}, ${mounts}; its data stays at ${copies.join(', ')}`;
  });
  return [
    `From ${nodes.join(', ')} would be removed:`,
    ...list(removed),
    volumes.length === 0 ? 'There are no volumes.' : 'Volumes that nobody would look after any more:',
    ...list(described),
    'What stays:',
    ...list(kept),
  ].join('\n');
}
