import { X509Certificate } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadOrCreateAuthority } from './authority-files.ts';
import { renderKubeconfig } from './kubeconfig.ts';

const clock = { now: () => Date.now() };
const DAY_MS = 24 * 60 * 60 * 1000;
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});
function place(): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-ca-'));
  folders.push(folder);
  return join(folder, 'pki', 'ca');
}

describe('authority', () => {
  test('issues certificates that verify against it, each for one purpose', async () => {
    const authority = await loadOrCreateAuthority({ clock }, place());
    const ca = new X509Certificate(authority.certificatePem);
    const server = await authority.issueServerCertificate({
      dnsNames: ['localhost', 'kube1'],
      ipAddresses: ['127.0.0.1', '::1'],
      days: 30,
    });
    const serverCertificate = new X509Certificate(server.certificatePem);
    expect(serverCertificate.verify(ca.publicKey)).toBe(true);
    expect(serverCertificate.checkIssued(ca)).toBe(true);
    expect(serverCertificate.checkHost('kube1')).toBe('kube1');
    expect(serverCertificate.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(serverCertificate.checkIP('::1')).toBe('::1');
    expect(serverCertificate.checkHost('other')).toBeUndefined();
    expect(serverCertificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);

    const client = await authority.issueClientCertificate({
      commonName: 'holdfast:node:kube1',
      organization: 'holdfast:nodes',
      days: 2,
    });
    const clientCertificate = new X509Certificate(client.certificatePem);
    expect(clientCertificate.subject).toBe('O=holdfast:nodes\nCN=holdfast:node:kube1');
    expect(clientCertificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    expect(clientCertificate.ca).toBe(false);
    expect(Math.abs(client.notAfter - (Date.now() + 2 * DAY_MS))).toBeLessThan(DAY_MS / 24);
  });

  test('text for a subject or a name cannot smuggle anything in', async () => {
    const authority = await loadOrCreateAuthority({ clock }, place());
    const tricky = await authority.issueClientCertificate({
      commonName: 'x, O=holdfast:admins',
      organization: 'holdfast:nodes',
      days: 1,
    });
    expect(new X509Certificate(tricky.certificatePem).toLegacyObject().subject).toMatchObject({ O: 'holdfast:nodes' });
    for (const commonName of ['', 'a\nO=holdfast:admins', 'x'.repeat(65)]) {
      const request = { commonName, organization: 'holdfast:nodes', days: 1 };
      await expect(authority.issueClientCertificate(request)).rejects.toMatchObject({ kind: 'invalid' });
    }
    const wrong = { dnsNames: ['a b'], ipAddresses: ['1.2.3'], days: 1 };
    await expect(authority.issueServerCertificate(wrong)).rejects.toThrow(/"a b" is no DNS name; "1.2.3" is no IP/);
    const empty = { dnsNames: [], ipAddresses: [], days: 1 };
    await expect(authority.issueServerCertificate(empty)).rejects.toThrow(/neither a name nor an address/);
  });
});

describe('folder of the authority', () => {
  test('is made once, with a key that only its owner reads, and loaded from then on', async () => {
    const folder = place();
    const made = await loadOrCreateAuthority({ clock }, folder);
    expect(statSync(join(folder, 'ca.key')).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, '..'))).toEqual(['ca']);
    const loaded = await loadOrCreateAuthority({ clock }, folder);
    expect(loaded.certificatePem).toBe(made.certificatePem);
    const client = await loaded.issueClientCertificate({ commonName: 'a', organization: 'b', days: 1 });
    const ca = new X509Certificate(made.certificatePem);
    expect(new X509Certificate(client.certificatePem).verify(ca.publicKey)).toBe(true);
  });

  test.each([
    [
      'a missing certificate',
      (folder: string) => rmSync(join(folder, 'ca.crt')),
      'AuthorityIncomplete',
      'ca.crt is missing',
    ],
    ['a missing key', (folder: string) => rmSync(join(folder, 'ca.key')), 'AuthorityIncomplete', 'ca.key is missing'],
    [
      'an empty key',
      (folder: string) => writeFileSync(join(folder, 'ca.key'), ''),
      'AuthorityDamaged',
      'is not a private key',
    ],
    [
      'a cut certificate',
      (folder: string) => writeFileSync(join(folder, 'ca.crt'), readFileSync(join(folder, 'ca.crt')).subarray(0, 200)),
      'AuthorityDamaged',
      'is not a certificate',
    ],
    ['a key others can read', (folder: string) => chmodSync(join(folder, 'ca.key'), 0o644), 'KeyReadable', 'mode 644'],
  ])('with %s is refused and left alone', async (_what, damage, reason, message) => {
    const folder = place();
    await loadOrCreateAuthority({ clock }, folder);
    damage(folder);
    const before = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
    await expect(loadOrCreateAuthority({ clock }, folder)).rejects.toMatchObject({
      kind: 'precondition',
      reason,
      message: expect.stringContaining(message),
    });
    expect(readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'))).toEqual(before);
  });

  test('with the key of another authority is refused', async () => {
    const [one, two] = [place(), place()];
    await loadOrCreateAuthority({ clock }, one);
    await loadOrCreateAuthority({ clock }, two);
    writeFileSync(join(one, 'ca.key'), readFileSync(join(two, 'ca.key')));
    await expect(loadOrCreateAuthority({ clock }, one)).rejects.toThrow(/is not the key of/);
  });

  test('that expired is refused', async () => {
    const folder = place();
    await loadOrCreateAuthority({ clock }, folder);
    const later = { now: () => Date.now() + 4000 * DAY_MS };
    await expect(loadOrCreateAuthority({ clock: later }, folder)).rejects.toThrow(/expired at/);
  });

  test('that holds something else is refused and left alone', async () => {
    const folder = place();
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'mine.txt'), 'mine');
    await expect(loadOrCreateAuthority({ clock }, folder)).rejects.toMatchObject({ reason: 'AuthorityFolder' });
    expect(readdirSync(folder)).toEqual(['mine.txt']);
    expect(readdirSync(join(folder, '..'))).toEqual(['ca']);
    expect(existsSync(join(folder, 'ca.key'))).toBe(false);
  });
});

test('a kubeconfig carries server, authority and client', async () => {
  const authority = await loadOrCreateAuthority({ clock }, place());
  const client = await authority.issueClientCertificate({
    commonName: 'admin',
    organization: 'holdfast:admins',
    days: 1,
  });
  const server = 'https://127.0.0.1:6443';
  const config = parse(renderKubeconfig({ server, authorityPem: authority.certificatePem, client, user: 'admin' }));
  expect(config['current-context']).toBe('holdfast');
  expect(config.clusters[0].cluster.server).toBe(server);
  const text = Buffer.from(config.users[0].user['client-certificate-data'], 'base64').toString();
  expect(text).toBe(client.certificatePem);
});
