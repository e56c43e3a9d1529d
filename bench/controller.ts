/**
 * What a controller with 1,000 nodes and 20,000 volumes of three copies takes while nothing happens but heartbeats: its memory
 * and its CPU, as a process of its own on the embedded API. The nodes' agents are simulated: their Leases are renewed every
 * second, as theirs are. It also serves the scheduler's extender, and metrics: asked until it is at rest, then by nobody, then as
 * Prometheus asks. Beside it the same process with nothing to look after.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from '../src/adapters/object-store/sqlite.ts';
import { createSystemClock } from '../src/adapters/system/clock.ts';
import { createLogger } from '../src/adapters/system/logger.ts';
import { createSystemRandom } from '../src/adapters/system/random.ts';
import { loadOrCreateAuthority } from '../src/adapters/tls/authority-files.ts';
import { COPY_FINALIZER, VOLUME_FINALIZER } from '../src/domain/finalizers.ts';
import { CONTROLLER_FLAGS } from '../src/domain/install/node-flags.ts';
import { issueKubeconfig } from '../src/main/issue-kubeconfig.ts';
import { type KindName, SYSTEM_NAMESPACE } from '../src/schemas/kinds.ts';
import { CONTROLLERS } from '../src/shells/kube-api/authorize.ts';
import { startKubeApi } from '../src/shells/kube-api/start-kube-api.ts';
import type { KubeObject } from '../src/usecases/resources/kube-object.ts';
import { createResources, type Resources } from '../src/usecases/resources/resources.ts';
import type { Measurement } from './index.ts';

const NODES = Number(process.env['HOLDFAST_BENCH_NODES'] ?? 1_000);
const VOLUMES = Number(process.env['HOLDFAST_BENCH_VOLUMES'] ?? 20_000);
const COPIES = 3;
const AT_ONCE = 256;
const HEARTBEAT_MS = 1_000;
/** At rest: no object but Leases was changed for so long, and no volume waits to be looked at. */
const REST_MS = 10_000;
const MAX_SETTLING_MS = 600_000;
const WATCHED_MS = 30_000;
const NEWS = 20;
const NEWS_MS = 20_000;
/** As in many installations; the operator's own is 30 s. */
const SCRAPE_MS = 15_000;
const SCRAPES = 4;
const TICKS_PER_SECOND = 100;
/** Of the controller that is measured; it says there when it knows all volumes and nodes. */
const EXTENDER_PORT = 27_444;
const METRICS = '127.0.0.1:27445';
const SINCE = '2026-01-01T00:00:00Z';
const MAIN = join(import.meta.dirname, '../dist/main.mjs');
const clock = createSystemClock();

/** Runs both, the empty one first. */
export async function run(): Promise<readonly Measurement[]> {
  const empty = await measure(0, 0);
  const full = await measure(NODES, VOLUMES);
  return [
    { what: 'controller with nothing, memory', value: empty.residentMiB, unit: 'MiB' },
    { what: 'controller with nothing, CPU', value: empty.cpuPercent, unit: '% of a core' },
    { what: 'until it had looked at all of them', value: full.settledSeconds, unit: 's' },
    { what: 'memory at most, until then', value: full.peakMiB, unit: 'MiB', budget: '<= 512 MiB' },
    { what: 'memory at rest', value: full.residentMiB, unit: 'MiB', budget: '<= 512 MiB' },
    {
      what: `CPU at rest, ${NODES} heartbeats a second`,
      value: full.cpuPercent,
      unit: '% of a core',
      budget: '<= 5 %',
    },
    {
      what: `memory at most, metrics read each ${SCRAPE_MS / 1000} s`,
      value: full.scraped.peakMiB,
      unit: 'MiB',
      budget: '<= 512 MiB',
    },
    { what: 'CPU, metrics read so', value: full.scraped.cpuPercent, unit: '% of a core' },
    { what: 'CPU of the controller for one reading', value: full.scraped.readingMs, unit: 'ms' },
    { what: 'CPU for one node with other free space', value: full.newsMs, unit: 'ms' },
  ];
}

interface Taken {
  readonly settledSeconds: number;
  readonly peakMiB: number;
  readonly residentMiB: number;
  readonly cpuPercent: number;
  readonly newsMs: number;
  readonly scraped: Scraped;
}

