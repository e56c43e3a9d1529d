/**
 * Volumes on shares with everything that looks after them: the controllers, an agent for each node and the CSI services in this process, over an
 * API in memory. What is below them the caller says. Where a life restarts the controller service, the controllers and agents are killed in
 * the midst of what they do.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createChannel, createClient } from 'nice-grpc';
import { sha256 } from '../../src/adapters/ledger/sha256.ts';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { createSystemRandom } from '../../src/adapters/system/random.ts';
import { runAgent } from '../../src/controllers/agent/run-agent.ts';
import { runControllers } from '../../src/controllers/run-controllers.ts';
import { parseQuantity } from '../../src/domain/bytes.ts';
import { createLocalEngine, createLocalSnapshots } from '../../src/engines/local/index.ts';
import { createNfsEngine } from '../../src/engines/nfs/index.ts';
import { ControllerDefinition, NodeDefinition } from '../../src/gen/csi/csi.ts';
import type { Host } from '../../src/ports/host.ts';
import { createFakeLogger } from '../../src/ports/logger.fake.ts';
import { createFakeResourceClient } from '../../src/ports/resource-client.fake.ts';
import type { ResourceClient } from '../../src/ports/resource-client.ts';
import type { ShareFolders } from '../../src/ports/share-folders.ts';
import { createFakeVolumeKeys } from '../../src/ports/volume-keys.fake.ts';
import { serveCsiController, serveCsiNode } from '../../src/shells/csi/serve-csi.ts';
import { waitForObject } from '../../src/usecases/waiting/wait-for-object.ts';
import { NODES, PODS, VOLUMES } from '../csi-life/calls.ts';
import { type LifeWorld, type Observed, podPath, stagingPath } from '../csi-life/send.ts';
import { BACK_OFF, describeAll, IDLE_MS, readAll, SETTLE_MS, settle, unasked } from './agent-life.ts';
import { serving, TARGET_ROOT } from './csi-world.ts';
import { keepRunning, type Life } from './mortal-program.ts';

const GIB = 1024 ** 3;
/** Of what a program asks of its machine and writes to the API, so many moments are tried. */
const MOMENTS = 41;
/** What a pod writes. */
export const TOKEN = 'token';

/** A machine that mounts shares. */
interface Machine {
  readonly host: Host;
  readonly folders: ShareFolders;
}

export interface ShareLife {
  /** By node; where one is missing the first does its part. */
  readonly machines: ReadonlyMap<string, Machine>;
  write(node: string, path: string, token: string): Promise<void>;
  /** What is in the file TOKEN of a folder of the share, as the server has it; empty when there is none. */
  read(folder: string): Promise<string>;
  /** What is on the server that was not there in the beginning, what is missing of that, and mounts and folders of pods. */
  residue(): Promise<readonly string[]>;
  /** Told in the end how often controllers and agents were killed. */
  tellDeaths?(deaths: number): void;
}

/** Of others, beside the volumes: the only thing in its folder. */
export const OTHERS = { folder: 'team/keep', file: 'file' } as const;

/**
 * What is on the share that was not there in the beginning, and what is missing of that.
 *
 * @param names - in a folder of the share, which may be missing
 */
export async function leftOnShare(names: (folder: string) => Promise<readonly string[]>): Promise<readonly string[]> {
  const own = await Promise.all(['owners', 'new', 'gone'].map((each) => names(`.holdfast/${each}`)));
  const beside = (await names('')).filter((name) => name !== 'team' && name !== '.holdfast');
  const lost = (await names(OTHERS.folder)).join() === OTHERS.file ? [] : [OTHERS.folder];
  return [...own.flat(), ...beside, ...lost];
}

