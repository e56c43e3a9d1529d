/** Composition root of the role `controller`: with the embedded API server, or as one of several on a cluster. */
import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createLocalHost } from '../adapters/host/local-host.ts';
import { createKubeClient } from '../adapters/kube/client.ts';
import { createKeyAccess } from '../adapters/kube/key-access.ts';
import { loadKubeconfig } from '../adapters/kube/kubeconfig.ts';
import { sha256 } from '../adapters/ledger/sha256.ts';
import { openSqliteStore } from '../adapters/object-store/sqlite.ts';
import { createSystemClock } from '../adapters/system/clock.ts';
import { createLogger, type LoggerOptions } from '../adapters/system/logger.ts';
import { createSystemRandom } from '../adapters/system/random.ts';
import { loadOrCreateAuthority } from '../adapters/tls/authority-files.ts';
import { runControllers } from '../controllers/run-controllers.ts';
import { createLeaderElection } from '../controllers/runtime/leader-election.ts';
import { AppError } from '../domain/errors.ts';
import { sample } from '../domain/metrics/definitions.ts';
import { formatSocketAddress, type SocketAddress } from '../domain/socket-address.ts';
import type { CertificateAuthority } from '../ports/certificate-authority.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import type { ResourceClient } from '../ports/resource-client.ts';
import type { SchedulingChoice } from '../shells/cli/commands/controller.ts';
import type { HealthCheck } from '../shells/health/serve-health.ts';
import { ADMINS, CONTROLLERS, nodeUser } from '../shells/kube-api/authorize.ts';
import { type KubeApi, startKubeApi } from '../shells/kube-api/start-kube-api.ts';
import { shareLists } from '../usecases/csi/share-lists.ts';
import { createResources } from '../usecases/resources/resources.ts';
import { composeScheduling } from './compose-scheduling.ts';
import { issueKubeconfig } from './issue-kubeconfig.ts';
import { runTogether } from './run-together.ts';
import { type Measuring, type MetricsOfRole, startMetrics } from './start-metrics.ts';
import { VERSION } from './version.ts';

/** The embedded server sends bookmarks every 10 s, kube-apiserver about every minute. */
const EMBEDDED_IDLE_MS = 25_000;
const CLUSTER_IDLE_MS = 90_000;
/** Of agents that are pods. */
const AGENTS_ACCOUNT = 'holdfast-node';
const SERVER_DAYS = 365;
const CLIENT_DAYS = 365;

export interface EmbeddedOptions {
  /** Keeps state.db, pki/, storage-pki/ and admin.kubeconfig; mode 0700. */
  readonly dataDir: string;
  readonly listen: readonly SocketAddress[];
  /** Socket of the CSI controller service; none when left out. */
  readonly csiSocket?: string;
  /** Where it tells its metrics; nowhere when left out, and then there are none. */
  readonly metricsListen?: SocketAddress;
}

