/** Every command line in the documentation is one that the program understands. */
import type { Command } from 'commander';
import { beforeAll, expect, test } from 'vitest';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { createSystemRandom } from '../../src/adapters/system/random.ts';
import { COMMANDS } from '../../src/main/entries.ts';
import type { CliContext } from '../../src/shells/cli/context.ts';
import { buildProgram } from '../../src/shells/cli/program.ts';
import { commandFault } from './check-command.ts';
import { holdfastCommands, readDocs } from './read-docs.ts';

const clock = createSystemClock();

const never = async (): Promise<never> => Promise.reject(new Error('nothing is run here'));
const context: CliContext = {
  stdin: process.stdin,
  stdout: { write: () => undefined },
  stderr: { write: () => undefined },
  env: {},
  signal: new AbortController().signal,
  clock,
  random: createSystemRandom(),
  version: '0.0.0',
  connect: never,
  plans: { read: never },
};

let program: Command;
beforeAll(async () => {
  program = await buildProgram(context, COMMANDS);
});

const commands = readDocs().flatMap((doc) =>
  holdfastCommands(doc.text).map((words) => ({ path: doc.path, line: words.join(' '), words })),
);

test('the documentation shows commands', () => {
  expect(commands.length).toBeGreaterThan(10);
});

test.for(commands)('holdfast $line in $path', ({ words }) => {
  expect(commandFault(program, words)).toBeUndefined();
});

test.for([
  [['nonsense'], 'there is no "nonsense"'],
  [['volume', 'paint'], 'there is no "paint"'],
  [['lab', 'power', 'up'], 'there is no "up"'],
  [['volume', '-x'], '"volume" needs a verb'],
  [['ledger', 'check', 'x', '--stor', 'y'], '"check" has no option --stor'],
  [['volume', 'snapshot', 'gv0', '--stor'], '"take" has no option --stor'],
] as const)('%j is found out', ([words, fault]) => {
  expect(commandFault(program, words)).toContain(fault);
});

test.for([
  [['volume', 'list', '-o', 'json']],
  [['lab', 'exec', 'kube1', '--', 'ls', '--nonsense']],
  [['lab', 'up|down', '--name', 'x']],
  [['volume', 'snapshot', 'gv0', '--no-wait']],
  [['--help']],
] as const)('%j is let through', ([words]) => {
  expect(commandFault(program, words)).toBeUndefined();
});
