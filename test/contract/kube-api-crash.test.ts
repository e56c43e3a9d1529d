/** The API server killed with SIGKILL in the middle of a stream of writes: nothing acknowledged may be lost. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, expect, test } from 'vitest';
import { createSeededRandom } from '../../src/ports/random.fake.ts';
import { createWireClient, type Wire, type WireClient } from './kube-api-client.ts';

const VOLUMES = '/apis/holdfast.dev/v1alpha1/volumes';
const KILLS = 6;
const WRITERS = 8;
const seed = Number(process.env['HOLDFAST_SEED'] ?? Date.now() % 2 ** 31);

const cleanUps: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

interface RunningServer {
  readonly port: number;
  kill(): Promise<void>;
}

async function startServer(folder: string, port: number): Promise<RunningServer> {
  const script = join(import.meta.dirname, 'kube-api-server.ts');
  const child: ChildProcess = spawn(process.execPath, [script, folder, String(port)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const kill = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  cleanUps.push(kill);
  if (child.stdout === null) throw new Error('the server has no standard output');
  for await (const line of createInterface({ input: child.stdout })) return { port: JSON.parse(line).port, kill };
  throw new Error('the server ended before it served');
}

interface Writer {
  readonly name: string;
  /** Sequence number of the last write that was acknowledged, and the revision it got. */
  acknowledged: number;
  revision: number;
}

/** Raises the writer's sequence number again and again until the server is gone. */
async function writeOn(client: WireClient, writer: Writer, onWrite: () => void): Promise<void> {
  for (;;) {
    const next = writer.acknowledged + 1;
    const body = { metadata: { annotations: { seq: String(next) } } };
    const answer = await client.send('PATCH', `${VOLUMES}/${writer.name}`, body).catch(() => undefined);
    if (answer === undefined) return;
    expect(answer.code).toBe(200);
    const revision = Number(answer.json().metadata.resourceVersion);
    expect(revision).toBeGreaterThan(writer.revision);
    writer.acknowledged = next;
    writer.revision = revision;
    onWrite();
  }
}

/** Everything a watcher saw of each object, in order, over all the breaks. */
interface Watcher {
  readonly seen: Map<string, number[]>;
  resourceVersion: string;
}

async function watchOn(client: WireClient, watcher: Watcher): Promise<void> {
  const path = `${VOLUMES}?watch=1&allowWatchBookmarks=true&resourceVersion=${watcher.resourceVersion}`;
  const lines = client.watch(path);
  try {
    for await (const { type, object } of lines) {
      watcher.resourceVersion = object.metadata.resourceVersion;
      if (type === 'BOOKMARK') continue;
      expect(type).toBe('MODIFIED');
      const { name, annotations } = object.metadata;
      watcher.seen.set(name, [...(watcher.seen.get(name) ?? []), Number(annotations.seq)]);
    }
  } catch (error) {
    // The connection broke with the server; anything that was answered is a fault.
    if ((error as { code?: unknown }).code === 200 || typeof (error as { code?: unknown }).code === 'number')
      throw error;
  }
}

test(`nothing acknowledged is lost over ${KILLS} kills (seed ${seed})`, async () => {
  const random = createSeededRandom(seed);
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-crash-'));
  cleanUps.push(() => rmSync(folder, { recursive: true }));
  let server = await startServer(folder, 0);
  const connect = () => {
    const client = createWireClient(join(folder, 'admin.kubeconfig'));
    cleanUps.push(() => client.close());
    return client;
  };
  let client = connect();
  const writers: Writer[] = [];
  for (let index = 0; index < WRITERS; index++) {
    const body = {
      apiVersion: 'holdfast.dev/v1alpha1',
      kind: 'Volume',
      metadata: { name: `w${index}` },
      spec: { size: '1Gi' },
    };
    const answer = await client.send('POST', VOLUMES, body);
    writers.push({ name: `w${index}`, acknowledged: 0, revision: Number(answer.json().metadata.resourceVersion) });
  }
  const list = (await client.send('GET', VOLUMES)).json();
  const watcher: Watcher = { seen: new Map(), resourceVersion: list.metadata.resourceVersion };

  for (let kill = 0; kill < KILLS; kill++) {
    let writesLeft = 5 + Math.floor(random.next() * 200);
    const enough = Promise.withResolvers<void>();
    const onWrite = () => {
      writesLeft -= 1;
      if (writesLeft === 0) enough.resolve();
    };
    const current = client;
    const watching = watchOn(current, watcher);
    const writing = writers.map((writer) => writeOn(current, writer, onWrite));
    await enough.promise;
    await server.kill();
    await Promise.all([...writing, watching]);
    server = await startServer(folder, server.port);
    client = connect();
    await checkState(client, writers);
  }

  // The rest of the story for the watcher, up to what is stored now.
  const stored: Wire[] = (await client.send('GET', VOLUMES)).json().items;
  const path = `${VOLUMES}?watch=1&resourceVersion=${watcher.resourceVersion}&timeoutSeconds=1`;
  for await (const { object } of client.watch(path)) {
    const { name, annotations } = object.metadata;
    watcher.seen.set(name, [...(watcher.seen.get(name) ?? []), Number(annotations.seq)]);
  }
  for (const { metadata } of stored) {
    const last = Number(metadata.annotations.seq);
    // Each write once, in order: over all restarts the watcher missed nothing and saw nothing twice.
    expect(watcher.seen.get(metadata.name)).toEqual(Array.from({ length: last }, (_, index) => index + 1));
  }
});

/** After a restart: each acknowledged write is there, at most the one under way besides it, and revisions go on. */
async function checkState(client: WireClient, writers: readonly Writer[]): Promise<void> {
  const { items, metadata } = (await client.send('GET', VOLUMES)).json();
  const objects = new Map<string, Wire>(items.map((item: Wire) => [item.metadata.name, item.metadata]));
  for (const writer of writers) {
    const stored = objects.get(writer.name);
    const sequence = Number(stored?.annotations?.seq ?? 0);
    expect([writer.acknowledged, writer.acknowledged + 1]).toContain(sequence);
    const revision = Number(stored.resourceVersion);
    if (sequence === writer.acknowledged) expect(revision).toBe(writer.revision);
    else expect(revision).toBeGreaterThan(writer.revision);
    expect(Number(metadata.resourceVersion)).toBeGreaterThanOrEqual(revision);
    writer.acknowledged = sequence;
    writer.revision = revision;
  }
}

test('after a restart a watch from a revision that the server does not have is told to begin anew', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-crash-'));
  cleanUps.push(() => rmSync(folder, { recursive: true }));
  let server = await startServer(folder, 0);
  await server.kill();
  server = await startServer(folder, server.port);
  const client = createWireClient(join(folder, 'admin.kubeconfig'));
  cleanUps.push(() => client.close());
  // As a client has it that watched a state which was since replaced by an older backup.
  const events = client.watch(`${VOLUMES}?watch=1&resourceVersion=999999`);
  await expect(events.next()).rejects.toMatchObject({
    code: 410,
    message: expect.stringContaining('"reason":"Expired"'),
  });
});
