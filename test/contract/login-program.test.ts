/** Kubeconfigs whose user is known by a login program (kubectl's exec plugins), with a real program. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadKubeconfig } from '../../src/adapters/kube/kubeconfig.ts';

const API = 'client.authentication.k8s.io/v1';
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-login-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function kubeconfigFor(name: string, command: string): Promise<string> {
  const path = join(folder, name);
  const config = {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'lab' },
    clusters: [{ name: 'c', cluster: { server: 'https://10.0.0.1:6443' } }],
    contexts: [{ name: 'lab', context: { cluster: 'c', user: 'u' } }],
    users: [{ name: 'u', user: { exec: { apiVersion: API, command, args: [], interactiveMode: 'Never' } } }],
  };
  await writeFile(path, JSON.stringify(config));
  return path;
}

async function program(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return path;
}

describe('loadKubeconfig with a login program', () => {
  it('shows the token that the program gives', async () => {
    const credential = { apiVersion: API, kind: 'ExecCredential', status: { token: 'from-program' } };
    const login = await program('login', `echo '${JSON.stringify(credential)}'`);
    const endpoint = await loadKubeconfig(await kubeconfigFor('good', login));
    expect(await endpoint.headers?.()).toEqual({ authorization: 'Bearer from-program' });
  });

  it('presents the certificate that the program gives', async () => {
    const status = { clientCertificateData: 'CERT', clientKeyData: 'KEY' };
    const login = await program(
      'cert',
      `echo '${JSON.stringify({ apiVersion: API, kind: 'ExecCredential', status })}'`,
    );
    const endpoint = await loadKubeconfig(await kubeconfigFor('certificate', login));
    expect(endpoint).toMatchObject({ clientCertificate: 'CERT', clientKey: 'KEY' });
  });

  it.each([
    ['is missing', undefined, 'denied'],
    ['fails', 'echo no ticket >&2; exit 1', 'denied'],
  ])('says so when the program %s', async (name, text, kind) => {
    const login = text === undefined ? join(folder, 'nowhere') : await program(name, text);
    const path = await kubeconfigFor(`${name}.config`, login);
    await expect(loadKubeconfig(path)).rejects.toMatchObject({ kind });
  });
});
