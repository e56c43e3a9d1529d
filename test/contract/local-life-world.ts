/**
 * Engine local as it is: the controllers, the agent and both CSI services in this process, over an API in memory, and below
 * them the mounts, images and programs of this machine. GlusterFS and NFS are there as models that nobody asks for anything.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { createChannel, createClient } from 'nice-grpc';
import { sha256 } from '../../src/adapters/ledger/sha256.ts';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { createSystemRandom } from '../../src/adapters/system/random.ts';
import { runAgent } from '../../src/controllers/agent/run-agent.ts';
import { runControllers } from '../../src/controllers/run-controllers.ts';
import { parseQuantity } from '../../src/domain/bytes.ts';
import { createLocalEngine, createLocalSnapshots } from '../../src/engines/local/index.ts';
import {
  ControllerDefinition,
  GroupControllerDefinition,
  VolumeCapability_AccessMode_Mode as Mode,
  NodeDefinition,
} from '../../src/gen/csi/csi.ts';
import { createFakeLogger } from '../../src/ports/logger.fake.ts';
import { createFakeResourceClient } from '../../src/ports/resource-client.fake.ts';
import type { ResourceClient } from '../../src/ports/resource-client.ts';
import { createFakeVolumeKeys } from '../../src/ports/volume-keys.fake.ts';
import { serveCsiController, serveCsiNode } from '../../src/shells/csi/serve-csi.ts';
import { waitForObject } from '../../src/usecases/waiting/wait-for-object.ts';
import { NODES, PODS, VOLUMES } from '../csi-life/calls.ts';
import { type LifeWorld, type Observed, podPath, stagingPath } from '../csi-life/send.ts';
import { BACK_OFF, describeAll, IDLE_MS, readAll, SETTLE_MS, settle, unasked } from './agent-life.ts';
import { serving } from './csi-world.ts';
import { type LocalMachine, startLocalMachine } from './local-machine.ts';

const GIB = 1024 ** 3;
const NODE = 'kube1';
/** Sparse: room for all volumes and snapshots of a life. */
const POOL_SIZE = '60G';
/** What a pod writes. */
const TOKEN = 'token';

/** Hands out the driver of this machine, and takes everything away in the end. */
export async function withLocalLife(use: (world: LifeWorld) => Promise<void>): Promise<void> {
  const machine = await startLocalMachine(POOL_SIZE);
  const stop = new AbortController();
  try {
    const world = await start(machine, stop.signal);
    try {
      await use(world.life);
    } finally {
      stop.abort();
      await world.ended;
    }
  } finally {
    await machine.stop();
  }
}

async function start(machine: LocalMachine, signal: AbortSignal) {
  const [clock, random, log] = [createSystemClock(), createSystemRandom(), createFakeLogger()];
  const client = createFakeResourceClient({ clock, random });
  const root = `${machine.mountsPath}/kubelet`;
  const sockets = { controller: `${machine.mountsPath}/controller.sock`, node: `${machine.mountsPath}/node.sock` };
  await machine.run('mkdir', '-p', root);
  const common = { client, clock, random, log, watchIdleMs: IDLE_MS };
  const runs = [
    runControllers({ ...common, version: 'test' }, signal),
    runAgent({ ...common, ...agentOf(machine, clock) }, signal),
  ];
  const csi = { client: mountingIn(client, `${machine.mountsPath}/csi`), clock, random, version: 'test', sha256 };
  const probe = async () => undefined;
  const startController = () =>
    serving(log, signal, (own, until) =>
      serveCsiController({ ...csi, log: own, socketPath: sockets.controller, probe }, until),
    );
  let controller = await startController();
  const places = { host: machine.host, node: NODE, socketPath: sockets.node, targetRoot: root };
  const node = await serving(log, signal, (own, until) => serveCsiNode({ ...csi, ...places, log: own, probe }, until));
  const channels = [sockets.controller, sockets.node].map((path) =>
    createChannel(`unix://${path}`, undefined, BACK_OFF),
  );
  const [toController, toNode] = channels;
  if (toController === undefined || toNode === undefined) throw new Error('there are two sockets');
  await waitForPool(client, clock);
  const nodeClient = createClient(NodeDefinition, toNode);
  const life: LifeWorld = {
    root,
    modes: { 'vol-shared': Mode.SINGLE_NODE_MULTI_WRITER },
    controller: createClient(ControllerDefinition, toController),
    groups: createClient(GroupControllerDefinition, toController),
    nodes: Object.fromEntries(NODES.map((name) => [name, nodeClient])),
    write: (_node, path, _volume, token) => writeFile(`${path}/${TOKEN}`, token, { flush: true }),
    settle: () => settle(client),
    observe: () => observe(client, machine, root),
    restartController: async () => {
      await controller.stop();
      controller = await startController();
    },
    residue: () => residue(client, machine, root),
  };
  const end = async () => {
    await Promise.all([...runs, controller.stop(), node.stop()]);
    for (const channel of channels) channel.close();
  };
  const ended = new Promise((resolve) => signal.addEventListener('abort', resolve)).then(end);
  return { life, ended };
}

