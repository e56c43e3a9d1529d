/** Started as an old Node would start it: with another Node first in PATH, as npm 10 leaves it. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './project.ts';

const script = join(ROOT, 'tools', 'with-pinned-node.mjs');

function run(...args: string[]): Promise<{ code: unknown; signal: unknown; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const env = { ...process.env, PATH: '/usr/bin:/bin' };
    execFile(process.execPath, [script, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, signal: error?.signal ?? null, stdout, stderr });
    });
  });
}

test('"node" and the programs of node_modules are the pinned ones', async () => {
  const { stdout } = await run('node', '-p', 'process.execPath');
  expect(stdout.trim()).toBe(join(ROOT, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node'));
  expect((await run('tsc', '--version')).stdout).toMatch(/^Version /);
});

test('exit codes, signals and what cannot be started are told as they are', async () => {
  expect((await run('node', '-e', 'process.exit(7)')).code).toBe(7);
  expect((await run('node', '-e', 'process.kill(process.pid, "SIGTERM")')).signal).toBe('SIGTERM');
  expect(await run('no-such-program')).toMatchObject({ code: 127, stderr: expect.stringContaining('no-such-program') });
  expect(await run()).toMatchObject({ code: 2, stderr: expect.stringContaining('usage') });
});
