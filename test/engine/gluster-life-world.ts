/** Engine gluster as it is, in a lab that is up: what lives of volumes see and do there, through the sockets that kubelet has. */
import { setTimeout as pause } from 'node:timers/promises';
import { createChannel, createClient } from 'nice-grpc';
import { parseQuantity } from '../../src/domain/bytes.ts';
import { isAppError } from '../../src/domain/errors.ts';
import { ControllerDefinition, NodeDefinition } from '../../src/gen/csi/csi.ts';
import type { Resource } from '../../src/ports/resource-client.ts';
import { csiSockets } from '../../src/usecases/lab/bring-up-holdfast.ts';
import { NODES, PODS, VOLUMES } from '../csi-life/calls.ts';
import { type LifeWorld, type Observed, podPath, stagingPath } from '../csi-life/send.ts';
import { type Product, residue as residueOf } from './product-fixture.ts';

const GIB = 1024 ** 3;
const ROOT = '/var/lib/kubelet/lives';
const SETTLE_MS = 90_000;
const LOOK_MS = 100;
/** One turn of a caller's patience: a hundredth of what a creation takes. */
const TURN_MS = 40;
const BACK_OFF = { 'grpc.initial_reconnect_backoff_ms': 20, 'grpc.max_reconnect_backoff_ms': 200 };
/** What a pod writes. */
const TOKEN = 'token';

/** Hands out the driver of a lab. Whatever a life leaves is left for its test to tell of. */
export async function withGlusterLife(product: Product, use: (world: LifeWorld) => Promise<void>): Promise<void> {
  const { lab, composed } = product;
  const channelTo = (path: string) => createChannel(`unix://${path}`, undefined, BACK_OFF);
  const toController = channelTo(csiSockets(composed.controllerFolder(lab.name)).controller);
  const toNodes = await Promise.all(
    NODES.map(async (node) => {
      const { pid } = await lab.host(node).processes.self();
      return [node, channelTo(`/proc/${pid}/root${csiSockets('').node}`)] as const;
    }),
  );
  try {
    await use({
      root: ROOT,
      controller: createClient(ControllerDefinition, toController),
      nodes: Object.fromEntries(toNodes.map(([node, channel]) => [node, createClient(NodeDefinition, channel)])),
      patience: (turns) => pause(turns * TURN_MS),
      write: async (node, path, _volume, token) => lab.host(node).files.writeText(`${path}/${TOKEN}`, token),
      settle: () => settle(product),
      observe: () => observe(product),
      restartController: async () => {
        await product.killController();
        await product.startController();
      },
      residue: () => residue(product),
    });
  } finally {
    for (const channel of [toController, ...toNodes.map(([, each]) => each)]) channel.close();
  }
}

async function readAll({ client }: Product) {
  const [volumes, copies, records, snapshots] = await Promise.all([
    client.list('Volume'),
    client.list('VolumeCopy'),
    client.list('VolumeAttachmentRecord'),
    client.list('VolumeSnapshotRecord'),
  ]);
  return { volumes: volumes.items, copies: copies.items, records: records.items, snapshots: snapshots.items };
}

/** Nothing is under way any more, and every copy has what was written. */
async function settle(product: Product): Promise<void> {
  for (let waited = 0; ; waited += LOOK_MS) {
    // An API that has just been started anew may not answer yet.
    const seen = await readAll(product).catch((error: unknown) => {
      if (isAppError(error, 'unavailable')) return undefined;
      throw error;
    });
    if (seen !== undefined && isAtRest(seen)) return;
    if (waited > SETTLE_MS) throw new Error(`nothing comes to rest: ${JSON.stringify(seen)}`);
    await pause(LOOK_MS);
  }
}

function isAtRest({ volumes, copies, records, snapshots }: Awaited<ReturnType<typeof readAll>>): boolean {
  const all = [...volumes, ...copies, ...records, ...snapshots];
  return (
    all.every(({ metadata }) => metadata.deletionTimestamp === undefined) &&
    volumes.every(({ spec, status }) => status?.size === spec.size && isRedundant(status)) &&
    records.every(({ status }) => status?.state === 'Mounted' && status.connectedCopies === status.copies) &&
    snapshots.every(({ status }) => status?.phase === 'Ready' || status?.phase === 'Failed')
  );
}

const isRedundant = (status: Resource<'Volume'>['status']): boolean =>
  status?.conditions?.some((each) => each.type === 'Redundant' && each.status === 'True') === true;

async function observe(product: Product): Promise<Observed> {
  const { lab } = product;
  const { volumes, copies, records, snapshots } = await readAll(product);
  const tables = await Promise.all(
    NODES.map(async (node) => (await lab.host(node).mounts.list()).map(({ target }) => `${node} ${target}`)),
  );
  const targets = new Set(tables.flat());
  const places = VOLUMES.flatMap((volume) => NODES.map((node) => ({ volume, node, place: `${volume}@${node}` })));
  const pods = places.flatMap((each) => PODS.map((pod) => ({ ...each, pod })));
  const data = volumes.map(async ({ metadata: { name } }) => {
    const own = copies.filter(({ spec }) => spec.volume === name && spec.role === 'data');
    const found = await Promise.all(own.map((copy) => readToken(product, copy)));
    return [name, [...new Set(found)].toSorted().join(' and ')] as const;
  });
  return {
    volumes: Object.fromEntries(volumes.map(({ metadata, spec }) => [metadata.name, parseQuantity(spec.size) / GIB])),
    snapshots: snapshots
      .filter(({ metadata, status }) => !metadata.name.startsWith('clone-for-') && status?.phase === 'Ready')
      .map(({ metadata }) => metadata.name),
    groups: [],
    attached: records.map(({ spec }) => `${spec.volume}@${spec.node}`),
    staged: places
      .filter(({ volume, node }) => targets.has(`${node} ${stagingPath(ROOT, volume)}/volume`))
      .map(({ place }) => place),
    bound: pods
      .filter(({ volume, node, pod }) => targets.has(`${node} ${podPath(ROOT, volume, pod)}`))
      .map(({ place, pod }) => `${place}/${pod}`),
    data: Object.fromEntries(await Promise.all(data)),
  };
}

/** What a copy itself holds, without GlusterFS. */
async function readToken({ lab }: Product, { metadata, spec, status }: Resource<'VolumeCopy'>): Promise<string> {
  const brick = status?.path;
  if (brick === undefined) throw new Error(`copy ${metadata.name} has no path`);
  const { files } = lab.host(spec.node);
  if ((await files.stat(brick)) === undefined) return `copy ${metadata.name} is gone`;
  const path = `${brick}/${TOKEN}`;
  return (await files.stat(path)) === undefined ? '' : files.readText(path);
}

async function residue(product: Product): Promise<readonly string[]> {
  const left = Object.values(await readAll(product)).flat();
  const mounts = await Promise.all(NODES.map((node) => product.attempt(node, 'find', ROOT, '-path', '*/pods/*/vol-*')));
  return [
    ...left.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
    ...mounts.flatMap(({ stdout }) => stdout.split('\n').filter((line) => line !== '')),
    ...(await residueOf(product)),
  ];
}
