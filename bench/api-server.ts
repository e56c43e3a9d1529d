/**
 * What the embedded API server does per second, on this machine, over HTTPS with client certificates; beside it what
 * SQLite alone does with the same sync mode, so that the ratio says what the server costs.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, type RequestOptions, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openSqliteStore } from '../src/adapters/object-store/sqlite.ts';
import { createSystemClock } from '../src/adapters/system/clock.ts';
import { createLogger } from '../src/adapters/system/logger.ts';
import { createSystemRandom } from '../src/adapters/system/random.ts';
import { loadOrCreateAuthority } from '../src/adapters/tls/authority-files.ts';
import { startKubeApi } from '../src/shells/kube-api/start-kube-api.ts';
import { createResources, type Resources } from '../src/usecases/resources/resources.ts';
import type { Measurement } from './index.ts';

const VOLUMES = '/apis/holdfast.dev/v1alpha1/volumes';
const WRITES = 2_000;
const IN_FLIGHT = 32;
const OBJECTS = 20_000;
const WATCHERS = 200;
const EVENTS = 100;

interface Subject {
  readonly resources: Resources;
  readonly options: RequestOptions;
}

/** Runs everything once. */
export async function run(): Promise<readonly Measurement[]> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
  const results: Measurement[] = [];
  const add = (what: string, value: number, unit: string) => results.push({ what, value, unit });
  try {
    const single = baseline(folder, 1);
    const grouped = baseline(folder, IN_FLIGHT);
    add('SQLite alone, one insert per sync', single, '/s');
    add(`SQLite alone, ${IN_FLIGHT} inserts per sync`, grouped, '/s');
    await withServer(folder, async (subject) => {
      const creates = await perSecond(WRITES, (index) => create(subject, `volume-${index}`));
      add(`creates, ${IN_FLIGHT} at once`, creates, '/s');
      add('  of SQLite alone with as many per sync', creates / grouped, 'x');
      const patches = await perSecond(WRITES, (index) => patchStatus(subject, `volume-${index}`, index));
      add(`status patches, ${IN_FLIGHT} at once`, patches, '/s');
      const alone = await perSecond(300, (index) => patchStatus(subject, 'volume-0', index + 10), 1);
      add('status patches, one after the other', alone, '/s');
      add('  of SQLite alone with one per sync', alone / single, 'x');
      await fill(subject);
      for (const [name, milliseconds] of Object.entries(await timeLists(subject))) add(name, milliseconds, 'ms');
      const latencies = await fanOut(subject);
      add(`change to ${WATCHERS} watchers, p50`, latencies[Math.floor(latencies.length * 0.5)] ?? 0, 'ms');
      add(`change to ${WATCHERS} watchers, p99`, latencies[Math.floor(latencies.length * 0.99)] ?? 0, 'ms');
      add(
        `resident memory, ${OBJECTS} objects, ${WATCHERS} watchers, clients included`,
        process.memoryUsage().rss / 2 ** 20,
        'MiB',
      );
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
  return results;
}

/** Inserts per second of a bare table with the same journal and sync mode, some per transaction. */
function baseline(folder: string, perSync: number): number {
  const db = new DatabaseSync(join(folder, `baseline-${perSync}.db`));
  db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  db.exec('CREATE TABLE objects (name TEXT PRIMARY KEY, value TEXT)');
  const insert = db.prepare('INSERT INTO objects VALUES (?, ?)');
  const text = JSON.stringify(volume('volume-0'));
  const rounds = Math.ceil(WRITES / perSync / (perSync === 1 ? 4 : 1));
  const begin = performance.now();
  for (let round = 0; round < rounds; round++) {
    db.exec('BEGIN IMMEDIATE');
    for (let index = 0; index < perSync; index++) insert.run(`volume-${round}-${index}`, text);
    db.exec('COMMIT');
  }
  const seconds = (performance.now() - begin) / 1000;
  db.close();
  return (rounds * perSync) / seconds;
}

async function withServer(folder: string, use: (subject: Subject) => Promise<void>): Promise<void> {
  const clock = createSystemClock();
  const log = createLogger({ clock }, { level: 'warn', format: 'text', write: (line) => process.stderr.write(line) });
  const authority = await loadOrCreateAuthority({ clock }, join(folder, 'ca'));
  const server = await authority.issueServerCertificate({ dnsNames: [], ipAddresses: ['127.0.0.1'], days: 1 });
  const client = await authority.issueClientCertificate({
    commonName: 'bench',
    organization: 'holdfast:admins',
    days: 1,
  });
  const store = openSqliteStore({ path: join(folder, 'state.db') });
  const resources = createResources({ store, clock, random: createSystemRandom() });
  const tls = { ...server, authorityPem: authority.certificatePem };
  const api = await startKubeApi({
    resources,
    clock,
    log,
    tls,
    listen: [{ host: '127.0.0.1', port: 0 }],
    version: 'bench',
  });
  const agent = new Agent({
    ...{ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, ca: authority.certificatePem },
    ...{ cert: client.certificatePem, key: client.keyPem },
  });
  const port = api.addresses[0]?.port ?? 0;
  try {
    await use({ resources, options: { host: '127.0.0.1', port, agent } });
  } finally {
    agent.destroy();
    await api.close();
    store.close();
  }
}

function volume(name: string): object {
  const spec = { size: '10Gi', layout: 'arbiter', allowFrom: ['10.10.*.*'] };
  return { apiVersion: 'holdfast.dev/v1alpha1', kind: 'Volume', metadata: { name, labels: { team: 'a' } }, spec };
}

async function perSecond(count: number, act: (index: number) => Promise<void>, inFlight = IN_FLIGHT): Promise<number> {
  const begin = performance.now();
  let next = 0;
  const worker = async () => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return count / ((performance.now() - begin) / 1000);
}

const create = (subject: Subject, name: string) => send(subject, { method: 'POST', path: VOLUMES }, volume(name));

function patchStatus(subject: Subject, name: string, epoch: number): Promise<void> {
  const status = { phase: 'Ready', epoch, anchor: 'kube1', reasons: ['kube1: 120 GiB free', 'kube2: 90 GiB free'] };
  return send(subject, { method: 'PATCH', path: `${VOLUMES}/${name}/status` }, { status });
}

function send(subject: Subject, options: RequestOptions, body?: object): Promise<void> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const type = options.method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  return new Promise((resolve, reject) => {
    const sent = request({ ...subject.options, ...options, headers: { 'content-type': type } }, (response) => {
      const isGood = (response.statusCode ?? 500) < 300;
      response.on('end', () => (isGood ? resolve() : reject(new Error(`${options.path}: ${response.statusCode}`))));
      response.on('error', reject);
      response.resume();
    });
    sent.on('error', reject);
    sent.end(text);
  });
}

/** Makes up the number of objects in process; how fast that goes is not measured. */
async function fill(subject: Subject): Promise<void> {
  for (let index = WRITES; index < OBJECTS; index += IN_FLIGHT) {
    const batch = Array.from(
      { length: Math.min(IN_FLIGHT, OBJECTS - index) },
      (_, offset) => `volume-${index + offset}`,
    );
    await Promise.all(batch.map((name) => subject.resources.create('Volume', volume(name))));
  }
}

async function timeLists(subject: Subject): Promise<Record<string, number>> {
  const time = async (path: string) => {
    const begin = performance.now();
    await send(subject, { method: 'GET', path });
    return performance.now() - begin;
  };
  return {
    [`list of ${OBJECTS} objects`]: await time(VOLUMES),
    [`list of ${OBJECTS} objects by label, all match`]: await time(`${VOLUMES}?labelSelector=team=a`),
    'list of 500 objects, one page': await time(`${VOLUMES}?limit=500`),
    'list by name': await time(`${VOLUMES}?fieldSelector=metadata.name=volume-7`),
  };
}

/** From the moment a patch is sent until each watcher has the event, for every watcher and event; sorted. */
async function fanOut(subject: Subject): Promise<number[]> {
  const latencies: number[] = [];
  const waiting = new Map<string, { sentAt: number; left: number; done: () => void }>();
  const streams = await Promise.all(
    Array.from({ length: WATCHERS }, () =>
      openWatch(subject, (epoch) => {
        const event = waiting.get(epoch);
        if (event === undefined) return;
        latencies.push(performance.now() - event.sentAt);
        event.left -= 1;
        if (event.left === 0) event.done();
      }),
    ),
  );
  for (let index = 0; index < EVENTS; index++) {
    const epoch = 1_000_000 + index;
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.set(String(epoch), { sentAt: performance.now(), left: WATCHERS, done: resolve });
    await Promise.all([patchStatus(subject, 'volume-1', epoch), promise]);
  }
  for (const close of streams) close();
  return latencies.toSorted((a, b) => a - b);
}

function openWatch(subject: Subject, onEpoch: (epoch: string) => void): Promise<() => void> {
  const path = `${VOLUMES}?watch=1&resourceVersion=${subject.resources.resourceVersion()}`;
  return new Promise((resolve, reject) => {
    const sent = request({ ...subject.options, path }, (response) => {
      response.setEncoding('utf8');
      let rest = '';
      response.on('data', (chunk: string) => {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) onEpoch(/"epoch":(\d+)/.exec(line)?.[1] ?? '');
      });
      response.on('error', () => undefined); // Cut off by us at the end.
      resolve(() => sent.destroy());
    });
    sent.on('error', reject);
    sent.end();
  });
}

if (import.meta.main) console.table(await run());
