/** The embedded API server over TLS on loopback, in this process, with clients of any role; for contract tests. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKubeClient, type KubeClient } from '../../src/adapters/kube/client.ts';
import { loadKubeconfig } from '../../src/adapters/kube/kubeconfig.ts';
import { openSqliteStore } from '../../src/adapters/object-store/sqlite.ts';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { createSystemRandom } from '../../src/adapters/system/random.ts';
import { loadOrCreateAuthority } from '../../src/adapters/tls/authority-files.ts';
import { renderKubeconfig } from '../../src/adapters/tls/kubeconfig.ts';
import type { CertificateAuthority } from '../../src/ports/certificate-authority.ts';
import { createFakeLogger } from '../../src/ports/logger.fake.ts';
import { startKubeApi } from '../../src/shells/kube-api/start-kube-api.ts';
import { createResources, type Resources } from '../../src/usecases/resources/resources.ts';

export interface HttpsApi {
  readonly folder: string;
  readonly authority: CertificateAuthority;
  readonly port: number;
  /** A client with a certificate of this user and group, through a kubeconfig file, as the product does it. */
  client(user: string, organization: string, trusted?: CertificateAuthority): Promise<KubeClient>;
  /** Makes open watches, or the next one to be opened, send a bookmark. */
  bookmark(): void;
  /** Stops the server; its objects stay. */
  down(): Promise<void>;
  /** Starts it again on the same port. */
  up(): Promise<void>;
  stop(): Promise<void>;
}

/** @param changeWindow - changes that the store remembers per resource */
export async function serveHttpsApi(changeWindow?: number): Promise<HttpsApi> {
  const deps = { clock: createSystemClock(), random: createSystemRandom() };
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-https-'));
  const authority = await loadOrCreateAuthority(deps, join(folder, 'ca'));
  const certificate = await authority.issueServerCertificate({ dnsNames: [], ipAddresses: ['127.0.0.1'], days: 1 });
  const tls = { ...certificate, authorityPem: authority.certificatePem };
  const store = openSqliteStore({ path: ':memory:', ...(changeWindow === undefined ? {} : { changeWindow }) });
  const bookmarks = createBookmarks();
  const resources = bookmarks.on(createResources({ store, ...deps }));
  const start = (port: number) =>
    startKubeApi({
      resources,
      clock: deps.clock,
      log: createFakeLogger(),
      tls,
      listen: [{ host: '127.0.0.1', port }],
      version: 'test',
    });

  let api = await start(0);
  const port = api.addresses[0]?.port ?? 0;
  const clients: KubeClient[] = [];
  return {
    ...{ folder, authority, port, bookmark: bookmarks.send, down: () => api.close() },
    client: async (user, organization, trusted = authority) => {
      const client = await authority.issueClientCertificate({ commonName: user, organization, days: 1 });
      const server = `https://127.0.0.1:${port}`;
      const path = join(folder, `${clients.length}.kubeconfig`);
      await writeFile(path, renderKubeconfig({ server, authorityPem: trusted.certificatePem, client, user }), {
        mode: 0o600,
      });
      const made = createKubeClient(await loadKubeconfig(path), { userAgent: 'holdfast-test' });
      clients.push(made);
      return made;
    },
    up: async () => {
      api = await start(port);
    },
    stop: async () => {
      for (const client of clients) client.close();
      await api.close();
      store.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** Puts bookmarks under the test's control in place of the server's period. */
function createBookmarks() {
  let next = Promise.withResolvers<void>();
  let isOwed = false;
  const nextBookmark = (): Promise<void> => {
    const isDue = isOwed;
    isOwed = false;
    return isDue ? Promise.resolve() : next.promise;
  };
  return {
    on: (resources: Resources): Resources => ({
      ...resources,
      watch: (kind, options) =>
        resources.watch(kind, { ...options, ...(options.nextBookmark === undefined ? {} : { nextBookmark }) }),
    }),
    send: () => {
      // The watch may still be on its way to the server: then it finds the bookmark waiting.
      isOwed = true;
      next.resolve();
      next = Promise.withResolvers();
    },
  };
}
