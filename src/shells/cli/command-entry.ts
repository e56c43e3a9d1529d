/** How commands are known before they are loaded, so that `holdfast --help` loads none of them. */
import type { Command } from 'commander';
import type { CliContext } from './context.ts';

/** What a command's module exports. */
export interface CommandModule {
  /** Adds arguments, options, subcommands and the action to `command`, which has its name and summary already. */
  register(command: Command, context: CliContext): void;
}

/**
 * One top-level command. `src/main` passes those of other shells (controller, node, lab, demo) to the program this way.
 *
 * @example { name: 'lab', summary: 'Hosts on this machine', load: () => import('./commands/lab.ts') }
 */
export interface CommandEntry {
  readonly name: string;
  /** One line for the overview. */
  readonly summary: string;
  /** Heading in the overview; "Commands" when left out. */
  readonly group?: string;
  readonly load: () => Promise<CommandModule>;
}
