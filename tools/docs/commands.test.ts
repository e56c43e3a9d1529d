/** Every command line in the documentation is one that the program understands. */
import type { Command } from 'commander';
import { beforeAll, expect, test } from 'vitest';
import { commandFault } from './check-command.ts';
import { holdfastCommands, readDocs } from './read-docs.ts';
import { buildWholeProgram } from './whole-program.ts';

let program: Command;
beforeAll(async () => {
  program = await buildWholeProgram();
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