/** Hands out the driver, and the API that stands behind it. */
export async function withShareLife(
  life: Pick<ShareLife, 'machines'> & Partial<ShareLife>,
  use: (world: LifeWorld, client: ResourceClient) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-share-life-'));
  const stop = new AbortController();
  try {
    const { world, client, ended } = await start({ ...UNUSED, ...life }, folder, stop.signal);
    try {
      await use(world, client);
    } finally {
      stop.abort();
      await ended;
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Of lives that look at the server themselves. */
const UNUSED: Omit<ShareLife, 'machines'> = {
  write: () => Promise.reject(new Error('nobody said how to write')),
  read: () => Promise.reject(new Error('nobody said how to read')),
  residue: () => Promise.reject(new Error('nobody said how to look')),
};

async function start(life: ShareLife, folder: string, signal: AbortSignal) {
  const [clock, random, log] = [createSystemClock(), createSystemRandom(), createFakeLogger()];
  const client = createFakeResourceClient({ clock, random });
  const common = { client, clock, random, log, watchIdleMs: IDLE_MS };
  const programs = [
    keepRunning(clock, signal, (mortal, until) => {
      const own = { ...common, clock: mortal.clock, client: mortal.client(client) };
      return runControllers({ ...own, version: 'test' }, until);
    }),
    ...[...life.machines].map(([node, machine]) =>
      keepRunning(clock, signal, (mortal, until) => {
        const own = { ...common, clock: mortal.clock, client: mortal.client(client) };
        return runAgent({ ...own, ...agentOf(node, machine, mortal) }, until);
      }),
    ),
  ];
  let restarts = 0;
  const csi = { client, clock, random, version: 'test', sha256, probe: async () => undefined };
  const controllerSocket = join(folder, 'controller.sock');
  const startController = () =>
    serving(log, signal, (own, until) => serveCsiController({ ...csi, log: own, socketPath: controllerSocket }, until));
  let controller = await startController();
  const services = [...life.machines].map(async ([node, { host }]) => {
    const socketPath = join(folder, `${node}.sock`);
    const places = { host, node, socketPath, targetRoot: TARGET_ROOT };
    const service = await serving(log, signal, (own, until) => serveCsiNode({ ...csi, ...places, log: own }, until));
    return { node, service, channel: createChannel(`unix://${socketPath}`, undefined, BACK_OFF) };
  });
  const nodes = await Promise.all(services);
  const channel = createChannel(`unix://${controllerSocket}`, undefined, BACK_OFF);
  for (const { node } of nodes) await waitForNode({ client, clock }, node);
  const [first] = nodes;
  const world: LifeWorld = {
    rules: { isShare: true },
    root: TARGET_ROOT,
    controller: createClient(ControllerDefinition, channel),
    nodes: Object.fromEntries(
      NODES.map((name) => {
        const its = nodes.find(({ node }) => node === name) ?? first;
        if (its === undefined) throw new Error('there is no node');
        return [name, createClient(NodeDefinition, its.channel)] as const;
      }),
    ),
    write: (node, path, _volume, token) => life.write(node, path, token),
    settle: () => settle(client),
    observe: () => observe(client, life),
    restartController: async () => {
      restarts += 1;
      // Each at another moment, some of them long after the step.
      for (const [index, program] of programs.entries()) program.killAt(1 + ((restarts * 7 + index * 5) % MOMENTS));
      await controller.stop();
      controller = await startController();
    },
    residue: async () => [...describeAll(await readAll(client)), ...(await life.residue())],
  };
  const end = async () => {
    life.tellDeaths?.(programs.reduce((sum, program) => sum + program.deaths(), 0));
    await Promise.all([
      ...programs.map(({ ended }) => ended),
      controller.stop(),
      ...nodes.map(({ service }) => service.stop()),
    ]);
    for (const each of [channel, ...nodes.map((node) => node.channel)]) each.close();
  };
  return { world, client, ended: new Promise((resolve) => signal.addEventListener('abort', resolve)).then(end) };
}

function agentOf(node: string, machine: Machine, mortal: Life) {
  const [host, folders] = [mortal.host(machine.host), mortal.part(machine.folders)];
  const { engines, snapshots, ...others } = unasked(node);
  const spec = { addresses: { ip: '127.0.0.1' }, pools: [] };
  return {
    ...others,
    host,
    identity: { name: node, initialSpec: spec, agentVersion: 'test' },
    engines: {
      ...engines,
      local: createLocalEngine({ host, keys: createFakeVolumeKeys() }),
      nfs: createNfsEngine({ host, folders, hash: sha256 }),
    },
    snapshots: { ...snapshots, local: createLocalSnapshots({ host }) },
  };
}

async function waitForNode(
  deps: { readonly client: ResourceClient; readonly clock: ReturnType<typeof createSystemClock> },
  name: string,
): Promise<void> {
  await waitForObject(deps, {
    ...{ kind: 'StorageNode', name, timeoutMs: SETTLE_MS },
    check: (seen) =>
      seen?.status?.engines?.some((each) => each.name === 'nfs' && each.isRunning === true) === true ? true : undefined,
    describeTimeout: (seen) => {
      throw new Error(`${name} does not get ready: ${JSON.stringify(seen?.status)}`);
    },
  });
}

async function observe(client: ResourceClient, { machines, read }: ShareLife): Promise<Observed> {
  const { volumes, records, snapshots } = await readAll(client);
  const tables = [...machines].map(async ([node, { host }]) =>
    (await host.mounts.list()).map(({ target }) => `${node} ${target}`),
  );
  const targets = new Set((await Promise.all(tables)).flat());
  const places = VOLUMES.flatMap((volume) => NODES.map((node) => ({ volume, node, place: `${volume}@${node}` })));
  const pods = places.flatMap((each) => PODS.map((pod) => ({ ...each, pod })));
  const data = volumes.map(
    async ({ metadata, spec }) => [metadata.name, await read(spec.share?.subDir ?? '')] as const,
  );
  return {
    volumes: Object.fromEntries(volumes.map(({ metadata, spec }) => [metadata.name, parseQuantity(spec.size) / GIB])),
    ...{ snapshots: snapshots.map(({ metadata }) => metadata.name), groups: [] },
    attached: records.map(({ spec }) => `${spec.volume}@${spec.node}`),
    staged: places
      .filter(({ volume, node }) => targets.has(`${node} ${stagingPath(TARGET_ROOT, volume)}/volume`))
      .map(({ place }) => place),
    bound: pods
      .filter(({ volume, node, pod }) => targets.has(`${node} ${podPath(TARGET_ROOT, volume, pod)}`))
      .map(({ place, pod }) => `${place}/${pod}`),
    data: Object.fromEntries(await Promise.all(data)),
  };
}
