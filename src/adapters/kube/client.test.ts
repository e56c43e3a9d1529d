import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createKubeClient } from './client.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server that answers as told; what a correct one does is the contract test's business. */
async function setUp(handler: Handler, deadlineMs = 5_000) {
  const seen: string[] = [];
  let connections = 0;
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    handler(request, response);
  });
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = createKubeClient({ server: address, origin: 'test' }, { userAgent: 'test', deadlineMs });
  closing.push(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });
  return { client, server, seen, address, connections: () => connections };
}

const lease = (name: string, resourceVersion = '1') => ({
  metadata: { name, uid: `u-${name}`, resourceVersion },
  spec: {},
});
const answer = (code: number, body: unknown): Handler => {
  return (_request, response) => response.writeHead(code).end(typeof body === 'string' ? body : JSON.stringify(body));
};

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe('createKubeClient', () => {
  it.each([
    [409, { reason: 'AlreadyExists' }, 'exists'],
    [409, { reason: 'Conflict' }, 'conflict'],
    [410, { reason: 'Gone' }, 'conflict'],
    [403, { reason: 'Forbidden' }, 'denied'],
    [401, { reason: 'Unauthorized' }, 'denied'],
    [404, {}, 'notFound'],
    [422, { reason: 'Invalid' }, 'invalid'],
    [429, {}, 'unavailable'],
    [500, {}, 'unavailable'],
    [503, 'upstream is down', 'unavailable'],
    [504, {}, 'timeout'],
  ])('makes an answer %i %j the kind %s', async (code, body, kind) => {
    const { client } = await setUp(answer(code, body));
    await expect(client.patch('Lease', 'a', {})).rejects.toMatchObject({ kind });
  });

  it('passes on the faulty fields', async () => {
    const details = { kind: 'Volume', name: 'gv0', causes: [{ field: 'spec.size', message: 'is not a size' }] };
    const { client } = await setUp(
      answer(422, { message: 'Volume "gv0" is invalid', reason: 'Invalid', code: 422, details }),
    );
    await expect(client.create('Volume', { metadata: { name: 'gv0' } })).rejects.toMatchObject({
      ...{ kind: 'invalid', message: 'create of volumes gv0: Volume "gv0" is invalid', resource: 'Volume gv0' },
      faults: [{ field: 'spec.size', message: 'is not a size' }],
    });
  });

  it('names the address when nobody answers there', async () => {
    const { client, server, address } = await setUp(answer(200, {}));
    await new Promise((resolve) => server.close(resolve));
    await expect(client.list('Volume')).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining(`list of volumes: ${address} cannot be reached`) as string,
    });
  });

  it('gives up at the deadline, and at once when it is cancelled', async () => {
    const { client } = await setUp(() => undefined, 50);
    await expect(client.get('Lease', 'a')).rejects.toMatchObject({ kind: 'timeout' });
    const cancel = new AbortController();
    const call = client.get('Lease', 'a', { signal: cancel.signal });
    cancel.abort(new Error('enough'));
    await expect(call).rejects.toMatchObject({ kind: 'cancelled' });
    await expect(client.get('Lease', 'a', { signal: cancel.signal })).rejects.toMatchObject({ kind: 'cancelled' });
  });

  it('asks over the same connection again', async () => {
    const { client, connections } = await setUp(answer(200, lease('a')));
    for (let round = 0; round < 5; round += 1) await client.get('Lease', 'a');
    expect(connections()).toBe(1);
  });

  it('repeats a read, but never a write, that met a connection the server had closed', async () => {
    const { client, seen } = await setUp((request, response) => {
      // The first request on each connection is answered, the second is met by a closed door.
      const socket = request.socket as typeof request.socket & { isUsed?: boolean };
      if (socket.isUsed) return socket.destroy();
      socket.isUsed = true;
      return answer(200, lease('a'))(request, response);
    });
    await client.get('Lease', 'a');
    expect(await client.get('Lease', 'a')).toBeDefined();
    await expect(client.patch('Lease', 'a', {})).rejects.toMatchObject({ kind: 'unavailable' });
    expect(seen.map((each) => each.split(' ')[0])).toEqual(['GET', 'GET', 'GET', 'PATCH']);
  });

  it('reads a list page by page, and begins again when a page has expired', async () => {
    let expired = 0;
    const { client, seen } = await setUp((request, response) => {
      const isSecond = request.url?.includes('continue=next');
      if (isSecond && expired++ === 0) return answer(410, { reason: 'Expired', code: 410 })(request, response);
      const metadata = { resourceVersion: '7', ...(isSecond ? {} : { continue: 'next' }) };
      return answer(200, { metadata, items: [lease(isSecond ? 'b' : 'a')] })(request, response);
    });
    const { items, resourceVersion } = await client.list('Lease', { labelSelector: 'a=b', namespace: 'x' });
    expect(items.map(({ metadata, kind }) => [metadata.name, kind])).toEqual([
      ['a', 'Lease'],
      ['b', 'Lease'],
    ]);
    expect(resourceVersion).toBe('7');
    expect(seen).toHaveLength(4);
    expect(seen[0]).toBe('GET /apis/coordination.k8s.io/v1/namespaces/x/leases?labelSelector=a%3Db&limit=500');
  });

  it('reads events however the network cuts them, and stops with the stream', async () => {
    const { client } = await setUp((_request, response) => {
      const text = [
        { type: 'ADDED', object: lease('a') },
        { type: 'BOOKMARK', object: { metadata: { resourceVersion: '9' } } },
      ];
      const bytes = text.map((each) => `${JSON.stringify(each)}\n`).join('');
      response.writeHead(200).write(bytes.slice(0, 30));
      setImmediate(() => response.end(bytes.slice(30)));
    });
    const events = await collect(client.watch('Lease', { resourceVersion: '1' }));
    expect(events).toMatchObject([
      { type: 'ADDED', object: { kind: 'Lease' } },
      { type: 'BOOKMARK', resourceVersion: '9' },
    ]);
  });

  it.each([
    ['an error event', '{"type":"ERROR","object":{"code":410,"reason":"Expired","message":"too old"}}\n', 'conflict'],
    ['a line that is no JSON', 'hello\n', 'unavailable'],
    ['an unknown event', '{"type":"NEWS","object":{}}\n', 'unavailable'],
    ['an object without a name', '{"type":"ADDED","object":{"metadata":{}}}\n', 'unavailable'],
  ])('ends a watch with an error at %s', async (_name, text, kind) => {
    const { client } = await setUp(answer(200, text));
    await expect(collect(client.watch('Lease', { resourceVersion: '1' }))).rejects.toMatchObject({ kind });
  });

  it('ends a watch that is refused, broken off, or cancelled', async () => {
    const refused = await setUp(answer(403, { reason: 'Forbidden' }));
    await expect(collect(refused.client.watch('Lease', { resourceVersion: '1' }))).rejects.toMatchObject({
      kind: 'denied',
    });
    const broken = await setUp((_request, response) => {
      response.writeHead(200).write('{"type":"ADD');
      setImmediate(() => response.destroy());
    });
    await expect(collect(broken.client.watch('Lease', { resourceVersion: '1' }))).rejects.toMatchObject({
      kind: 'unavailable',
    });
    const open = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    const endless = await setUp((request, response) => {
      response.writeHead(200).flushHeaders();
      request.on('close', gone.resolve);
      open.resolve();
    });
    const cancel = new AbortController();
    const watching = collect(endless.client.watch('Lease', { resourceVersion: '1', signal: cancel.signal }));
    await open.promise;
    cancel.abort();
    expect(await watching).toEqual([]);
    await gone.promise;
  });

  it('treats a missing object as absent, and its deletion as done', async () => {
    const { client } = await setUp(answer(404, { reason: 'NotFound', message: 'no such thing' }));
    expect(await client.get('Volume', 'gv0')).toBeUndefined();
    await client.delete('Volume', 'gv0');
    await expect(client.list('Volume')).rejects.toMatchObject({ kind: 'notFound' });
  });
});

