/** The scheduler's extender over HTTP, as kube-scheduler speaks it, with what the API has behind it in memory. */
import { Agent, request as secureRequest } from 'node:https';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { createSystemRandom } from '../../src/adapters/system/random.ts';
import { generateAuthority, openAuthority } from '../../src/adapters/tls/authority.ts';
import { createLocalityIndex } from '../../src/controllers/locality/locality-index.ts';
import { createFakeLogger } from '../../src/ports/logger.fake.ts';
import { createFakeResourceClient, type FakeResourceClient } from '../../src/ports/resource-client.fake.ts';
import { type SchedulingOptions, serveScheduling } from '../../src/shells/extender/serve-scheduling.ts';

const SINCE = '2026-01-01T00:00:00Z';
const clock = createSystemClock();
const client = createFakeResourceClient({ clock, random: createSystemRandom() });
const ready = { type: 'Ready', status: 'True', reason: 'HeartbeatFresh', message: 'x', lastTransitionTime: SINCE };

async function addNode(name: string): Promise<void> {
  await client.create('StorageNode', { metadata: { name }, spec: { addresses: { ip: '10.0.0.1' } } });
  const engines = ['gluster', 'local', 'nfs'].map((engine) => ({ name: engine, isInstalled: true, isRunning: true }));
  await client.patch('StorageNode', name, { status: { engines, conditions: [ready] } }, { subresource: 'status' });
}

async function addVolume(name: string, nodes: readonly string[], spec: object = {}): Promise<void> {
  await client.create('Volume', {
    metadata: { name },
    spec: { size: '1Gi', layout: 'replicated', replicas: nodes.length, allowSplitBrain: true, ...spec },
  });
  const placement = nodes.map((node) => ({ copy: `${name}-${node}`, node, pool: 'default', role: 'data' }));
  const bricks = placement.map(({ copy, node }) => {
    return { copy, node, isOnline: true, isReadable: true, nodeReadySince: SINCE, pendingHeals: 0 };
  });
  const engine = { observedBy: nodes[0], epoch: 1, state: 'Started', bricks };
  await client.patch('Volume', name, { status: { placement, engine } }, { subresource: 'status' });
  await client.create('PersistentVolume', {
    metadata: { name: `pv-${name}` },
    spec: {
      csi: { driver: 'csi.holdfast.dev', volumeHandle: name },
      claimRef: { namespace: 'default', name: `claim-${name}` },
    },
  });
}

interface Served {
  readonly url: string;
  stop(): Promise<void>;
}

async function start(of: FakeResourceClient, rest: Partial<SchedulingOptions> = {}): Promise<Served> {
  const stopping = new AbortController();
  const deps = { clock, random: createSystemRandom(), log: createFakeLogger(), client: of };
  const index = createLocalityIndex(deps, { idleMs: 60_000 });
  const listening = Promise.withResolvers<number>();
  const options: SchedulingOptions = {
    ...{ ...deps, index, listen: { host: '127.0.0.1', port: 0 } },
    onListening: ({ port }) => listening.resolve(port),
    ...rest,
  };
  const ended = serveScheduling(options, stopping.signal);
  ended.catch((error: unknown) => listening.reject(error));
  const port = await listening.promise;
  const stop = async () => {
    stopping.abort();
    await ended;
  };
  return { url: `127.0.0.1:${port}`, stop };
}

let served: Served;
beforeAll(async () => {
  for (const name of ['kube1', 'kube2', 'kube3', 'kube4']) await addNode(name);
  await addVolume('data', ['kube1', 'kube2']);
  await addVolume('tight', ['kube2', 'kube3'], { locality: 'strict' });
  served = await start(client);
  await vi.waitFor(async () => {
    if (!(await fetch(`http://${served.url}/readyz`)).ok) throw new Error('not ready');
  });
});
afterAll(() => served.stop());

