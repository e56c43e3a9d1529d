/**
 * The command line that Kismatic's users and scripts know, for the program when it is called by the name `kismatic`.
 * Text, answers and exit codes are Kismatic's: 1 for every failure, told in one plain line on standard error.
 */
import { stripVTControlCharacters } from 'node:util';
import { Command, CommanderError } from 'commander';
import { isAppError } from '../../../domain/errors.ts';
import type { ComposeInstall } from '../commands/install-context.ts';
import type { CliContext } from '../context.ts';
import { reportError } from '../errors.ts';
import { CommandExit, EXIT_CODES } from '../exit-codes.ts';
import { registerKismaticInstall } from './install.ts';
import { PLAN_FILE } from './plan-file.ts';
import { registerKismaticAdd } from './volume-add.ts';
import { registerKismaticDelete } from './volume-delete.ts';
import { registerKismaticList } from './volume-list.ts';

const FAILED = 1;

/**
 * Runs one command line of `kismatic`.
 *
 * @param compose - how machines are reached, for `kismatic install`; without it there is no such command
 * @returns the exit code; nothing is thrown
 */
export async function runKismatic(
  args: readonly string[],
  context: CliContext,
  compose?: ComposeInstall,
): Promise<number> {
  const line = asWritten(args);
  try {
    const program = buildKismaticProgram(context, compose);
    await program.parseAsync(line.length === 0 ? ['--help'] : [...line], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommandExit) return error.code;
    if (error instanceof CommanderError) return error.exitCode === 0 || error.code === 'commander.help' ? 0 : FAILED;
    return report(error, context);
  }
}

/** The tree of commands. */
export function buildKismaticProgram(context: CliContext, compose?: ComposeInstall): Command {
  const program = new Command('kismatic')
    .description("Kismatic's commands for storage volumes, carried out by Holdfast")
    .helpCommand(false)
    .version(`holdfast ${context.version}`, '--version', 'print the version of Holdfast')
    .configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      writeErr: (text) => void context.stderr.write(text),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .exitOverride();
  const volume = program
    .command('volume')
    .description('manage storage volumes on your Kubernetes cluster')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true })
    .option('-f, --plan-file <file>', 'path to the installation plan file', PLAN_FILE);
  registerKismaticAdd(volume.command('add'), context);
  registerKismaticList(volume.command('list'), context);
  registerKismaticDelete(volume.command('delete'), context);
  if (compose !== undefined) registerKismaticInstall(program.command('install'), context, compose);
  return program;
}

/** Go's flags may be written -c="durable" and --force=true, which the parser here does not know. */
function asWritten(args: readonly string[]): readonly string[] {
  const end = args.includes('--') ? args.indexOf('--') : args.length;
  const before = args.slice(0, end).flatMap((arg): readonly string[] => {
    const short = /^(-[a-zA-Z])=(.*)$/s.exec(arg);
    if (short !== null) return [short[1] ?? '', short[2] ?? ''];
    const boolean = /^(--(?:force|verbose))=(.*)$/.exec(arg);
    if (boolean === null || !/^(?:1|t|true|0|f|false)$/i.test(boolean[2] ?? '')) return [arg];
    return /^[1t]/i.test(boolean[2] ?? '') ? [boolean[1] ?? ''] : [];
  });
  return [...before, ...args.slice(end)];
}

function report(error: unknown, context: CliContext): number {
  const code = reportKind(error, context);
  return code === EXIT_CODES.cancelled ? code : FAILED;
}

/** Kismatic's sentence as it is, then what Holdfast has to add. */
function reportKind(error: unknown, context: CliContext): number {
  if (!isAppError(error) || error.kind === 'cancelled') return reportError(error, context);
  const plain = (text: string) =>
    stripVTControlCharacters(text).replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '?');
  const faults = error.faults.map(({ line, column, field, message }) => {
    const place = line === undefined ? '' : `line ${line}, column ${column ?? 1}: `;
    return `- ${place}${field}: ${message}\n`;
  });
  const hint = error.hint === undefined ? '' : `hint: ${error.hint}\n`;
  context.stderr.write(plain(`${error.message}\n${faults.join('')}${hint}`));
  return FAILED;
}