function agentOf({ host, poolPath }: LocalMachine, clock: ReturnType<typeof createSystemClock>) {
  const { engines, snapshots, ...others } = unasked(NODE);
  const keys = createFakeVolumeKeys();
  const spec = { addresses: { ip: '127.0.0.1' }, pools: [{ name: 'default', path: poolPath }] };
  return {
    clock,
    host,
    identity: { name: NODE, initialSpec: spec, agentVersion: 'test' },
    ...others,
    engines: { ...engines, local: createLocalEngine({ host, keys }) },
    snapshots: { ...snapshots, local: createLocalSnapshots({ host }) },
  };
}

/** The driver has one place for its mounts on a machine, and here another run of this test has that too. */
function mountingIn(client: ResourceClient, folder: string): ResourceClient {
  return {
    ...client,
    create: (kind, object, options) => {
      if (kind !== 'VolumeAttachmentRecord') return client.create(kind, object, options);
      const spec = object['spec'] as Readonly<Record<string, unknown>>;
      const moved = { ...object, spec: { ...spec, mountPath: `${folder}/${String(spec['volume'])}` } };
      return client.create(kind, moved, options);
    },
  };
}

async function waitForPool(client: ResourceClient, clock: ReturnType<typeof createSystemClock>): Promise<void> {
  await waitForObject(
    { client, clock },
    {
      ...{ kind: 'StorageNode', name: NODE, timeoutMs: SETTLE_MS },
      check: (seen) => {
        const isReady = seen?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
        return isReady === true && seen?.status?.pools?.some((pool) => pool.isReady) === true ? true : undefined;
      },
      describeTimeout: (seen) => {
        throw new Error(`the pool does not get ready: ${JSON.stringify(seen?.status)}`);
      },
    },
  );
}

async function observe(client: ResourceClient, machine: LocalMachine, root: string): Promise<Observed> {
  const { volumes, copies, records, snapshots, groups } = await readAll(client);
  const targets = new Set((await machine.host.mounts.list()).map(({ target }) => target));
  const data = copies.map(async ({ spec, status }) => [spec.volume, await readToken(status?.path)] as const);
  return {
    volumes: Object.fromEntries(volumes.map(({ metadata, spec }) => [metadata.name, parseQuantity(spec.size) / GIB])),
    snapshots: snapshots
      .filter(({ metadata, status }) => !metadata.name.startsWith('clone-for-') && status?.phase === 'Ready')
      .map(({ metadata }) => metadata.name),
    groups: groups.filter(({ status }) => status?.phase === 'Ready').map(({ metadata }) => metadata.name),
    attached: records.map(({ spec }) => `${spec.volume}@${spec.node}`),
    staged: VOLUMES.filter((volume) => targets.has(`${stagingPath(root, volume)}/volume`)).map(
      (volume) => `${volume}@${NODE}`,
    ),
    bound: VOLUMES.flatMap((volume) =>
      PODS.filter((pod) => targets.has(podPath(root, volume, pod))).map((pod) => `${volume}@${NODE}/${pod}`),
    ),
    data: Object.fromEntries(await Promise.all(data)),
  };
}

/** Where the copy itself is, whoever else has it mounted. */
async function readToken(path: string | undefined): Promise<string> {
  try {
    return await readFile(`${path}/${TOKEN}`, 'utf8');
  } catch (error) {
    // Nobody has written into it yet.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

async function residue(client: ResourceClient, machine: LocalMachine, root: string): Promise<readonly string[]> {
  const left = describeAll(await readAll(client));
  const pods = await machine.run('find', root, '-path', '*/pods/*/vol-*');
  const kept = await machine.run('find', machine.poolPath, '-mindepth', '1');
  const found = `${pods}${kept}`.split('\n').filter((path) => path !== '');
  return [...left, ...(await machine.residue()), ...found];
}