const pod = (claims: readonly string[], metadata: object = {}) => ({
  metadata: { name: 'p', namespace: 'default', ...metadata },
  spec: {
    containers: [{ name: 'main' }],
    volumes: claims.map((claimName, at) => ({ name: `v${at}`, persistentVolumeClaim: { claimName } })),
  },
});
const post = (path: string, body: unknown, type = 'application/json') =>
  fetch(`http://${served.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': type },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
interface Filtered {
  readonly NodeNames?: readonly string[];
  readonly Nodes?: object;
  readonly FailedAndUnresolvableNodes: Readonly<Record<string, string>>;
}
const ask = async (path: string, body: unknown) => (await (await post(path, body)).json()) as Filtered;
const NodeNames = ['kube1', 'kube2', 'kube3', 'kube9'];

describe('filter', () => {
  test('preferred leaves out only nodes without an agent; the others by their names, as they came', async () => {
    expect(await ask('/filter', { Pod: pod(['claim-data']), Nodes: null, NodeNames })).toEqual({
      NodeNames: ['kube1', 'kube2', 'kube3'],
      FailedAndUnresolvableNodes: { kube9: 'no agent of Holdfast, which would mount its volumes' },
      Error: '',
    });
  });

  test('strict leaves out all nodes without a copy that serves, and says so', async () => {
    const answer = await ask('/filter', { Pod: pod(['claim-tight']), NodeNames });
    expect(answer).toMatchObject({
      NodeNames: ['kube2', 'kube3'],
      FailedAndUnresolvableNodes: { kube1: 'no copy of volume tight that serves (locality strict)' },
    });
  });

  test('what the pod says goes before what its volumes say', async () => {
    const passed = async (claim: string, locality: string) => {
      const annotations = { 'holdfast.dev/locality': locality };
      return (await ask('/filter', { Pod: pod([claim], { annotations }), NodeNames })).NodeNames;
    };
    expect(await passed('claim-data', 'strict')).toEqual(['kube1', 'kube2']);
    expect(await passed('claim-tight', 'preferred')).toEqual(['kube1', 'kube2', 'kube3']);
  });

  test('whole nodes come back whole, of a scheduler that does not know that names are enough', async () => {
    const items = NodeNames.map((name) => ({ metadata: { name, labels: { a: 'b' } }, spec: { podCIDR: 'x' } }));
    const answer = await ask('/filter', { Pod: pod(['claim-tight']), Nodes: { metadata: {}, items } });
    expect(answer.Nodes).toEqual({ metadata: {}, items: [items[1], items[2]] });
    expect(answer.NodeNames).toBeUndefined();
  });

  test('a pod without volumes of Holdfast goes anywhere', async () => {
    for (const claims of [[], ['claim-of-others']]) {
      expect(await ask('/filter', { Pod: pod(claims), NodeNames })).toMatchObject({ NodeNames });
    }
    const Pod = { metadata: { name: 'p', namespace: 'default' }, spec: { volumes: null } };
    expect(await ask('/prioritize', { Pod, NodeNames: ['kube1'] })).toEqual([{ Host: 'kube1', Score: 0 }]);
  });

  test('a claim of the same name in another namespace is another claim', async () => {
    const other = pod(['claim-tight'], { namespace: 'other' });
    expect(await ask('/filter', { Pod: other, NodeNames })).toMatchObject({ NodeNames });
  });
});

test('prioritize: 15 with the best copies, 5 without, in between with some', async () => {
  const scores = async (...claims: readonly string[]) => {
    const answer = await post('/prioritize', { Pod: pod(claims), NodeNames: ['kube1', 'kube2', 'kube3'] });
    return ((await answer.json()) as readonly { readonly Score: number }[]).map(({ Score }) => Score);
  };
  expect(await scores('claim-data')).toEqual([15, 15, 5]);
  expect(await scores('claim-data', 'claim-tight')).toEqual([10, 15, 10]);
});

test('a change is known without a question: a node that falls silent, and one that is fenced', async () => {
  const failed = async () =>
    (await ask('/filter', { Pod: pod(['claim-data']), NodeNames: ['kube1', 'kube4'] })).FailedAndUnresolvableNodes;
  const lost = { ...ready, status: 'Unknown', reason: 'HeartbeatLost' };
  await client.patch('StorageNode', 'kube4', { status: { conditions: [lost] } }, { subresource: 'status' });
  await expect.poll(failed).toEqual({ kube4: "Holdfast's agent is not heard from" });
  await client.create('FenceRecord', {
    metadata: { name: 'kube4' },
    spec: { node: 'kube4', nodeUid: 'u', bootId: 'b', addresses: ['10.0.0.1'] },
  });
  await expect.poll(failed).toEqual({ kube4: 'fenced by Holdfast' });
  await client.delete('FenceRecord', 'kube4');
  await client.patch('StorageNode', 'kube4', { status: { conditions: [ready] } }, { subresource: 'status' });
  await expect.poll(failed).toEqual({});
});

test.each([
  ['half an object', '{'],
  ['nothing', ''],
  ['a list', '[]'],
  ['null', 'null'],
  ['no nodes', { Pod: pod([]) }],
  ['no pod', { NodeNames: ['a'] }],
  ['a number as a node', { Pod: pod([]), NodeNames: [1] }],
  ['nodes in both forms', { Pod: pod([]), NodeNames: ['a'], Nodes: { items: [] } }],
  ['a node without a name', { Pod: pod([]), Nodes: { items: [{}] } }],
  ['a claim without a name', { Pod: pod([undefined as never]), NodeNames: ['a'] }],
  ['too many nodes', { Pod: pod([]), NodeNames: Array.from({ length: 20_001 }, () => 'a') }],
])('%s is refused', async (_what, body) => {
  const answer = await post('/filter', body);
  expect(answer.status).toBe(400);
  expect(await answer.json()).toEqual({ error: expect.stringMatching(/^(?:the arguments of an extender: |the body)/) });
});

test('what is no question is refused', async () => {
  const body = { Pod: pod([]), NodeNames: ['a'] };
  expect((await post('/filter', body, 'text/plain')).status).toBe(415);
  expect((await post('/bind', body)).status).toBe(404);
  expect((await fetch(`http://${served.url}/filter`)).status).toBe(404);
  const large = JSON.stringify({ ...body, more: 'x'.repeat(33 * 1024 * 1024) });
  // Cut off before all of it is sent, or told so.
  const refused = await post('/filter', large).then(
    ({ status }) => status,
    () => 413,
  );
  expect(refused).toBe(413);
  expect((await post('/filter', body)).status).toBe(200);
});

