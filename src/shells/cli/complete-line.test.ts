import { expect, test } from 'vitest';
import { wordsFor } from './complete-line.ts';
import type { CompletionNode } from './completion-scripts.ts';

const output = { flags: ['-o', '--output'], summary: 'form', takesValue: true, choices: ['json', 'yaml'] };
const file = { flags: ['-f'], summary: 'plan', takesValue: true, choices: [] };
const node = (path: readonly string[], more: Partial<CompletionNode> = {}): CompletionNode => ({
  ...{ path, summary: path.join(' '), options: [output], children: [], choices: [] },
  ...more,
});
const ROOT = node([], {
  children: [
    node(['volume'], { children: [node(['volume', 'list']), node(['volume', 'show'])] }),
    node(['plan'], { options: [file] }),
  ],
});

test.for([
  [['v'], ['volume\tvolume', ':4']],
  [[''], ['volume\tvolume', 'plan\tplan', ':4']],
  [
    ['volume', ''],
    ['list\tvolume list', 'show\tvolume show', ':4'],
  ],
  [
    ['-o', 'json', 'volume', 's'],
    ['show\tvolume show', ':4'],
  ],
  [
    ['volume', 'list', '-o', 'y'],
    ['yaml', ':4'],
  ],
  [
    ['volume', '--'],
    ['--output\tform', ':4'],
  ],
  [['plan', '-f', ''], [':0']],
  [['plan', 'x'], [':0']],
] as const)('%j is completed', ([args, lines]) => {
  expect(wordsFor(ROOT, args)).toEqual(lines);
});
