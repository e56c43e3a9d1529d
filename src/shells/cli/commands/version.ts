/** `holdfast version` */
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { globalOptions } from '../global-options.ts';
import { printResult } from '../output.ts';

/** Registers the command. */
export function register(command: Command, context: CliContext): void {
  command.action(async (_options, own: Command) => {
    const { version } = context;
    await printResult(context, globalOptions(own), {
      data: { version, node: process.versions.node },
      names: [`holdfast/${version}`],
      text: (isWide) => `holdfast ${version}${isWide ? ` (Node ${process.versions.node})` : ''}\n`,
    });
  });
}