describe('a status for one object alone, on a server that does not look at the UID in it', () => {
  /** Knows one object, whose version moves `moves` times just after it was read. */
  async function setUpObject(uid: string, moves: number) {
    const bodies: unknown[] = [];
    let version = 1;
    let movesLeft = moves;
    const handle = async (request: IncomingMessage): Promise<Handler> => {
      const object = { metadata: { name: 'gv0', uid, resourceVersion: String(version) }, spec: { size: '1Gi' } };
      if (request.method === 'GET') {
        if (movesLeft > 0) version += 1;
        movesLeft -= 1;
        return answer(200, object);
      }
      const body = JSON.parse(await textOf(request));
      bodies.push(body);
      return body.metadata.resourceVersion === String(version)
        ? answer(200, object)
        : answer(409, { reason: 'Conflict' });
    };
    const world = await setUp((request, response) => {
      void handle(request).then((handler) => handler(request, response));
    });
    const write = () =>
      world.client.patch('Volume', 'gv0', { status: { epoch: 1 } }, { subresource: 'status', uid: 'u-1' });
    return { ...world, bodies, write };
  }

  it('is written with the version of that object, again when others write at the same time', async () => {
    const { write, bodies } = await setUpObject('u-1', 2);
    await write();
    expect(bodies.map((body) => (body as { metadata: object }).metadata)).toEqual(
      ['1', '2', '3'].map((resourceVersion) => ({ resourceVersion, uid: 'u-1' })),
    );
  });

  it('is not written to a later one of its name', async () => {
    const { write, bodies } = await setUpObject('u-2', 0);
    await expect(write()).rejects.toMatchObject({ kind: 'conflict' });
    expect(bodies).toEqual([]);
  });

  it('is a conflict when others never end', async () => {
    const { write } = await setUpObject('u-1', 1_000);
    await expect(write()).rejects.toMatchObject({ kind: 'conflict' });
  });
});