interface Scraped {
  readonly peakMiB: number;
  readonly cpuPercent: number;
  /** Beside the rest. */
  readonly readingMs: number;
}

async function measure(nodes: number, volumes: number): Promise<Taken> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
  const log = createLogger({ clock }, { level: 'error', format: 'text', write: (line) => process.stderr.write(line) });
  const store = openSqliteStore({ path: ':memory:' });
  const resources = createResources({ store, clock, random: createSystemRandom() });
  const authority = await loadOrCreateAuthority({ clock }, join(folder, 'ca'));
  const certificate = await authority.issueServerCertificate({ dnsNames: [], ipAddresses: ['127.0.0.1'], days: 1 });
  const tls = { ...certificate, authorityPem: authority.certificatePem };
  const listen = [{ host: '127.0.0.1', port: 0 }];
  const api = await startKubeApi({ resources, clock, log, tls, listen, version: 'bench' });
  const kubeconfig = join(folder, 'kubeconfig');
  const server = `https://127.0.0.1:${api.addresses[0]?.port ?? 0}`;
  writeFileSync(kubeconfig, await issueKubeconfig(authority, { server, user: 'bench', group: CONTROLLERS, days: 1 }), {
    mode: 0o600,
  });
  const ending = new AbortController();
  try {
    await fill(resources, nodes, volumes);
    const hearts = beat(resources, nodes, ending.signal);
    const listens = ['--extender-listen', `127.0.0.1:${EXTENDER_PORT}`, '--metrics-listen', METRICS];
    const argv = [...CONTROLLER_FLAGS, MAIN, 'controller', '--kubeconfig', kubeconfig, ...listens];
    const controller = spawn(process.execPath, [...argv, '--log-level', 'error'], { stdio: 'inherit' });
    try {
      return await watch(controller, resources, { nodes, volumes });
    } finally {
      controller.kill('SIGKILL');
      await once(controller, 'exit');
      ending.abort();
      await hearts;
    }
  } finally {
    await api.close();
    store.close();
    rmSync(folder, { recursive: true });
  }
}

async function watch(
  controller: ChildProcess,
  resources: Resources,
  { nodes, volumes }: { readonly nodes: number; readonly volumes: number },
): Promise<Taken> {
  const pid = controller.pid ?? 0;
  const begin = clock.monotonic();
  let peakMiB = 0;
  const stop = new AbortController();
  const writes = followWrites(resources, stop.signal);
  let readyAt: number | undefined;
  // Each volume gets its conditions: until then the controller has not looked at all of them.
  const isAtRest = (since: number) =>
    writes.volumes.size >= volumes && clock.monotonic() - Math.max(since, writes.lastAt()) >= REST_MS;
  while (readyAt === undefined || !isAtRest(readyAt) || (await waiting()) > 0) {
    if (clock.monotonic() - begin > MAX_SETTLING_MS) throw new Error('the controller does not come to rest');
    if (controller.exitCode !== null) throw new Error(`the controller ended with ${controller.exitCode}`);
    await clock.sleep(500);
    peakMiB = Math.max(peakMiB, residentMiB(pid));
    if (readyAt === undefined && (await isReady())) readyAt = clock.monotonic();
  }
  const settledSeconds = (Math.max(readyAt, writes.lastAt()) - begin) / 1000;
  const [before, from] = [cpuSeconds(pid), clock.monotonic()];
  await clock.sleep(WATCHED_MS);
  const cpuPercent = ((cpuSeconds(pid) - before) / (clock.monotonic() - from)) * 100_000;
  stop.abort();
  const resident = residentMiB(pid);
  const newsMs = nodes === 0 ? 0 : await newsCost(pid, resources, cpuPercent);
  const scraped = await watchScraped(pid, cpuPercent);
  return { settledSeconds, peakMiB, residentMiB: resident, cpuPercent, newsMs, scraped };
}

