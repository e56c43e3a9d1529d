/**
 * What the scheduler waits for: filter and prioritize over HTTPS on one connection, as kube-scheduler asks, in a cluster of
 * 1,000 nodes and 20,000 volumes with three copies each; beside it the same questions about a pod without volumes, which cost
 * nothing but the protocol. And what the index of all that keeps in memory.
 */
import { Agent, type RequestOptions, request } from 'node:https';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createSystemClock } from '../src/adapters/system/clock.ts';
import { createLogger } from '../src/adapters/system/logger.ts';
import { createSystemRandom } from '../src/adapters/system/random.ts';
import { generateAuthority, openAuthority } from '../src/adapters/tls/authority.ts';
import { createLocalityIndex } from '../src/controllers/locality/locality-index.ts';
import type { Resource, ResourceClient, WatchEvent } from '../src/ports/resource-client.ts';
import type { KindName } from '../src/schemas/kinds.ts';
import { serveScheduling } from '../src/shells/extender/serve-scheduling.ts';
import type { Measurement } from './index.ts';

const NODES = 1_000;
const VOLUMES = 20_000;
const COPIES = 3;
const CLAIMS_OF_A_POD = 3;
const QUESTIONS = 1_000;
const WARM_UP = 200;
const SINCE = '2026-01-01T00:00:00Z';
const nodeName = (at: number) => `node-${String(at % NODES).padStart(4, '0')}`;
const uid = (at: number) => `00000000-0000-4000-8000-${String(at).padStart(12, '0')}`;
const names = Array.from({ length: NODES }, (_, at) => nodeName(at));

/** Runs everything once. */
export async function run(): Promise<readonly Measurement[]> {
  const results: Measurement[] = [];
  const add = (what: string, value: number, unit: string, budget?: string) =>
    results.push({ what, value, unit, ...(budget === undefined ? {} : { budget }) });
  const clock = createSystemClock();
  const log = createLogger({ clock }, { level: 'warn', format: 'text', write: (line) => process.stderr.write(line) });
  const stop = new AbortController();
  const cluster = createCluster(stop.signal);
  const before = heapMiB();
  const index = createLocalityIndex(
    { client: cluster.client, clock, log, random: createSystemRandom() },
    { idleMs: 3_600_000 },
  );
  const origin = { certificate: 'ca.crt', key: 'ca.key' };
  const authority = await openAuthority(clock, await generateAuthority(clock), origin);
  const certificate = await authority.issueServerCertificate({ dnsNames: [], ipAddresses: ['127.0.0.1'], days: 1 });
  const listening = Promise.withResolvers<number>();
  const served = serveScheduling(
    {
      ...{ index, clock, log, listen: { host: '127.0.0.1', port: 0 } },
      certificates: async (use) => use(certificate),
      onListening: ({ port }) => listening.resolve(port),
    },
    stop.signal,
  );
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: authority.certificatePem });
  const subject = { host: '127.0.0.1', port: await listening.promise, agent };
  try {
    for (const end = clock.monotonic() + 120_000; !index.isReady(); await clock.sleep(50)) {
      if (clock.monotonic() > end) throw new Error('the index is not complete after two minutes');
    }
    for (const verb of ['filter', 'prioritize']) {
      const plain = await ask(subject, verb, () => pod([]));
      add(`${verb}, pod without volumes, p50`, plain.p50, 'ms');
      add(`${verb}, pod without volumes, p99`, plain.p99, 'ms');
      const used = await ask(subject, verb, podOf);
      add(`${verb}, pod with ${CLAIMS_OF_A_POD} volumes, p50`, used.p50, 'ms');
      add(`${verb}, pod with ${CLAIMS_OF_A_POD} volumes, p99`, used.p99, 'ms', '<= 10 ms');
      const busy = await ask(subject, verb, (at) => {
        cluster.change(at);
        return podOf(at);
      });
      add('  a node has changed before each, p99', busy.p99, 'ms', '<= 10 ms');
    }
    add(`the index: ${VOLUMES} volumes, ${NODES} nodes, heap`, heapMiB() - before, 'MiB');
  } finally {
    agent.destroy();
    stop.abort();
    await served;
  }
  return results;
}

