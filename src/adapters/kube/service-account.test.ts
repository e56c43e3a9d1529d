import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isServiceAccount, loadServiceAccount } from './service-account.ts';

const POD = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-account-'));
  await writeFile(join(folder, 'ca.crt'), 'authority');
  await writeFile(join(folder, 'token'), 'first\n');
});
afterEach(() => rm(folder, { recursive: true }));

test('a pod reaches its cluster, each time with the token as it is now', async () => {
  expect(await isServiceAccount(folder)).toBe(true);
  const { server, ca, headers } = await loadServiceAccount(folder, POD);
  expect({ server, ca }).toEqual({ server: 'https://10.96.0.1:443', ca: 'authority' });
  expect(await headers?.()).toEqual({ authorization: 'Bearer first' });
  await writeFile(join(folder, 'token'), 'second\n');
  expect(await headers?.()).toEqual({ authorization: 'Bearer second' });
});

test.for([
  ['fd00::1', 'https://[fd00::1]:443'],
  ['api.example', 'https://api.example:443'],
])('the address %s is %s', async ([host, url]) => {
  expect(await loadServiceAccount(folder, { KUBERNETES_SERVICE_HOST: host })).toMatchObject({ server: url });
});

test('outside of a pod, or without a token, it says what is missing', async () => {
  await expect(loadServiceAccount(folder, {})).rejects.toMatchObject({ kind: 'invalid' });
  await rm(join(folder, 'token'));
  await expect(loadServiceAccount(folder, POD)).rejects.toMatchObject({ kind: 'notFound' });
  expect(await isServiceAccount(join(folder, 'ca.crt'))).toBe(false);
  expect(await isServiceAccount(join(folder, 'absent'))).toBe(false);
});
