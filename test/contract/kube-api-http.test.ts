/** The API server on the wire: refusals, limits, watches, and how it starts and ends. */
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { AppError } from '../../src/domain/errors.ts';
import { createWireClient, type Wire, type WireClient } from './kube-api-client.ts';
import { type ServedApi, serveFrom } from './kube-api-server.ts';

const VOLUMES = '/apis/holdfast.dev/v1alpha1/volumes';
const TABLE = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' };
const volume = (name: string, extra: object = {}) => ({
  ...{ apiVersion: 'holdfast.dev/v1alpha1', kind: 'Volume', metadata: { name, ...extra }, spec: { size: '1Gi' } },
});

let folder: string;
let served: ServedApi;
let client: WireClient;

async function start(): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-http-'));
  served = await serveFrom(folder, 0, { bookmarkMs: 50, changeWindow: 50 });
  client = createWireClient(join(folder, 'admin.kubeconfig'));
}

async function stop(): Promise<void> {
  client.close();
  await served.close();
  rmSync(folder, { recursive: true });
}

/** The next lines of a watch that are no bookmarks. */
async function take(lines: AsyncGenerator<Wire>, count: number): Promise<Wire[]> {
  const taken: Wire[] = [];
  while (taken.length < count) {
    const line = await lines.next();
    if (line.done) throw new Error(`the watch ended after ${taken.length} events`);
    if (line.value.type !== 'BOOKMARK') taken.push(line.value);
  }
  return taken;
}

