/** Holds a command line from the documentation against the tree of commands that the program really has. */
import type { Command } from 'commander';

/** What is wrong with the words after `holdfast`, or undefined. Values of options and arguments are not judged. */
export function commandFault(program: Command, words: readonly string[]): string | undefined {
  let command = program;
  const rest = [...words];
  while (command.commands.length > 0) {
    const word = rest[0];
    if (word === undefined || word.startsWith('-')) {
      if (command === program) return undefined;
      return actsAlone(command) ? optionFault(program, command, rest) : needsVerb(command, words);
    }
    // "up|down|status" in a sentence stands for each of them.
    const names = word.split('|');
    const found = names.map((name) => command.commands.find((each) => each.name() === name));
    const unknown = names.find((_, index) => found[index] === undefined);
    const usual = defaultVerb(command);
    if (unknown !== undefined && usual !== undefined) return optionFault(program, usual, rest);
    const [first] = found;
    if (unknown !== undefined || first === undefined) return `there is no "${unknown}" in: holdfast ${words.join(' ')}`;
    command = first;
    rest.shift();
    if (rest.length === 0) return undefined;
  }
  return optionFault(program, command, rest);
}

/** The verb that is meant when the next word is none, which commander keeps to itself. */
function defaultVerb(command: Command): Command | undefined {
  const { _defaultCommandName: name } = command as unknown as { readonly _defaultCommandName: string | null };
  return command.commands.find((each) => each.name() === name);
}

/** True for a command with verbs that does something without one, too: commander keeps that to itself. */
function actsAlone(command: Command): boolean {
  return (command as unknown as { readonly _actionHandler: unknown })._actionHandler !== null;
}

function needsVerb(command: Command, words: readonly string[]): string | undefined {
  return words.at(-1) === '--help' ? undefined : `"${command.name()}" needs a verb in: holdfast ${words.join(' ')}`;
}

function optionFault(program: Command, command: Command, words: readonly string[]): string | undefined {
  const known = [...program.options, ...command.options];
  for (const word of words) {
    if (word === '--') return undefined;
    const flag = word.split('=')[0] ?? '';
    if (!/^--?[a-z]/.test(flag) || flag === '--help' || flag === '-h') continue;
    if (!known.some((option) => option.short === flag || option.long === flag)) {
      return `"${command.name()}" has no option ${flag}`;
    }
  }
  return undefined;
}
