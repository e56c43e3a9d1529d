/** The tree of commands as the program has it, for whoever documents it or holds the documentation against it. */
import type { Command } from 'commander';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { createSystemRandom } from '../../src/adapters/system/random.ts';
import { COMMANDS } from '../../src/main/entries.ts';
import type { CliContext } from '../../src/shells/cli/context.ts';
import { buildProgram } from '../../src/shells/cli/program.ts';

const never = async (): Promise<never> => Promise.reject(new Error('nothing is run here'));

/** Builds every command, in a place where none can do anything. */
export function buildWholeProgram(): Promise<Command> {
  const context: CliContext = {
    stdin: process.stdin,
    stdout: { write: () => undefined },
    stderr: { write: () => undefined },
    env: {},
    signal: new AbortController().signal,
    clock: createSystemClock(),
    random: createSystemRandom(),
    version: '0.0.0',
    connect: never,
    plans: { read: never },
  };
  return buildProgram(context, COMMANDS);
}