describe('requests', () => {
  beforeAll(start);
  afterAll(stop);
  afterEach(async () => {
    for (const { metadata } of (await client.send('GET', VOLUMES)).json().items) {
      await client.send('DELETE', `${VOLUMES}/${metadata.name}`);
    }
  });

  test.each<[string, string, string, unknown, Record<string, string>, number, string]>([
    ['a path that is not there', 'GET', '/nonsense', undefined, {}, 404, 'NotFound'],
    ['a kind that is not there', 'GET', '/apis/holdfast.dev/v1alpha1/pods', undefined, {}, 404, 'NotFound'],
    ['an object that is not there', 'GET', `${VOLUMES}/x`, undefined, {}, 404, 'NotFound'],
    ['a broken path', 'GET', `${VOLUMES}/%ff`, undefined, {}, 400, 'BadRequest'],
    ['broken JSON', 'POST', VOLUMES, '{"kind":', {}, 400, 'BadRequest'],
    ['no body', 'POST', VOLUMES, undefined, {}, 400, 'BadRequest'],
    ['a list for a body', 'POST', VOLUMES, [], {}, 400, 'BadRequest'],
    ['YAML', 'POST', VOLUMES, 'kind: Volume', { 'content-type': 'application/yaml' }, 415, 'UnsupportedMediaType'],
    ['a huge body', 'POST', VOLUMES, ' '.repeat(3 * 1024 * 1024 + 1), {}, 413, 'RequestEntityTooLarge'],
    ['a method of none', 'PUT', VOLUMES, {}, {}, 405, 'MethodNotAllowed'],
    ['deletion of everything', 'DELETE', VOLUMES, undefined, {}, 405, 'MethodNotAllowed'],
    [
      'protobuf alone',
      'GET',
      VOLUMES,
      undefined,
      { accept: 'application/vnd.kubernetes.protobuf' },
      406,
      'NotAcceptable',
    ],
    ['a faulty selector', 'GET', `${VOLUMES}?labelSelector=a%20b`, undefined, {}, 400, 'BadRequest'],
    ['a faulty limit', 'GET', `${VOLUMES}?limit=-1`, undefined, {}, 400, 'BadRequest'],
    ['a faulty version', 'GET', `${VOLUMES}?watch=1&resourceVersion=x`, undefined, {}, 400, 'BadRequest'],
    ['a version of the future', 'GET', `${VOLUMES}?watch=1&resourceVersion=99999`, undefined, {}, 410, 'Expired'],
    ['a wrong field', 'POST', VOLUMES, { ...volume('a'), spec: { size: 'x' } }, {}, 422, 'Invalid'],
    [
      'a prototype',
      'POST',
      VOLUMES,
      '{"__proto__":{"a":1},"metadata":{"name":"a"},"spec":{"size":"1Gi"}}',
      {},
      201,
      '',
    ],
    [
      'server-side apply',
      'PATCH',
      `${VOLUMES}/x`,
      {},
      { 'content-type': 'application/apply-patch+yaml' },
      415,
      'UnsupportedMediaType',
    ],
  ])('%s', async (_what, method, path, body, headers, code, reason) => {
    const answer = await client.send(method, path, body, headers);
    expect(answer.code, answer.text).toBe(code);
    if (code >= 400) expect(answer.json()).toMatchObject({ kind: 'Status', status: 'Failure', code, reason });
    else expect(answer.text).not.toContain('__proto__');
  });

  test('an Invalid answer names each field in its causes', async () => {
    const answer = await client.send('POST', VOLUMES, { ...volume('a'), spec: { size: 'x', sise: 1 } });
    expect(answer.json().details).toMatchObject({
      group: 'holdfast.dev',
      kind: 'volumes',
      causes: [{ field: 'spec.size' }, { field: 'spec.sise', message: 'unknown field' }],
    });
  });

  test('without a valid certificate only health and version are answered', async () => {
    const anonymous = (path: string) =>
      new Promise<number>((resolve, reject) => {
        const sent = request(`https://127.0.0.1:${served.port}${path}`, { rejectUnauthorized: false, agent: false });
        sent.on('response', (response) => resolve((response.resume(), response.statusCode ?? 0)));
        sent.on('error', reject);
        sent.end();
      });
    for (const path of ['/healthz', '/livez', '/readyz', '/version']) expect(await anonymous(path)).toBe(200);
    for (const path of [VOLUMES, '/api', '/apis', '/openapi/v3', '/']) expect(await anonymous(path)).toBe(401);
  });

  test('a certificate of another authority, or of a server, is not accepted', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'holdfast-http-'));
    const other = await serveFrom(elsewhere, 0);
    try {
      const stranger = await other.authority.issueClientCertificate({
        commonName: 'admin',
        organization: 'holdfast:admins',
        days: 1,
      });
      const server = await served.authority.issueServerCertificate({ dnsNames: ['admin'], ipAddresses: [], days: 1 });
      for (const { certificatePem, keyPem } of [stranger, server]) {
        const code = await new Promise((resolve, reject) => {
          const options = {
            ca: served.authority.certificatePem,
            cert: certificatePem,
            key: keyPem,
            agent: false as const,
          };
          const sent = request(`https://127.0.0.1:${served.port}${VOLUMES}`, options);
          sent.on('response', (response) => resolve((response.resume(), response.statusCode)));
          sent.on('error', reject);
          sent.end();
        });
        expect(code).toBe(401);
      }
    } finally {
      await other.close();
      rmSync(elsewhere, { recursive: true });
    }
  });

  test('lists in pages and as a table', async () => {
    for (const name of ['a', 'b', 'c']) await client.send('POST', VOLUMES, volume(name));
    const first = (await client.send('GET', `${VOLUMES}?limit=2`)).json();
    expect(first.items).toHaveLength(2);
    const rest = (await client.send('GET', `${VOLUMES}?limit=2&continue=${first.metadata.continue}`)).json();
    expect(rest.items.map((item: Wire) => item.metadata.name)).toEqual(['c']);
    expect(rest.metadata.continue).toBeUndefined();
    const table = (await client.send('GET', VOLUMES, undefined, TABLE)).json();
    expect(table).toMatchObject({ kind: 'Table', apiVersion: 'meta.k8s.io/v1' });
    expect(table.rows[0].object.kind).toBe('PartialObjectMetadata');
    expect(table.rows[0].cells.slice(0, 3)).toEqual(['a', null, '1Gi']);
  });

  test('dropped fields come back as warnings', async () => {
    const body = { ...volume('a'), 'sp"ec\\é': 1 };
    const answer = await client.send('POST', `${VOLUMES}?fieldValidation=Warn`, body);
    expect(answer.code).toBe(201);
    expect(answer.headers['warning']).toBe('299 - "unknown field \\"sp\\"ec\\\\?\\""');
  });

  test('a deletion with preconditions', async () => {
    await client.send('POST', VOLUMES, volume('a'));
    const wrong = await client.send('DELETE', `${VOLUMES}/a`, { preconditions: { uid: 'other' } });
    expect(wrong.code).toBe(409);
    const { uid } = (await client.send('GET', `${VOLUMES}/a`)).json().metadata;
    const right = await client.send('DELETE', `${VOLUMES}/a`, {
      preconditions: { uid },
      propagationPolicy: 'Foreground',
    });
    expect(right.json()).toMatchObject({ kind: 'Status', status: 'Success', details: { name: 'a', uid } });
  });
});

