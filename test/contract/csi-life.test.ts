/**
 * Lives of volumes against the driver on a fake host: calls repeated, at once, given up, and a controller that is started anew.
 * `LIFE_SEED=...` lives others; `LIFE_RUNS=1000` lives more of them.
 */
import { setImmediate } from 'node:timers';
import fc from 'fast-check';
import { createChannel, createClient } from 'nice-grpc';
import { expect, test } from 'vitest';
import { parseQuantity } from '../../src/domain/bytes.ts';
import {
  ControllerDefinition,
  GroupControllerDefinition,
  VolumeCapability_AccessMode_Mode as Mode,
  NodeDefinition,
} from '../../src/gen/csi/csi.ts';
import { createSeededRandom } from '../../src/ports/random.fake.ts';
import type { ResourceClient } from '../../src/ports/resource-client.ts';
import { life, NODES, onOneNode, PODS, VOLUMES } from '../csi-life/calls.ts';
import { live } from '../csi-life/live.ts';
import { type LifeWorld, type Observed, podPath, stagingPath } from '../csi-life/send.ts';
import { type CsiWorld, startCsiWorld, TARGET_ROOT } from './csi-world.ts';

const { LIFE_SEED, LIFE_RUNS } = process.env;
const GIB = 1024 ** 3;
const BACK_OFF = { 'grpc.initial_reconnect_backoff_ms': 5, 'grpc.max_reconnect_backoff_ms': 20 };

/** Lets others go first now and then, each time otherwise: what is read may be old when it is used. */
function hesitant(client: ResourceClient, seed: number): ResourceClient {
  const random = createSeededRandom(seed);
  const pause = async () => {
    for (let turns = Math.floor(random.next() * 5); turns > 0; turns -= 1)
      await new Promise((resolve) => setImmediate(resolve));
  };
  const after = async <T>(act: () => Promise<T>): Promise<T> => {
    await pause();
    return act();
  };
  return {
    ...client,
    get: (...request) => after(() => client.get(...request)),
    list: (...request) => after(() => client.list(...request)),
    create: (...request) => after(() => client.create(...request)),
    patch: (...request) => after(() => client.patch(...request)),
    delete: (...request) => after(() => client.delete(...request)),
  };
}

interface Setting {
  readonly seed: number;
  /** Volumes are used on their own node alone, and there is one. */
  readonly isLocal: boolean;
}

async function withLifeWorld({ seed, isLocal }: Setting, use: (world: LifeWorld) => Promise<void>): Promise<void> {
  const nodes = isLocal ? [NODES[0]] : NODES;
  const world = await startCsiWorld({ nodes, around: (client) => hesitant(client, seed) });
  if (isLocal) await useOnlyFirst(world.client);
  const channelTo = (path: string) => createChannel(`unix://${path}`, undefined, BACK_OFF);
  const sockets = [...world.nodeSockets].map(([node, path]) => [node, channelTo(path)] as const);
  const channel = channelTo(world.controllerSocket);
  try {
    await use({
      root: TARGET_ROOT,
      ...(isLocal ? { modes: { 'vol-shared': Mode.SINGLE_NODE_MULTI_WRITER } } : {}),
      ...(isLocal ? { groups: createClient(GroupControllerDefinition, channel) } : {}),
      controller: createClient(ControllerDefinition, channel),
      nodes: Object.fromEntries(
        NODES.flatMap((name) => {
          const [, to] = sockets.find(([node]) => node === name || isLocal) ?? [];
          return to === undefined ? [] : [[name, createClient(NodeDefinition, to)] as const];
        }),
      ),
      write: async (_node, _path, volume, token) => void world.data.set(`volume ${volume}`, token),
      settle: () => settle(world),
      observe: () => observe(world),
      restartController: () => world.restartController(),
      residue: () => residue(world),
    });
  } finally {
    for (const each of [channel, ...sockets.map(([, to]) => to)]) each.close();
    await world.stop();
  }
}

/** With room for whatever a life holds. */
async function useOnlyFirst(client: ResourceClient): Promise<void> {
  const pool = { name: 'default', path: '/mnt/glusterVolume0', isReady: true, hasReflink: true };
  const roomy = { pools: [{ ...pool, capacityBytes: 100 * GIB, freeBytes: 100 * GIB }] };
  for (const { metadata } of (await client.list('StorageNode')).items) {
    const status = metadata.name === NODES[0] ? roomy : { engines: [], pools: [] };
    await client.patch('StorageNode', metadata.name, { status }, { subresource: 'status' });
  }
}

const readAll = (client: ResourceClient) =>
  Promise.all([
    client.list('Volume'),
    client.list('VolumeAttachmentRecord'),
    client.list('VolumeSnapshotRecord'),
    client.list('VolumeGroupSnapshotRecord'),
  ]);

