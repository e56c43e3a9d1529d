/** The tree of commands as completion needs it, read from the very tree that runs. */
import type { Command, Option } from 'commander';
import type { CompletionNode, CompletionOption } from './completion-scripts.ts';

/** Describes a program with all its commands loaded. */
export function describeCommand(program: Command): CompletionNode {
  return describe(program, [], []);
}

/** Options of a command can stand behind each of its subcommands. */
function describe(command: Command, path: readonly string[], inherited: readonly CompletionOption[]): CompletionNode {
  const help = command.createHelp();
  const options = [...help.visibleOptions(command).map(describeOption), ...inherited];
  const global = path.length === 0 ? options.filter((option) => !option.flags.includes('--version')) : inherited;
  const withoutHelp = global.filter((option) => !option.flags.includes('--help'));
  return {
    path,
    summary: command.summary() || command.description(),
    options,
    choices: command.registeredArguments.flatMap((argument) => argument.argChoices ?? []),
    children: help.visibleCommands(command).map((child) => describe(child, [...path, child.name()], withoutHelp)),
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
