/**
 * The embedded API server as a process of its own, for tests that kill it: `node kube-api-server.ts FOLDER PORT`.
 * Keeps authority and state in the folder, writes `admin.kubeconfig` there, and prints one JSON line when it serves.
 */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSqliteStore } from '../../src/adapters/object-store/sqlite.ts';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { createLogger } from '../../src/adapters/system/logger.ts';
import { createSystemRandom } from '../../src/adapters/system/random.ts';
import { loadOrCreateAuthority } from '../../src/adapters/tls/authority-files.ts';
import { renderKubeconfig } from '../../src/adapters/tls/kubeconfig.ts';
import type { CertificateAuthority } from '../../src/ports/certificate-authority.ts';
import { type KubeApi, startKubeApi } from '../../src/shells/kube-api/start-kube-api.ts';
import { createResources } from '../../src/usecases/resources/resources.ts';

export interface ServedApi {
  readonly api: KubeApi;
  readonly port: number;
  readonly authority: CertificateAuthority;
  close(): Promise<void>;
}

export interface ServeOptions {
  readonly bookmarkMs?: number;
  readonly changeWindow?: number;
}

/** Serves on 127.0.0.1; also used inside the test process. */
export async function serveFrom(folder: string, port: number, options: ServeOptions = {}): Promise<ServedApi> {
  const { bookmarkMs = 1_000, changeWindow = 5_000 } = options;
  const clock = createSystemClock();
  const log = createLogger({ clock }, { level: 'warn', format: 'text', write: (line) => process.stderr.write(line) });
  const authority = await loadOrCreateAuthority({ clock }, join(folder, 'ca'));
  const server = await authority.issueServerCertificate({
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
    days: 1,
  });
  const store = openSqliteStore({ path: join(folder, 'state.db'), changeWindow });
  const resources = createResources({ store, clock, random: createSystemRandom() });
  const tls = { ...server, authorityPem: authority.certificatePem };
  const listen = [{ host: '127.0.0.1', port }];
  const api = await startKubeApi({ resources, clock, log, tls, listen, version: 'test', bookmarkMs });
  const bound = api.addresses[0]?.port ?? 0;
  await writeKubeconfig(folder, authority, { name: 'admin', organization: 'holdfast:admins', port: bound });
  return {
    api,
    port: bound,
    authority,
    close: async () => {
      await api.close();
      store.close();
    },
  };
}

/** Writes FOLDER/NAME.kubeconfig for a client; returns its path. */
export async function writeKubeconfig(
  folder: string,
  authority: CertificateAuthority,
  client: { readonly name: string; readonly organization: string; readonly port: number; readonly user?: string },
): Promise<string> {
  const { name, organization, port, user = name } = client;
  const issued = await authority.issueClientCertificate({ commonName: user, organization, days: 1 });
  const server = `https://127.0.0.1:${port}`;
  const path = join(folder, `${name}.kubeconfig`);
  writeFileSync(path, renderKubeconfig({ server, authorityPem: authority.certificatePem, client: issued, user }));
  chmodSync(path, 0o600);
  return path;
}

if (import.meta.main) {
  const [folder = '', port = '0'] = process.argv.slice(2);
  const served = await serveFrom(folder, Number(port));
  process.stdout.write(`${JSON.stringify({ port: served.port })}\n`);
  // The parent's end of standard input closes when it dies, however it dies: no server is left behind.
  process.stdin.on('end', () => void served.close().then(() => process.exit(0)));
  process.stdin.resume();
}