describe('watches', () => {
  beforeAll(start);
  afterAll(stop);

  test('begin with everything, mark its end when asked, and send bookmarks', async () => {
    await client.send('POST', VOLUMES, volume('w0'));
    const query = 'watch=1&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan';
    const lines = client.watch(`${VOLUMES}?${query}`);
    expect((await lines.next()).value).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'w0' } } });
    expect((await lines.next()).value).toMatchObject({
      type: 'BOOKMARK',
      object: { kind: 'Volume', metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
    });
    const { resourceVersion } = (
      await client.send('POST', '/api/v1/namespaces', { metadata: { name: 'other' } })
    ).json().metadata;
    let bookmark = (await lines.next()).value;
    while (bookmark.object.metadata.resourceVersion !== resourceVersion) bookmark = (await lines.next()).value;
    expect(bookmark.type).toBe('BOOKMARK');
    await lines.return(undefined);
  });

  test('come as tables too', async () => {
    const { resourceVersion } = (await client.send('GET', VOLUMES)).json().metadata;
    const lines = client.watch(`${VOLUMES}?watch=1&resourceVersion=${resourceVersion}`, TABLE);
    const event = take(lines, 1);
    await client.send('POST', VOLUMES, volume('w1'));
    const [{ type, object }] = await event;
    expect(type).toBe('ADDED');
    expect(object.kind).toBe('Table');
    expect(object.rows[0].cells.slice(0, 4)).toEqual(['w1', null, '1Gi', 'replicated']);
    await lines.return(undefined);
  });

  test('end when their time is up', async () => {
    const lines = client.watch(`${VOLUMES}?watch=1&resourceVersion=0&timeoutSeconds=1`);
    const seen: Wire[] = [];
    for await (const line of lines) seen.push(line.type);
    expect(new Set(seen)).toEqual(new Set(['ADDED']));
  });

  test('a watcher that does not keep up is told so, and is not buffered for', async () => {
    const { resourceVersion } = (await client.send('GET', VOLUMES)).json().metadata;
    const response = await client.open(`${VOLUMES}?watch=1&resourceVersion=${resourceVersion}`);
    const before = process.memoryUsage().rss;
    const note = 'x'.repeat(200_000);
    // 60 MB that nobody reads: far beyond what sockets take and what the log keeps (50 changes and some).
    for (let index = 0; index < 300; index++) {
      const annotations = { note, index: String(index) };
      expect((await client.send('PATCH', `${VOLUMES}/w0`, { metadata: { annotations } })).code).toBe(200);
    }
    const lines = (await response.toArray()).join('').trimEnd().split('\n');
    expect(lines.length).toBeLessThan(250);
    const last: Wire = JSON.parse(lines.at(-1) ?? '');
    expect(last).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024);
  });
});

describe('start and end', () => {
  test('close ends watches and frees the port', async () => {
    await start();
    const lines = client.watch(`${VOLUMES}?watch=1`);
    await client.send('POST', VOLUMES, volume('a'));
    await take(lines, 1);
    const { port } = served;
    const ended = lines.next();
    await Promise.all([served.close(), ended.then((line) => expect(line.done).toBe(true))]);
    const again = await serveFrom(folder, port);
    served = again;
    expect((await createOnce(again)).code).toBe(200);
    await stop();
  });

  test('a port in use is named, with the next step', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as { port: number };
    const place = mkdtempSync(join(tmpdir(), 'holdfast-http-'));
    const error = await serveFrom(place, port).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ kind: 'precondition', message: `127.0.0.1:${port} is in use by another process` });
    holder.close();
    rmSync(place, { recursive: true });
  });
});

async function createOnce(api: ServedApi): Promise<{ code: number }> {
  const once = createWireClient(join(folder, 'admin.kubeconfig'));
  const answer = await once.send('GET', `${VOLUMES}/a`);
  once.close();
  return { code: api.port > 0 ? answer.code : 0 };
}