interface Tools extends Measuring {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Serves the API from `dataDir` and runs the controllers on it, until the signal aborts. */
export async function runEmbeddedController(
  options: EmbeddedOptions & { log: LoggerOptions },
  signal: AbortSignal,
): Promise<void> {
  const { tools, told } = await makeTools(options, () => true);
  const { dataDir } = options;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const store = openSqliteStore({ path: join(dataDir, 'state.db') });
  let api: KubeApi | undefined;
  try {
    const authority = await loadOrCreateAuthority(tools, join(dataDir, 'pki'));
    // One of its own: whoever may speak to the API may not by that alone speak to bricks and daemons.
    const storageAuthority = await loadOrCreateAuthority(tools, join(dataDir, 'storage-pki'));
    const resources = createResources({ ...tools, store });
    api = await startKubeApi({
      ...tools,
      resources,
      tls: { ...(await serverCertificate(authority, options.listen)), authorityPem: authority.certificatePem },
      listen: options.listen,
      version: VERSION,
    });
    const [first] = api.addresses;
    if (first === undefined) throw new AppError('internal', 'the API server listens nowhere');
    const server = `https://${formatSocketAddress(first)}`;
    const adminKubeconfig = join(dataDir, 'admin.kubeconfig');
    const controllerKubeconfig = join(dataDir, 'controller.kubeconfig');
    const { files } = createLocalHost(tools);
    const admin = await issueKubeconfig(authority, { server, user: 'admin', group: ADMINS, days: CLIENT_DAYS });
    await files.writeText(adminKubeconfig, admin, { mode: 0o600 });
    const own = await issueKubeconfig(authority, { server, user: 'controller', group: CONTROLLERS, days: CLIENT_DAYS });
    await files.writeText(controllerKubeconfig, own, { mode: 0o600 });
    tools.log.info('the API is served', { server, kubeconfig: adminKubeconfig });
    // No election: only one process can hold state.db, and that one is this.
    const controllers = { ...tools, version: VERSION, watchIdleMs: EMBEDDED_IDLE_MS, storageAuthority };
    await runOn(tools, controllerKubeconfig, (client) =>
      runTogether(
        [
          (ending) => runControllers({ ...controllers, client }, ending),
          ...csiOf(tools, options.csiSocket, client),
          ...told,
        ],
        signal,
      ),
    );
  } finally {
    await api?.close();
    store.close();
  }
}

/** Runs the controllers on the cluster of a kubeconfig while this process leads, until the signal aborts. */
export async function runClusterController(
  options: {
    kubeconfig: string;
    csiSocket?: string;
    scheduling?: SchedulingChoice;
    healthListen?: SocketAddress;
    metricsListen?: SocketAddress;
    log: LoggerOptions;
  },
  signal: AbortSignal,
): Promise<void> {
  let isLeader = () => false;
  const { tools, told } = await makeTools(options, () => isLeader());
  await runOn(tools, options.kubeconfig, async (client) => {
    const identity = `${hostname()}-${tools.random.uuid()}`;
    const election = createLeaderElection({ ...tools, client }, { leaseName: 'holdfast-controller', identity });
    isLeader = () => election.isLeader();
    const keyAccess = createKeyAccess({ client, userOf: nodeUser, account: AGENTS_ACCOUNT });
    const on = { version: VERSION, client, watchIdleMs: CLUSTER_IDLE_MS, isOnCluster: true, keyAccess };
    const choice = options.scheduling;
    const scheduling =
      choice === undefined ? undefined : composeScheduling({ ...tools, client }, choice, CLUSTER_IDLE_MS);
    const led = [(leading: AbortSignal) => runControllers({ ...tools, ...on }, leading)];
    if (scheduling?.keep !== undefined) led.push(scheduling.keep);
    const lead = (leading: AbortSignal) => runTogether(led, leading);
    const checks = { api: asksApi(client), ...(scheduling === undefined ? {} : { scheduling: scheduling.check }) };
    // The sidecars elect a leader of their own among those that serve.
    const served = [
      ...csiOf(tools, options.csiSocket, client),
      ...(scheduling === undefined ? [] : [scheduling.serve]),
      ...healthOf(tools, options.healthListen, checks),
      ...told,
    ];
    await runTogether([(ending) => election.run(lead, ending), ...served], signal);
  });
}

function csiOf(
  tools: Tools,
  socketPath: string | undefined,
  client: ResourceClient,
): readonly ((signal: AbortSignal) => Promise<void>)[] {
  if (socketPath === undefined) return [];
  const probe = asksApi(client);
  const serve = async (signal: AbortSignal): Promise<void> => {
    // Loaded only where it is wanted.
    const { serveCsiController } = await import('../shells/csi/serve-csi.ts');
    await serveCsiController(
      { ...tools, socketPath, client: shareLists(client), sha256, version: VERSION, probe },
      signal,
    );
  };
  return [serve];
}

/** Whether the API server answers, for what is nothing without it. */
function asksApi(client: ResourceClient): (signal: AbortSignal) => Promise<void> {
  return async (signal) => {
    await client.list('StorageCluster', { signal });
  };
}

function healthOf(
  tools: Tools,
  listen: SocketAddress | undefined,
  checks: Readonly<Record<string, HealthCheck>>,
): readonly ((signal: AbortSignal) => Promise<void>)[] {
  if (listen === undefined) return [];
  const serve = async (signal: AbortSignal): Promise<void> => {
    const { serveHealth } = await import('../shells/health/serve-health.ts');
    await serveHealth({ ...tools, listen, checks }, signal);
  };
  return [serve];
}

async function runOn(
  { log }: Tools,
  kubeconfig: string,
  work: (client: ReturnType<typeof createKubeClient>) => Promise<void>,
): Promise<void> {
  const client = createKubeClient(await loadKubeconfig(kubeconfig), { userAgent: `holdfast-controller/${VERSION}` });
  try {
    log.info('controllers run');
    await work(client);
  } finally {
    client.close();
  }
}

async function makeTools(
  options: { readonly log: LoggerOptions; readonly metricsListen?: SocketAddress },
  isLeader: () => boolean,
): Promise<{ readonly tools: Tools; readonly told: MetricsOfRole['services'] }> {
  const clock = createSystemClock();
  const log = createLogger({ clock }, options.log);
  const { measuring, services } = await startMetrics(options.metricsListen, { log, role: 'controller' });
  measuring.metrics?.addSource(() => [sample('holdfast_leader', {}, isLeader() ? 1 : 0)]);
  return { tools: { clock, random: createSystemRandom(), log, ...measuring }, told: services };
}

async function serverCertificate(authority: CertificateAuthority, listen: readonly SocketAddress[]) {
  return authority.issueServerCertificate({
    dnsNames: ['localhost'],
    ipAddresses: [...new Set(['127.0.0.1', ...listen.map((address) => address.host)])],
    days: SERVER_DAYS,
  });
}
