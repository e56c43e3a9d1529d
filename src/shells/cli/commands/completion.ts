/** `holdfast completion bash|zsh|fish`, generated from the very tree of commands that runs. */
import { Argument, type Command, type Option } from 'commander';
import {
  COMPLETION_SHELLS,
  type CompletionNode,
  type CompletionOption,
  type CompletionShell,
  completionScript,
} from '../completion-scripts.ts';
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
          context.stdout.write(completionScript(shell, describeCommand(root, [], [])));
        });
    },
  };
}

/** Options of a command can stand behind each of its subcommands. */
function describeCommand(
  command: Command,
  path: readonly string[],
  inherited: readonly CompletionOption[],
): CompletionNode {
  const help = command.createHelp();
  const options = [...help.visibleOptions(command).map(describeOption), ...inherited];
  const global = path.length === 0 ? options.filter((option) => !option.flags.includes('--version')) : inherited;
  const withoutHelp = global.filter((option) => !option.flags.includes('--help'));
  return {
    path,
    summary: command.summary() || command.description(),
    options,
    choices: command.registeredArguments.flatMap((argument) => argument.argChoices ?? []),
    children: help
      .visibleCommands(command)
      .map((child) => describeCommand(child, [...path, child.name()], withoutHelp)),
  };
}

function describeOption(option: Option): CompletionOption {
  return {
    flags: [option.short, option.long].filter((flag) => flag !== undefined),
    summary: option.description,
    takesValue: option.required || option.optional,
    choices: option.argChoices ?? [],
  };
}
