/** Certificates and keys of a control plane for tests, in a folder of its own. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { loadOrCreateAuthority } from '../../src/adapters/tls/authority-files.ts';
import { renderKubeconfig } from '../../src/adapters/tls/kubeconfig.ts';
import type { IssuedCertificate } from '../../src/ports/certificate-authority.ts';

const DAYS = 2;

export interface Pki {
  readonly folder: string;
  /** Path of what all trust. */
  readonly authority: string;
  /** Paths of a certificate and its key. */
  readonly server: readonly [certificate: string, key: string];
  readonly kubeletClient: readonly [certificate: string, key: string];
  /** Path of the key that service accounts' tokens are signed with. */
  readonly serviceAccounts: string;
  /** Text of the kubeconfig of a user. */
  kubeconfigText(user: string, group: string): Promise<string>;
  /** Path of the kubeconfig of a user, for a process on this machine. */
  kubeconfig(user: string, group: string): Promise<string>;
}

/** @param addresses - that the API server is reached at, besides this machine's own; @param server - its URL */
export async function createPki(folder: string, addresses: readonly string[], server: string): Promise<Pki> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const authority = await loadOrCreateAuthority({ clock: createSystemClock() }, join(folder, 'ca'));
  const write = async (name: string, text: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  };
  const pair = async (name: string, { certificatePem, keyPem }: IssuedCertificate) =>
    [await write(`${name}.crt`, certificatePem), await write(`${name}.key`, keyPem)] as const;
  const issue = (commonName: string, organization: string) =>
    authority.issueClientCertificate({ commonName, organization, days: DAYS });
  const ipAddresses = [...new Set(['127.0.0.1', ...addresses])];
  const kubeconfigText = async (user: string, group: string): Promise<string> =>
    renderKubeconfig({ server, authorityPem: authority.certificatePem, client: await issue(user, group), user });
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return {
    folder,
    authority: await write('ca.crt', authority.certificatePem),
    server: await pair(
      'server',
      await authority.issueServerCertificate({ dnsNames: ['kubernetes'], ipAddresses, days: DAYS }),
    ),
    kubeletClient: await pair('kubelet-client', await issue('kube-apiserver-kubelet-client', 'system:masters')),
    serviceAccounts: await write('service-accounts.key', privateKey),
    kubeconfigText,
    kubeconfig: async (user, group) =>
      write(`${user.replaceAll(':', '-')}.kubeconfig`, await kubeconfigText(user, group)),
  };
}