/** What survives a collection. */
function heapMiB(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

const pod = (claims: readonly string[]) => ({
  metadata: { name: 'pod', namespace: 'default', labels: { app: 'bench' } },
  spec: {
    containers: [{ name: 'main', image: 'none', resources: { requests: { cpu: '100m', memory: '128Mi' } } }],
    volumes: claims.map((claimName, at) => ({ name: `v${at}`, persistentVolumeClaim: { claimName } })),
  },
});
const podOf = (at: number) =>
  pod(Array.from({ length: CLAIMS_OF_A_POD }, (_, each) => `claim-${(at * 7 + each * 1_009) % VOLUMES}`));

async function ask(
  subject: RequestOptions,
  verb: string,
  podAt: (at: number) => object,
): Promise<{ readonly p50: number; readonly p99: number }> {
  const took: number[] = [];
  for (let at = 0; at < WARM_UP + QUESTIONS; at += 1) {
    const body = JSON.stringify({ Pod: podAt(at), Nodes: null, NodeNames: names });
    const begin = performance.now();
    await post(subject, `/${verb}`, body);
    if (at >= WARM_UP) took.push(performance.now() - begin);
  }
  const sorted = took.toSorted((a, b) => a - b);
  return { p50: sorted[Math.floor(QUESTIONS * 0.5)] ?? 0, p99: sorted[Math.floor(QUESTIONS * 0.99)] ?? 0 };
}

function post(subject: RequestOptions, path: string, body: string): Promise<void> {
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const sent = request({ ...subject, path, method: 'POST', headers }, (response) => {
      const isGood = response.statusCode === 200;
      response.on('end', () => (isGood ? resolve() : reject(new Error(`${path}: ${response.statusCode}`))));
      response.on('error', reject);
      response.resume();
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** An API with that many objects, each made anew and read from text, as a list over the network is. */
function createCluster(signal: AbortSignal): { readonly client: ResourceClient; change(at: number): void } {
  const queue: WatchEvent<'StorageNode'>[] = [];
  let wake = () => {};
  signal.addEventListener('abort', () => wake(), { once: true });
  async function* watch(kind: KindName): AsyncGenerator<never> {
    while (!signal.aborted) {
      const event = kind === 'StorageNode' ? queue.shift() : undefined;
      if (event !== undefined) yield event as never;
      else if (kind === 'StorageNode') await new Promise<void>((resolve) => (wake = resolve));
      else await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    }
  }
  const client = {
    list: <K extends KindName>(kind: K) => Promise.resolve({ items: objectsOf(kind), resourceVersion: '1' }),
    watch,
  };
  return {
    // Nothing else is called by an index.
    client: client as unknown as ResourceClient,
    change: (at) => {
      queue.push({ type: 'MODIFIED', object: read<'StorageNode'>(node(at, at + 2)) });
      wake();
    },
  };
}

function objectsOf<K extends KindName>(kind: K): readonly Resource<K>[] {
  const many = (count: number, make: (at: number) => object) =>
    Array.from({ length: count }, (_, at) => read<K>(make(at)));
  if (kind === 'StorageNode') return many(NODES, (at) => node(at, 1));
  if (kind === 'Volume') return many(VOLUMES, volume);
  return kind === 'PersistentVolume' ? many(VOLUMES, persistentVolume) : [];
}

function read<K extends KindName>(object: object): Resource<K> {
  return JSON.parse(JSON.stringify(object)) as Resource<K>;
}

const metadata = (name: string, at: number, version = 1) => ({
  ...{ name, uid: uid(at), resourceVersion: String(version), generation: 1, creationTimestamp: SINCE },
  managedFields: [{ manager: 'holdfast-controller', operation: 'Update', fieldsV1: { 'f:status': { 'f:x': {} } } }],
});

function node(at: number, version: number): object {
  const engines = ['gluster', 'local', 'nfs'].map((name) => ({
    name,
    isInstalled: true,
    isRunning: true,
    version: '10.3',
  }));
  const ready = {
    type: 'Ready',
    status: 'True',
    reason: 'HeartbeatFresh',
    message: 'it reports',
    lastTransitionTime: SINCE,
  };
  return {
    ...{ apiVersion: 'holdfast.dev/v1alpha1', kind: 'StorageNode', metadata: metadata(nodeName(at), at, version) },
    spec: { addresses: { ip: '10.0.0.1' }, pools: [{ name: 'default', path: '/mnt/pool' }] },
    status: { bootId: uid(at), engines, conditions: [ready] },
  };
}

function volume(at: number): object {
  const name = `pvc-${uid(at)}`;
  const placement = Array.from({ length: COPIES }, (_, each) => ({
    ...{ copy: `${name}-${each}`, node: nodeName(at * COPIES + each), pool: 'default', role: 'data' },
  }));
  const bricks = placement.map(({ copy, node: on }) => ({
    ...{
      copy,
      node: on,
      isOnline: true,
      isReadable: true,
      nodeReadySince: SINCE,
      pendingHeals: 0,
      splitBrainEntries: 0,
    },
  }));
  const reasons = placement.map(({ node: on }) => `copy on ${on}, pool default: 120 GiB free, 12 copies on the node`);
  return {
    ...{ apiVersion: 'holdfast.dev/v1alpha1', kind: 'Volume', metadata: metadata(name, at) },
    spec: { size: '10Gi', engine: 'gluster', layout: 'replicated', replicas: COPIES, pool: 'default', brick: 'image' },
    status: {
      phase: 'Ready',
      placement,
      reasons,
      anchor: nodeName(at),
      engine: { observedBy: nodeName(at), epoch: 1, state: 'Started', bricks },
    },
  };
}

function persistentVolume(at: number): object {
  return {
    ...{ apiVersion: 'v1', kind: 'PersistentVolume', metadata: metadata(`pvc-${uid(at)}`, at) },
    spec: {
      ...{ capacity: { storage: '10Gi' }, accessModes: ['ReadWriteOnce'], storageClassName: 'holdfast' },
      csi: { driver: 'csi.holdfast.dev', volumeHandle: `pvc-${uid(at)}`, volumeAttributes: {} },
      claimRef: { kind: 'PersistentVolumeClaim', namespace: 'default', name: `claim-${at}`, uid: uid(at) },
    },
    status: { phase: 'Bound' },
  };
}

if (import.meta.main) console.table(await run());
