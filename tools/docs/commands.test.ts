/** Every command line in the documentation is one that the program understands. */
import type { Command } from 'commander';
import { beforeAll, expect, test } from 'vitest';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { createSystemRandom } from '../../src/adapters/system/random.ts';
import { labCommand } from '../../src/main/lab-command.ts';
import { ledgerCommand } from '../../src/main/ledger-command.ts';
import { createFakeLogger } from '../../src/ports/logger.fake.ts';
import type { CommandEntry } from '../../src/shells/cli/command-entry.ts';
import type { CliContext } from '../../src/shells/cli/context.ts';
import { buildProgram, CLI_COMMANDS } from '../../src/shells/cli/program.ts';
import { commandFault } from './check-command.ts';
import { holdfastCommands, readDocs } from './read-docs.ts';

const clock = createSystemClock();
const OTHER_ENTRIES: readonly CommandEntry[] = [
  { name: 'lab', summary: 'Hosts on this machine', load: async () => labCommand() },
  { name: 'ledger', summary: 'Proof', load: async () => ledgerCommand({ clock, log: createFakeLogger() }) },
];
/** Programs of their own in src/main, which take no verb. */
const ROLES = new Set(['controller', 'node', 'demo']);

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
  program = await buildProgram(context, [...CLI_COMMANDS, ...OTHER_ENTRIES]);
});

const commands = readDocs().flatMap((doc) =>
  holdfastCommands(doc.text).map((words) => ({ path: doc.path, line: words.join(' '), words })),
);

test('the documentation shows commands', () => {
  expect(commands.length).toBeGreaterThan(10);
});

test.for(commands)('holdfast $line in $path', ({ words }) => {
  if (words.length === 1 && ROLES.has(words[0] ?? '')) return;
  expect(commandFault(program, words)).toBeUndefined();
});

test.for([
  [['nonsense'], 'there is no "nonsense"'],
  [['volume', 'paint'], 'there is no "paint"'],
  [['lab', 'power', 'up'], 'there is no "up"'],
  [['volume', '-x'], '"volume" needs a verb'],
  [['ledger', 'check', 'x', '--stor', 'y'], '"check" has no option --stor'],
] as const)('%j is found out', ([words, fault]) => {
  expect(commandFault(program, words)).toContain(fault);
});

test.for([
  [['volume', 'list', '-o', 'json']],
  [['lab', 'exec', 'kube1', '--', 'ls', '--nonsense']],
  [['lab', 'up|down', '--name', 'x']],
  [['--help']],
] as const)('%j is let through', ([words]) => {
  expect(commandFault(program, words)).toBeUndefined();
});
