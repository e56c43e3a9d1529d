/** The CLI as a process: pipes that close, Ctrl-C, and completion in a real shell. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';

const PROGRAM = fileURLToPath(new URL('./cli-in-memory-process.ts', import.meta.url));

const children = new Set<ChildProcess>();

/** A test that fails leaves no process behind. */
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
});

function start(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [PROGRAM, ...args], { env: { ...process.env, ...env } });
  children.add(child);
  const written = { stdout: '', stderr: '' };
  child.stdout.on('data', (part: Buffer) => (written.stdout += part.toString()));
  child.stderr.on('data', (part: Buffer) => (written.stderr += part.toString()));
  const ended = once(child, 'close').then(([code, signal]: unknown[]) => ({ code, signal, ...written }));
  return { child, ended, written };
}

function run(args: readonly string[]): string {
  return execFileSync(process.execPath, [PROGRAM, ...args], { encoding: 'utf8' });
}

test('a reader that goes away ends the program quietly', async () => {
  const { child, ended } = start(['volume', 'list', '-o', 'json'], { VOLUMES: '3000' });
  child.stdout.removeAllListeners('data');
  child.stdout.once('readable', () => child.stdout.destroy());
  expect(await ended).toMatchObject({ code: 0, signal: null, stderr: '' });
});

test('Ctrl-C while waiting ends with code 130 and one word', async () => {
  const { child, ended } = start(['volume', 'add', '1', 'gv0', '--wait']);
  // The notes are written when the volume is stored; from then on it waits.
  await once(child.stderr, 'data');
  child.kill('SIGINT');
  expect(await ended).toMatchObject({ code: 130, signal: null, stdout: '' });
  expect((await ended).stderr).toMatch(/interrupted\n$/);
});

test('Ctrl-C at a question ends with code 130 and deletes nothing', async () => {
  const { child, ended, written } = start(['volume', 'delete', 'volume-0'], { VOLUMES: '1' });
  while (!written.stderr.includes('[y/N]')) await once(child.stderr, 'data');
  child.kill('SIGINT');
  expect(await ended).toMatchObject({ code: 130, signal: null, stdout: '' });
});

test('completion works in bash', () => {
  const script = [
    run(['completion', 'bash']),
    'try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _holdfast; echo "${COMPREPLY[*]}"; }',
    'try holdfast vol',
    'try holdfast volume sh',
    'try holdfast -o json --kubeconfig volume node l',
    'try holdfast volume add --al',
    'try holdfast volume list -o ""',
    'try holdfast volume add --layout ar',
    'try holdfast completion "" ',
    'try holdfast plan apply -f ""',
  ].join('\n');
  const lines = execFileSync('bash', ['-c', script], { encoding: 'utf8' }).split('\n');
  expect(lines.slice(0, 6)).toEqual([
    'volume',
    'show',
    'list',
    '--allow-split-brain --allow-address',
    'table wide json yaml name kismatic-json simple raw',
    'arbiter',
  ]);
  expect(lines[6]).toMatch(/^bash zsh fish /);
  expect(lines[7]).toBe('');
});

test.each(['zsh', 'fish'])('the script for %s names every command', (shell) => {
  const script = run(['completion', shell]);
  for (const path of ['volume add', 'volume delete', 'node show', 'plan apply', 'status']) {
    expect(script).toContain(`'${path}'`);
  }
});
