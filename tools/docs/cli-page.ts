/** docs/reference/cli.md: every command with its arguments, options and defaults, from the tree that `--help` is made from. */

import type { Argument, Command, Option } from 'commander';
import { EXIT_CODES } from '../../src/shells/cli/exit-codes.ts';
import { ROOT } from '../project.ts';
import { code, markdownTable, sentence } from './markdown.ts';

const COLUMNS = ['argument or option', 'default', 'what it means'];

/** Writes the page for a program. */
export function cliPage(program: Command, note: string): string {
  const options = program.options.map(optionRow);
  return [
    '# Commands',
    note,
    'A command without a verb where there are several, and `--help` behind any, shows what there is.',
    '## Options of every command',
    markdownTable(COLUMNS, options),
    '## Exit codes',
    'The same for every command; [what to do about each](exit-codes.md).',
    exitCodes(),
    ...program.commands.flatMap((command) => sections(command, [])),
  ]
    .join('\n\n')
    .concat('\n');
}

function exitCodes(): string {
  const kinds = Map.groupBy(Object.entries(EXIT_CODES), ([, exit]) => exit);
  const rows = [...kinds].toSorted(([a], [b]) => a - b);
  return markdownTable(
    ['code', 'kinds of failure'],
    [['0', 'done'], ...rows.map(([exit, all]) => [String(exit), all.map(([kind]) => kind).join(', ')])],
  );
}

/** One for the command, if it does something by itself, and one for each below it. */
function sections(command: Command, above: readonly string[]): readonly string[] {
  const words = [...above, command.name()];
  const below = command.commands.filter((each) => each.name() !== 'help');
  const rows = [...command.registeredArguments.map(argumentRow), ...command.options.filter(isShown).map(optionRow)];
  const isAct = below.length === 0 || rows.length > 0;
  const own = [
    `## ${words.join(' ')}`,
    `${command.description()}.`.replace(/\.\.$/, '.'),
    ...(isAct ? [`\`\`\`text\nholdfast ${words.join(' ')} ${command.usage()}`.trimEnd().concat('\n```')] : []),
    ...(rows.length === 0 ? [] : [markdownTable(COLUMNS, rows)]),
    ...(below.length === 0 ? [] : [`Verbs: ${below.map((each) => each.name()).join(', ')}.`]),
  ];
  return [...own, ...below.flatMap((each) => sections(each, words))];
}

function isShown(option: Option): boolean {
  return !option.hidden && option.long !== '--help';
}

function argumentRow(argument: Argument): readonly string[] {
  const { required, variadic, description, defaultValue, defaultValueDescription, argChoices } = argument;
  const name = `${argument.name()}${variadic ? '...' : ''}`;
  const told = defaultValueDescription ?? shown(defaultValue);
  return [code(required ? `<${name}>` : `[${name}]`), ...defaultAndMeaning(description, told, argChoices)];
}

function optionRow(option: Option): readonly string[] {
  const { flags, description, negate, defaultValue, defaultValueDescription, argChoices, mandatory } = option;
  const told = negate ? '' : (defaultValueDescription ?? shown(defaultValue));
  const must = mandatory ? `${description} (it must be given)` : description;
  return [code(flags), ...defaultAndMeaning(must, told, argChoices)];
}

/** A default that the program decides on later is told in the description. */
function defaultAndMeaning(
  description: string,
  told: string,
  choices: readonly string[] | undefined,
): readonly [fallback: string, meaning: string] {
  const found = / \(default: (?<said>[^()]*)\)/.exec(description);
  const text = sentence(description.replace(found?.[0] ?? '', ''));
  const fallback = told === '' ? (found?.groups?.['said'] ?? '') : code(told);
  return [fallback, choices === undefined ? text : `${text}: ${choices.map(code).join(', ')}`];
}

function shown(value: unknown): string {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return '';
  // The same in whatever folder the program lies.
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.replace(`${ROOT}/`, '');
}