async function watchScraped(pid: number, restPercent: number): Promise<Scraped> {
  const [before, from] = [cpuSeconds(pid), clock.monotonic()];
  let peakMiB = 0;
  for (let scrape = 1; scrape <= SCRAPES; scrape += 1) {
    await readMetrics();
    const next = from + scrape * SCRAPE_MS;
    do {
      peakMiB = Math.max(peakMiB, residentMiB(pid));
      await clock.sleep(Math.min(500, Math.max(1, next - clock.monotonic())));
    } while (clock.monotonic() < next);
  }
  const [spent, seconds] = [cpuSeconds(pid) - before, (clock.monotonic() - from) / 1000];
  const readingMs = (Math.max(0, spent - (seconds * restPercent) / 100) * 1000) / SCRAPES;
  return { peakMiB, cpuPercent: (spent / seconds) * 100, readingMs };
}

/** What the controller takes, beside its rest, for each node that says that its free space is another. */
async function newsCost(pid: number, resources: Resources, restPercent: number): Promise<number> {
  const [before, from] = [cpuSeconds(pid), clock.monotonic()];
  for (let at = 0; at < NEWS; at += 1) {
    const status = { pools: poolsOf(at, 2 ** 40) };
    await resources.patch('StorageNode', nodeName(at), { type: 'merge', body: { status } }, STATUS);
    await clock.sleep(NEWS_MS / NEWS);
  }
  const spentMs = (cpuSeconds(pid) - before) * 1000;
  return Math.max(0, spentMs - ((clock.monotonic() - from) * restPercent) / 100) / NEWS;
}

/** True once it has heard of all volumes and nodes. */
async function isReady(): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${EXTENDER_PORT}/readyz`)).ok;
  } catch {
    // It does not listen yet.
    return false;
  }
}

/** How many volumes wait to be looked at. @throws {Error} when the controller does not say so */
async function waiting(): Promise<number> {
  const [, depth] = /^holdfast_reconcile_queue_depth\{controller="volume"\} (\d+)$/m.exec(await readMetrics()) ?? [];
  if (depth === undefined) throw new Error('the metrics do not tell how many volumes wait');
  return Number(depth);
}

async function readMetrics(): Promise<string> {
  const answer = await fetch(`http://${METRICS}/metrics`);
  if (!answer.ok) throw new Error(`the metrics are answered with ${answer.status}`);
  return answer.text();
}

interface Writes {
  /** When a Volume or a StorageNode was last written. */
  readonly lastAt: () => number;
  /** Names of the volumes that were written. */
  readonly volumes: ReadonlySet<string>;
}

/** What is written, as it goes on. */
function followWrites(resources: Resources, signal: AbortSignal): Writes {
  let last = clock.monotonic();
  const volumes = new Set<string>();
  const follow = async (kind: KindName): Promise<void> => {
    const options = { resourceVersion: resources.resourceVersion(), signal };
    for await (const { events } of resources.watch(kind, options)) {
      if (events.length > 0) last = clock.monotonic();
      if (kind === 'Volume') for (const event of events) volumes.add(event.read().metadata.name);
    }
  };
  for (const kind of ['Volume', 'StorageNode'] as const) {
    // Ends with the signal; a watch that fails before shows as a rest that comes too early.
    follow(kind).catch((error: unknown) => {
      if (!signal.aborted) console.error(error);
    });
  }
  return { lastAt: () => last, volumes };
}

function residentMiB(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}

/** User and system time of the process, proc(5): fields 14 and 15, counted from behind the name in brackets. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

async function beat(resources: Resources, nodes: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const from = clock.monotonic();
    const renewTime = new Date(clock.now()).toISOString().replace('Z', '000Z');
    const patch = { type: 'merge', body: { spec: { renewTime } } } as const;
    await each(nodes, (at) => resources.patch('Lease', nodeName(at), patch, HERE));
    const rest = Math.max(0, HEARTBEAT_MS - (clock.monotonic() - from));
    await clock.sleep(rest, signal).catch(() => undefined); // Aborted: the loop ends.
  }
}

const HERE = { namespace: SYSTEM_NAMESPACE } as const;
const STATUS = { subresource: 'status' } as const;
const nodeName = (at: number) => `node-${String(at % Math.max(1, NODES)).padStart(4, '0')}`;

/** Some at once: the store writes them together. */
async function each(count: number, act: (at: number) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < count; from += AT_ONCE) {
    const size = Math.min(AT_ONCE, count - from);
    await Promise.all(Array.from({ length: size }, (_, offset) => act(from + offset)));
  }
}

