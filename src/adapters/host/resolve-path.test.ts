import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { resolveForLook, resolvePath } from './resolve-path.ts';

const root = mkdtempSync(join(tmpdir(), 'holdfast-root-'));
afterAll(() => rmSync(root, { recursive: true }));

mkdirSync(join(root, 'run/x'), { recursive: true });
mkdirSync(join(root, 'var'));
symlinkSync('/run', join(root, 'var/run'));
symlinkSync('../../../../../../etc', join(root, 'run/up'));
symlinkSync('/loop', join(root, 'loop'));
symlinkSync('x', join(root, 'run/near'));

test.each([
  ['/var/run/x', '/run/x'],
  ['/var/run', '/run'],
  ['/run/near/new', '/run/x/new'],
  ['/var/../../../run//./x', '/run/x'],
  ['/run/up/passwd', '/etc/passwd'],
  ['/not/there', '/not/there'],
  ['/', '/'],
])('%s is %s of the host', async (path, real) => {
  expect(await resolvePath(root, path, true)).toBe(join(root, real));
});

test('a symlink as the last part is kept when it is meant itself', async () => {
  expect(await resolvePath(root, '/var/run', false)).toBe(join(root, 'var/run'));
  expect(await resolvePath(root, '/var/run/near', false)).toBe(join(root, 'run/near'));
});

test('symlinks in a circle and relative paths are errors', async () => {
  await expect(resolvePath(root, '/loop/x', true)).rejects.toMatchObject({ kind: 'invalid' });
  await expect(resolvePath(root, 'var', true)).rejects.toMatchObject({ reason: 'RelativePath' });
});

test('who only looks leaves the way to the kernel where the root is its own', async () => {
  expect(await resolveForLook('/', '/var//run/../x', true)).toBe('/var//run/../x');
  expect(await resolveForLook('/', '/var/run//', false)).toBe('/var/run');
  expect(await resolveForLook('/', '//', false)).toBe('/');
  expect(await resolveForLook(root, '/var/run/x', true)).toBe(join(root, 'run/x'));
  await expect(resolveForLook('/', 'var', true)).rejects.toMatchObject({ reason: 'RelativePath' });
});
