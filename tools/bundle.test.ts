/** The program as it is shipped: parts that are imported only when they are needed must be whole there, too. */
import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from './project.ts';

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-bundle-'));
  const builder = (await import(new URL('./build.mjs', import.meta.url).href)) as {
    build: (options: { outDir: string; isQuiet: boolean }) => Promise<unknown>;
  };
  await builder.build({ outDir: relative(ROOT, folder), isQuiet: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.for([
  [['version', '-o', 'yaml'], 'version: '],
  [['plan', 'new', '-f', '-'], 'storage:\n'],
  [['plan', 'validate', '-f', 'examples/plan.lab.yaml', '-o', 'yaml'], 'nodes:\n'],
] as const)('holdfast %s', ([args, text]) => {
  const options = { cwd: ROOT, encoding: 'utf8', timeout: 60_000 } as const;
  const run = spawnSync(process.execPath, [join(folder, 'main.mjs'), ...args], options);
  expect(run).toMatchObject({ status: 0, stderr: '' });
  expect(run.stdout).toContain(text);
});

test('messages of zod are carried in English alone', () => {
  const carrying = (text: string) =>
    globSync(`${folder}/**/*.mjs`).filter((path) => readFileSync(path, 'utf8').includes(text));
  expect(carrying('Invalid input: expected')).not.toEqual([]);
  expect(carrying('Ungültige Eingabe')).toEqual([]);
});