async function fill(resources: Resources, nodes: number, volumes: number): Promise<void> {
  const set = (kind: KindName, name: string, status: object) =>
    resources.patch(kind, name, { type: 'merge', body: { status } }, STATUS);
  await each(nodes, async (at) => {
    const metadata = { name: nodeName(at) };
    const own = { apiVersion: 'holdfast.dev/v1alpha1', kind: 'StorageNode', metadata };
    const ip = `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`;
    await resources.create('StorageNode', { ...own, spec: { addresses: { ip }, pools: [POOL] } });
    await set('StorageNode', metadata.name, nodeStatus(at));
    const renewTime = '2026-01-01T00:00:00.000000Z';
    const spec = { holderIdentity: metadata.name, leaseDurationSeconds: 3, renewTime };
    await resources.create('Lease', { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec }, HERE);
  });
  await each(volumes, async (at) => {
    const name = `pvc-${String(at).padStart(36, '0')}`;
    const spec = { size: '10Gi', layout: 'replicated', replicas: COPIES };
    const metadata = { name, finalizers: [VOLUME_FINALIZER] };
    const made = await resources.create('Volume', {
      apiVersion: 'holdfast.dev/v1alpha1',
      kind: 'Volume',
      metadata,
      spec,
    });
    const placement = Array.from({ length: COPIES }, (_, index) => {
      return { copy: `${name}-${index}`, node: nodeName(at * COPIES + index), pool: 'default', role: 'data' };
    });
    for (const [index, copy] of placement.entries()) await addCopy(resources, made, { ...copy, index });
    await set('Volume', name, volumeStatus(placement));
  });
}

const POOL = { name: 'default', path: '/mnt/pool' };

const poolsOf = (at: number, freeBytes: number): readonly object[] => [
  { ...POOL, isReady: true, capacityBytes: 4 * 2 ** 40, freeBytes, fsUuid: `fs-${at}` },
];

function nodeStatus(at: number): object {
  const engines = ['gluster', 'local', 'nfs'].map((name) => ({
    name,
    isInstalled: true,
    isRunning: true,
    version: '10.3',
  }));
  const ready = { type: 'Ready', status: 'True', reason: 'HeartbeatFresh', message: 'the agent of this node reports' };
  return {
    bootId: `boot-${at}`,
    engines,
    pools: poolsOf(at, 2 * 2 ** 40),
    conditions: [{ ...ready, lastTransitionTime: SINCE }],
  };
}

async function addCopy(
  resources: Resources,
  { metadata: volume }: KubeObject,
  { copy, node, index }: { readonly copy: string; readonly node: string; readonly index: number },
): Promise<void> {
  const own = { apiVersion: 'holdfast.dev/v1alpha1', kind: 'VolumeCopy' };
  const spec = {
    ...{ volume: volume.name, volumeUid: volume.uid, node, pool: 'default', role: 'data', index },
    ...{ engine: 'gluster', brick: 'image', sizeBytes: 10 * 2 ** 30 },
  };
  await resources.create('VolumeCopy', { ...own, metadata: { name: copy, finalizers: [COPY_FINALIZER] }, spec });
  const status = { state: 'Ready', path: `/mnt/pool/${copy}/brick`, sizeBytes: spec.sizeBytes, bootId: 'boot' };
  const patch = { type: 'merge', body: { status } } as const;
  await resources.patch('VolumeCopy', copy, patch, STATUS);
}

function volumeStatus(placement: readonly { readonly copy: string; readonly node: string }[]): object {
  const bricks = placement.map(({ copy, node }) => ({
    ...{ copy, node, isOnline: true, isReadable: true, nodeReadySince: SINCE, pendingHeals: 0, splitBrainEntries: 0 },
  }));
  const anchor = placement[0]?.node;
  const engine = { observedBy: anchor, epoch: 1, state: 'Started', engineId: 'e', bricks };
  return { phase: 'Ready', placement, grantedSize: '10Gi', size: '10Gi', anchor, epoch: 1, engine };
}

if (import.meta.main) console.table(await run());
