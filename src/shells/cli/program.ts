/** The command line as a whole: finds the command, loads only that one, runs it, and turns its end into an exit code. */
import { Command, CommanderError } from 'commander';
import type { CommandEntry } from './command-entry.ts';
import type { CliContext } from './context.ts';
import { reportError } from './errors.ts';
import { CommandExit, EXIT_USAGE } from './exit-codes.ts';
import { addGlobalOptions } from './global-options.ts';

/** The commands of this shell. Composition roots add their own to them. */
export const CLI_COMMANDS: readonly CommandEntry[] = [
  {
    name: 'status',
    summary: 'Tell the state of everything in one sentence',
    load: () => import('./commands/status.ts'),
  },
  { name: 'volume', summary: 'Add, list, show and delete volumes', load: () => import('./commands/volume.ts') },
  { name: 'node', summary: 'List and show nodes', load: () => import('./commands/node.ts') },
  { name: 'cluster', summary: 'Change what all nodes have in common', load: () => import('./commands/cluster.ts') },
  { name: 'disk', summary: 'Replace a disk that was exchanged', load: () => import('./commands/disk.ts') },
  {
    name: 'doctor',
    summary: 'Check everything, and fix what can be fixed without risk',
    load: () => import('./commands/doctor.ts'),
  },
  {
    name: 'explain',
    summary: 'Tell why a volume is as it is, or where one would go',
    load: () => import('./commands/explain.ts'),
  },
  {
    name: 'simulate',
    summary: 'Tell what a loss, another node or growth would do',
    load: () => import('./commands/simulate.ts'),
  },
  { name: 'plan', summary: 'Check and apply plan files', load: () => import('./commands/plan.ts') },
  {
    name: 'adopt',
    summary: 'Take over PersistentVolumes of others with their data',
    load: () => import('./commands/adopt.ts'),
  },
  { name: 'version', summary: 'Print the version', load: () => import('./commands/version.ts') },
];

/**
 * Runs one command line, for `src/main`.
 *
 * @param args - the arguments after the program's name
 * @param entries - every top-level command: {@link CLI_COMMANDS} and those of other shells
 * @returns the exit code; nothing is thrown
 */
export async function runCli(
  args: readonly string[],
  context: CliContext,
  entries: readonly CommandEntry[] = CLI_COMMANDS,
): Promise<number> {
  const closed = new AbortController();
  const watched = { ...context, signal: AbortSignal.any([context.signal, closed.signal]) };
  for (const stream of [context.stdout, context.stderr]) {
    // The reader went away (`| head`): there is nobody left to write for, and that is no failure.
    stream.on?.('error', (error) => {
      if (error.code !== 'EPIPE') throw error;
      closed.abort(error);
    });
  }
  try {
    // By itself the program's name asks what there is.
    const line = args.length === 0 ? ['--help'] : asHelp(args, entries);
    const program = await buildProgram(watched, entries, new Set(line));
    await parse(program, line, context);
    return 0;
  } catch (error) {
    if (closed.signal.aborted) return 0;
    if (error instanceof CommandExit) return error.code;
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    return reportError(error, context);
  }
}

/** `help lab up` is `lab up --help`: commander's own help command looks at one word only. */
function asHelp(args: readonly string[], entries: readonly CommandEntry[]): readonly string[] {
  const [first, name, ...rest] = args;
  const isDeep = first === 'help' && rest.length > 0 && entries.some((entry) => entry.name === name);
  return isDeep && name !== undefined ? [name, ...rest, '--help'] : args;
}

/** Parses and runs; what the arguments themselves have wrong is told with where to read on. */
async function parse(program: Command, line: readonly string[], context: CliContext): Promise<void> {
  try {
    await program.parseAsync([...line], { from: 'user' });
  } catch (error) {
    const isTold = error instanceof CommanderError && error.exitCode !== 0 && error.code !== 'commander.help';
    if (isTold) context.stderr.write(`hint: see: ${commandMeant(program, line)} --help\n`);
    throw error;
  }
}

/** The command that a line gets to, as it is typed. */
function commandMeant(program: Command, line: readonly string[]): string {
  let command = program;
  const words = [program.name()];
  for (const word of line) {
    const next = command.commands.find((candidate) => candidate.name() === word);
    if (next === undefined) continue;
    command = next;
    words.push(word);
  }
  return words.join(' ');
}

/** The command that knows all others. */
function completionEntry(context: CliContext, entries: readonly CommandEntry[]): CommandEntry {
  return {
    name: 'completion',
    summary: 'Print the completion script for bash, zsh or fish',
    load: async () => {
      const { createCompletionCommand } = await import('./commands/completion.ts');
      return createCompletionCommand(() => buildProgram(context, entries));
    },
  };
}

/**
 * Builds the tree of commands.
 *
 * @param words - loads only the commands among these words, since options before a command may take values;
 *   everything is loaded when left out (for completion and documentation)
 */
export async function buildProgram(
  context: CliContext,
  entries: readonly CommandEntry[],
  words?: ReadonlySet<string>,
): Promise<Command> {
  const program = new Command(context.isKubectlPlugin === true ? 'kubectl holdfast' : 'holdfast')
    .description('Storage for Kubernetes that outlives the node')
    .usage('[options] <command>')
    .version(`holdfast ${context.version}`, '--version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      writeErr: (text) => void context.stderr.write(text),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .exitOverride();
  addGlobalOptions(program, context.isKubectlPlugin === true);
  for (const entry of [...entries, completionEntry(context, entries)]) {
    // Made by its parent, so that it inherits help, output and exit handling.
    const command = program.command(entry.name).summary(entry.summary).description(entry.summary);
    if (entry.group !== undefined) command.helpGroup(entry.group);
    if (words !== undefined && !words.has(entry.name)) continue;
    const module = await entry.load();
    module.register(command, context);
  }
  return program;
}
