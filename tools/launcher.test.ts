/** The launcher bin/holdfast.mjs, run for real in a folder of its own that looks like an installed package. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ROOT } from './project.ts';

/** Makes any Node take itself for an old one, without process.execve, as Node 20 is. */
const PRETEND_OLD = `
Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.1.0' } });
Object.defineProperty(process, 'version', { value: 'v20.1.0' });
process.execve = undefined;
process.execArgv = [];
`;
const PRINTS_ITSELF = `
let stdin = '';
for await (const chunk of process.stdin) stdin += chunk;
console.log(JSON.stringify({ args: process.argv.slice(2), exe: process.execPath, stdin }));
process.exitCode = 5;
`;
const WAITS = `
process.on('SIGTERM', () => { console.log('got SIGTERM'); process.exit(9); });
process.on('SIGINT', () => console.log('got SIGINT'));
setInterval(() => {}, 1000);
console.log('ready');
`;

let folder: string;
let launcher: string;
let started: ChildProcess[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-launcher-'));
  launcher = join(folder, 'bin', 'holdfast.mjs');
  cpSync(join(ROOT, 'bin'), join(folder, 'bin'), { recursive: true });
  writeFileSync(join(folder, 'old.mjs'), PRETEND_OLD);
  started = [];
});

afterEach(() => {
  for (const child of started) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

function writeBundle(code: string): void {
  mkdirSync(join(folder, 'dist'));
  writeFileSync(join(folder, 'dist', 'main.mjs'), code);
}

function installPackages(): void {
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
}

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: 'pipe' });
  started.push(child);
  return child;
}

const asOld = (): readonly string[] => ['--import', join(folder, 'old.mjs'), launcher];

async function finish(child: ChildProcess, stdin = ''): Promise<{ code: number; stdout: string; stderr: string }> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => (stdout += chunk));
  child.stderr?.on('data', (chunk) => (stderr += chunk));
  child.stdin?.end(stdin);
  const [code] = await once(child, 'close');
  return { code, stdout, stderr };
}

async function saysReady(child: ChildProcess): Promise<void> {
  const [text] = await once(child.stdout as NodeJS.ReadableStream, 'data');
  expect(String(text)).toContain('ready');
}

test.for(['this Node', 'an old Node'])('a link to it passes its own name on, started by %s', async (node) => {
  writeBundle('console.log(process.argv[1]);');
  installPackages();
  const link = join(folder, 'kismatic');
  symlinkSync(launcher, link);
  const before = node === 'an old Node' ? ['--import', join(folder, 'old.mjs')] : [];
  expect(await finish(start([...before, link]))).toMatchObject({ stdout: `${link}\n`, stderr: '' });
});

test.for(['this Node', 'an old Node'])(
  'arguments, input, output and exit code pass through, started by %s',
  async (who) => {
    installPackages();
    writeBundle(PRINTS_ITSELF);
    const args = ['volume', 'add', '--', '-x', 'a b', '$(id)'];
    const result = await finish(start([...(who === 'this Node' ? [launcher] : asOld()), ...args]), 'hello');
    expect(result.stderr).toBe('');
    expect(result.code).toBe(5);
    expect(JSON.parse(result.stdout)).toMatchObject({ args, stdin: 'hello' });
  },
);

test('an old Node hands over to the pinned one', async () => {
  installPackages();
  writeBundle(PRINTS_ITSELF);
  const result = await finish(start(asOld()));
  expect(JSON.parse(result.stdout).exe).toContain(`node-linux-${process.arch}/bin/node`);
});

test('a symlink to the launcher finds the package it belongs to', async () => {
  installPackages();
  writeBundle(PRINTS_ITSELF);
  mkdirSync(join(folder, 'elsewhere'));
  symlinkSync(launcher, join(folder, 'elsewhere', 'holdfast'));
  const result = await finish(start(['--import', join(folder, 'old.mjs'), join(folder, 'elsewhere', 'holdfast'), 'x']));
  expect(JSON.parse(result.stdout)).toMatchObject({ args: ['x'] });
});

test('signals reach the program behind an old Node, and its exit code comes back', async () => {
  installPackages();
  writeBundle(WAITS);
  const child = start(asOld());
  await saysReady(child);
  child.kill('SIGINT');
  expect(String((await once(child.stdout as NodeJS.ReadableStream, 'data'))[0])).toContain('got SIGINT');
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([9, null]);
});

test('a program that dies by a signal looks so from outside', async () => {
  installPackages();
  writeBundle("console.log('ready'); setInterval(() => {}, 1000);");
  const child = start(asOld());
  await saysReady(child);
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([null, 'SIGTERM']);
});

test('kill -9 of the old Node ends the program behind it', async () => {
  installPackages();
  writeBundle(WAITS);
  const child = start(asOld());
  await saysReady(child);
  let after = '';
  child.stdout?.on('data', (chunk) => (after += chunk));
  child.kill('SIGKILL');
  // The pipe closes when the last process that holds it has ended.
  await once(child, 'close');
  expect(after).toContain('got SIGTERM');
});

test('without the pinned Node an old one says what to do', async () => {
  writeBundle(PRINTS_ITSELF);
  const result = await finish(start(asOld()));
  expect(result.code).toBe(1);
  expect(result.stderr).toContain('Holdfast needs Node 24 or newer and was started with v20.1.0');
  expect(result.stderr).toContain('run "npm ci"');
  expect(result.stderr.trim().split('\n')).toHaveLength(1);
});

test('a pinned Node that is too old itself does not start itself for ever', async () => {
  installPackages();
  writeBundle(PRINTS_ITSELF);
  const result = await finish(start(asOld(), { HOLDFAST_HANDED_OVER: '1' }));
  expect(result.code).toBe(1);
  expect(result.stderr).toContain('run "npm ci"');
});

test('a missing bundle is built from the sources when they are there', async () => {
  installPackages();
  mkdirSync(join(folder, 'tools'));
  mkdirSync(join(folder, 'src', 'main'), { recursive: true });
  cpSync(join(ROOT, 'tools', 'build.mjs'), join(folder, 'tools', 'build.mjs'));
  writeFileSync(join(folder, 'src', 'main', 'cli.ts'), "const word: string = 'built'; console.log(word);");
  expect(await finish(start([launcher]))).toEqual({ code: 0, stdout: 'built\n', stderr: '' });
});

test('a missing bundle without sources is one clear sentence', async () => {
  const result = await finish(start([launcher]));
  expect(result.code).toBe(1);
  expect(result.stderr).toContain('dist/main.mjs is missing');
  expect(result.stderr.trim().split('\n')).toHaveLength(1);
});
