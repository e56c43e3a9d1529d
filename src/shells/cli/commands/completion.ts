/** `holdfast completion bash|zsh|fish`, generated from the very tree of commands that runs. */
import { Argument, type Command } from 'commander';
import { COMPLETION_SHELLS, type CompletionShell, completionScript } from '../completion-scripts.ts';
import { describeCommand } from '../completion-tree.ts';
import type { CliContext } from '../context.ts';

/** Registers the command; `loadTree` builds the program with every command loaded. */
export function createCompletionCommand(loadTree: () => Promise<Command>): {
  register(command: Command, context: CliContext): void;
} {
  return {
    register: (command, context) => {
      command
        .addArgument(new Argument('<shell>', 'shell to complete in').choices([...COMPLETION_SHELLS]))
        .action(async (shell: CompletionShell) => {
          const root = await loadTree();
          context.stdout.write(completionScript(shell, describeCommand(root)));
        });
    },
  };
}
