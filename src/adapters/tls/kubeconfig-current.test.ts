import { expect, test } from 'vitest';
import { createSystemClock } from '../system/clock.ts';
import { generateAuthority, openAuthority } from './authority.ts';
import { renderKubeconfig } from './kubeconfig.ts';
import { isKubeconfigCurrent } from './kubeconfig-current.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const server = 'https://10.91.1.1:7443';
const clock = createSystemClock();

async function make(days: number) {
  const material = await generateAuthority(clock);
  const authority = await openAuthority(clock, material, { certificate: 'ca.crt', key: 'ca.key' });
  const client = await authority.issueClientCertificate({ commonName: 'kube1', organization: 'nodes', days });
  const { certificatePem: authorityPem } = authority;
  return { authorityPem, text: renderKubeconfig({ server, authorityPem, client, user: 'kube1' }) };
}

test('it is current for its server and authority until its last thirty days', async () => {
  const { authorityPem, text } = await make(365);
  const now = clock.now();
  expect(isKubeconfigCurrent(text, { server, authorityPem, now })).toBe(true);
  expect(isKubeconfigCurrent(text, { server, authorityPem, now: now + 340 * DAY_MS })).toBe(false);
  expect(isKubeconfigCurrent(text, { server: 'https://10.91.1.2:7443', authorityPem, now })).toBe(false);
  const other = await make(365);
  expect(isKubeconfigCurrent(text, { server, authorityPem: other.authorityPem, now })).toBe(false);
  expect(isKubeconfigCurrent('{}', { server, authorityPem, now })).toBe(false);
  expect(isKubeconfigCurrent('', { server, authorityPem, now })).toBe(false);
});