async function settle({ client, hosts }: CsiWorld): Promise<void> {
  const isDone = async () => {
    const [volumes, records, snapshots, groups] = await readAll(client);
    const all = [...volumes.items, ...records.items, ...snapshots.items, ...groups.items];
    return (
      all.every(({ metadata }) => metadata.deletionTimestamp === undefined) &&
      volumes.items.every(({ spec, status }) => status?.size === spec.size) &&
      records.items.every(({ spec, status }) => !hosts.has(spec.node) || status?.state === 'Mounted') &&
      [...snapshots.items, ...groups.items].every(({ status }) => status?.phase !== undefined)
    );
  };
  await expect.poll(isDone, { interval: 1, timeout: 20_000 }).toBe(true);
}

async function observe({ client, hosts, data }: CsiWorld): Promise<Observed> {
  const [volumes, records, snapshots, groups] = await readAll(client);
  const targets = new Set(
    [...hosts].flatMap(([node, host]) => host.mountTable().map(({ target }) => `${node} ${target}`)),
  );
  const places = VOLUMES.flatMap((volume) => NODES.map((node) => ({ volume, node, place: `${volume}@${node}` })));
  const pods = places.flatMap((each) => PODS.map((pod) => ({ ...each, pod })));
  const names = volumes.items.map(({ metadata }) => metadata.name);
  return {
    volumes: Object.fromEntries(
      volumes.items.map(({ metadata, spec }) => [metadata.name, parseQuantity(spec.size) / GIB]),
    ),
    // What a clone takes for itself is its own business, as long as nothing of it is left in the end.
    snapshots: snapshots.items
      .filter(({ metadata, status }) => !metadata.name.startsWith('clone-for-') && status?.phase === 'Ready')
      .map(({ metadata }) => metadata.name),
    groups: groups.items.filter(({ status }) => status?.phase === 'Ready').map(({ metadata }) => metadata.name),
    attached: records.items.map(({ spec }) => `${spec.volume}@${spec.node}`),
    staged: places
      .filter(({ volume, node }) => targets.has(`${node} ${stagingPath(TARGET_ROOT, volume)}/volume`))
      .map(({ place }) => place),
    bound: pods
      .filter(({ volume, node, pod }) => targets.has(`${node} ${podPath(TARGET_ROOT, volume, pod)}`))
      .map(({ place, pod }) => `${place}/${pod}`),
    data: Object.fromEntries(names.map((name) => [name, data.get(`volume ${name}`) ?? ''])),
  };
}

async function residue({ client, hosts }: CsiWorld): Promise<readonly string[]> {
  const left = (await readAll(client)).flatMap(({ items }) =>
    items.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
  );
  const mounts = [...hosts].flatMap(([node, host]) => host.mountTable().map(({ target }) => `${node} ${target}`));
  const pods = [...hosts.values()].flatMap((host) =>
    [...host.entries.keys()].filter((path) => /\/pods\/.*\/vol-/.test(path)),
  );
  return [...left, ...mounts, ...pods];
}

/** The same lives each time, so that a change of the driver is what makes a difference. The second found a clone that grew with a new snapshot. */
const SEEDS = LIFE_SEED === undefined ? [421_497_872, 1_694_735_081] : [Number(LIFE_SEED)];

test.each(SEEDS)(
  'every answer is one that the model allows, what is there is what was answered, and in the end there is nothing (LIFE_SEED=%i)',
  async (seed) => {
    const runs = LIFE_RUNS === undefined ? 12 : Number(LIFE_RUNS);
    await fc.assert(
      fc.asyncProperty(life(12), fc.nat(1_000_000), (steps, order) =>
        withLifeWorld({ seed: order, isLocal: false }, (world) => live(world, steps, {})),
      ),
      { seed, numRuns: runs, endOnFailure: LIFE_RUNS !== undefined },
    );
  },
  600_000,
);

test(`the same of volumes that one node has, and of groups of their snapshots (LIFE_SEED=${SEEDS[0]})`, async () => {
  const numRuns = LIFE_RUNS === undefined ? 12 : Number(LIFE_RUNS);
  await fc.assert(
    fc.asyncProperty(life(12, { hasGroups: true }), fc.nat(1_000_000), (steps, seed) =>
      withLifeWorld({ seed, isLocal: true }, (world) => live(world, onOneNode(steps), { engine: 'local' })),
    ),
    { ...(SEEDS[0] === undefined ? {} : { seed: SEEDS[0] }), numRuns, endOnFailure: LIFE_RUNS !== undefined },
  );
}, 600_000);