test('before everything was heard once there is no advice', async () => {
  const silent = { ...client, list: () => new Promise<never>(() => undefined) };
  const other = await start(silent);
  expect((await fetch(`http://${other.url}/healthz`)).status).toBe(200);
  for (const [path, method] of [['/readyz', 'GET'] as const, ['/filter', 'POST'] as const]) {
    expect((await fetch(`http://${other.url}${path}`, { method })).status).toBe(503);
  }
  await other.stop();
});

test('it is served with a certificate, and without one to this machine only', async () => {
  const origin = { certificate: 'ca.crt', key: 'ca.key' };
  const authority = await openAuthority(clock, await generateAuthority(clock), origin);
  const certificate = await authority.issueServerCertificate({ dnsNames: [], ipAddresses: ['127.0.0.1'], days: 1 });
  const secure = await start(client, { certificates: async (use) => use(certificate) });
  const agent = new Agent({ ca: authority.certificatePem });
  const status = await new Promise((resolve, reject) => {
    secureRequest(`https://${secure.url}/healthz`, { agent }, ({ statusCode }) => resolve(statusCode))
      .on('error', reject)
      .end();
  });
  expect(status).toBe(200);
  agent.destroy();
  await secure.stop();
  await expect(start(client, { listen: { host: '0.0.0.0', port: 0 } })).rejects.toThrow('without a certificate');
});
