import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findProgramFiles } from './release.ts';

let packageFolder: string;
const find = () => findProgramFiles({ packageFolder, node: '/usr/bin/node', version: '1.2.3' });

beforeAll(async () => {
  packageFolder = await mkdtemp(join(tmpdir(), 'holdfast-release-'));
  await mkdir(join(packageFolder, 'dist/chunks'), { recursive: true });
  const write = (name: string, text: string) => writeFile(join(packageFolder, 'dist', name), text);
  await write(
    'main.mjs',
    'import{a}from"./chunks/a-ABC.mjs";const l=()=>import("./chunks/lazy-DEF.mjs");"./chunks/no.mjs"',
  );
  await write('chunks/a-ABC.mjs', 'import"./deep-GHI.mjs";import{m}from"../main.mjs";');
  await write('chunks/lazy-DEF.mjs', '');
  await write('chunks/deep-GHI.mjs', '');
  await write('chunks/of-an-earlier-build-XYZ.mjs', '');
});
afterAll(() => rm(packageFolder, { recursive: true }));

test('everything that the program imports goes along, and nothing of earlier builds', async () => {
  const { name, chunks, entry } = await find();
  expect(chunks.map((path) => basename(path))).toEqual(['a-ABC.mjs', 'deep-GHI.mjs', 'lazy-DEF.mjs']);
  expect(entry).toBe(join(packageFolder, 'dist/main.mjs'));
  expect(name).toMatch(/^1\.2\.3-[0-9a-f]{8}$/);
});

test('its name is another one when anything in it is', async () => {
  const { name } = await find();
  expect((await find()).name).toBe(name);
  await writeFile(join(packageFolder, 'dist/chunks/lazy-DEF.mjs'), 'changed');
  expect((await find()).name).not.toBe(name);
});

test('a package without its bundle says what to do', async () => {
  const missing = findProgramFiles({ packageFolder: join(packageFolder, 'none'), node: '', version: '1.2.3' });
  await expect(missing).rejects.toMatchObject({ kind: 'precondition', reason: 'NoBundle' });
});
