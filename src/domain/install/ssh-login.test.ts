import { expect, test } from 'vitest';
import { sshLoginOf } from './ssh-login.ts';

test('without a word in the plan it is root on port 22, with what ssh finds itself', () => {
  expect(sshLoginOf({})).toEqual({ user: 'root', port: 22 });
});

test("Kismatic's section is used, in both of its spellings", () => {
  const cluster = { name: 'c', ssh: { user: 'kismaticuser', ssh_key: '/k/key', ssh_port: 2222 } };
  expect(sshLoginOf({ cluster })).toEqual({ user: 'kismaticuser', port: 2222, keyFile: '/k/key' });
  expect(sshLoginOf({ cluster: { ssh: { ssh_user: 'u' } } })).toEqual({ user: 'u', port: 22 });
});

test('the own section counts alone where there is one', () => {
  const cluster = { ssh: { user: 'kismaticuser', ssh_port: 2222 } };
  const ssh = { user: 'ops', known_hosts: '/k/known' };
  expect(sshLoginOf({ cluster, ssh })).toEqual({ user: 'ops', port: 22, knownHostsFile: '/k/known' });
});
