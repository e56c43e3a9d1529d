/** The generated pages say what the program has, and nothing is missing in them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { ROOT } from '../project.ts';
import { type GeneratedPage, generatePages } from './generated-pages.ts';
import { markdownTable } from './markdown.ts';
import { schemaRows } from './schema-rows.ts';
import { buildWholeProgram } from './whole-program.ts';

let pages: readonly GeneratedPage[];
beforeAll(async () => {
  pages = await generatePages();
});

test('they are as the program is; if not: node tools/docs/index.ts', () => {
  for (const { path, text } of pages) expect(readFileSync(join(ROOT, path), 'utf8'), path).toBe(text);
});

test('every command and every option of it has its place', async () => {
  const text = pages[0]?.text ?? '';
  const names: string[] = [];
  const visit = (command: Command, above: readonly string[]): void => {
    for (const each of command.commands) {
      const words = [...above, each.name()];
      names.push(words.join(' '));
      const section = text.split(`\n## ${words.join(' ')}\n`)[1]?.split('\n## ')[0];
      expect(section, words.join(' ')).toBeDefined();
      for (const { flags } of each.options) expect(section).toContain(flags.replaceAll('|', '\\|'));
      visit(each, words);
    }
  };
  visit(await buildWholeProgram(), []);
  expect(names.length).toBeGreaterThan(50);
});

test('every field of every kind says what it means', () => {
  const rows = pages[1]?.text.match(/^\| `(?:spec|status)[^\n]*$/gm) ?? [];
  expect(rows.length).toBeGreaterThan(200);
  // Tell it with .describe() in src/schemas.
  expect(rows.filter((row) => /\| +\|$/.test(row))).toEqual([]);
});

test('fields are told with type, default, range and meaning, however deep they are', () => {
  const schema = z.object({
    size: z.int().min(1).max(9).default(3).describe('How large.'),
    pools: z.array(z.object({ name: z.string().max(63) })).max(64),
    ids: z.record(z.string(), z.object({ kind: z.enum(['a', 'b']) })).optional(),
  });
  expect(schemaRows(schema)).toEqual([
    ['size', 'integer', '3', '1 to 9', 'How large.'],
    ['pools', 'list of object', 'required', 'up to 64', ''],
    ['pools[].name', 'string', 'required', 'up to 63 characters', ''],
    ['ids', 'map of object', '', '', ''],
    ['ids.*.kind', 'a, b', 'required', '', ''],
  ]);
});

test('a table survives what is in it', () => {
  expect(markdownTable(['a', 'b', 'c'], [['`x|y`', '', '<z> | 1']])).toBe(
    '| a | c |\n|---|---|\n| `x\\|y` | &lt;z> \\| 1 |',
  );
});
