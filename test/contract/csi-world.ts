/**
 * Both CSI services on real sockets, over the real use cases; the controllers and agents that carry out what is written into the
 * API are played by the least that does so.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { sha256 } from '../../src/adapters/ledger/sha256.ts';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { parseQuantity } from '../../src/domain/bytes.ts';
import { isAppError } from '../../src/domain/errors.ts';
import { VOLUME_FINALIZER } from '../../src/domain/finalizers.ts';
import { profileOf } from '../../src/domain/volume/profile.ts';
import { wantedCopies } from '../../src/domain/volume/replica-sets.ts';
import { createKeyedMutex } from '../../src/engines/image/keyed-mutex.ts';
import { createFakeLogger, type FakeLogger } from '../../src/ports/logger.fake.ts';
import type { LogFields } from '../../src/ports/logger.ts';
import { createSeededRandom } from '../../src/ports/random.fake.ts';
import type { Resource, ResourceClient } from '../../src/ports/resource-client.ts';
import type { KindName } from '../../src/schemas/kinds.ts';
import type { PlacedCopy } from '../../src/schemas/volume.ts';
import { serveCsiController, serveCsiNode } from '../../src/shells/csi/serve-csi.ts';
import { createFakeCluster, type FakeCluster } from '../../src/usecases/cluster.fake.ts';
import { type CsiHost, createCsiHost } from './csi-host.ts';

export const TARGET_ROOT = '/var/lib/kubelet';
const GIB = 1024 ** 3;
const NODE = {
  engines: ['gluster', 'local'].map((name) => ({
    name,
    isInstalled: true,
    isRunning: true,
    abilities: ['btrfs', 'fscrypt'],
  })),
  pools: [
    {
      ...{ name: 'default', path: '/mnt/glusterVolume0', isReady: true, hasReflink: true },
      ...{ capacityBytes: 10 * GIB, freeBytes: 9 * GIB },
    },
  ],
};

export interface CsiWorld {
  readonly client: ResourceClient;
  readonly host: CsiHost;
  readonly log: FakeLogger;
  readonly controllerSocket: string;
  readonly nodeSocket: string;
  /** All hosts with a node service, by name; `host` is the first of them. */
  readonly hosts: ReadonlyMap<string, CsiHost>;
  readonly nodeSockets: ReadonlyMap<string, string>;
  /** What volumes and snapshots hold, by `volume NAME` and `snapshot NAME`: a clone begins with what its source held. */
  readonly data: Map<string, string>;
  /** Volumes that are made from now on do not get ready, nor are any mounted, before the returned function is called. */
  holdBack(): () => void;
  /** A node more, with a pool like those of the others. */
  addNode(name: string, zone: string): Promise<void>;
  /** Ends the controller service, with the calls under way, and starts another one on the same socket. */
  restartController(): Promise<void>;
  stop(): Promise<void>;
}

export interface CsiWorldOptions {
  /** Nodes with a node service. */
  readonly nodes?: readonly string[];
  /** Between the services and the API: to change the order in which things happen. */
  readonly around?: (client: ResourceClient) => ResourceClient;
  /** The machine below a node service; one in memory when left out. */
  readonly hostOf?: (node: string) => CsiHost;
  /** Who mounts on it; the machine in memory by itself when left out. */
  readonly mounter?: Mounter;
}

/** What agents do of volumes where something is really mounted. */
export interface Mounter {
  mount(volume: Resource<'Volume'>, mountPath: string): Promise<void>;
  unmount(mountPath: string): Promise<void>;
  /** Called before a volume goes, maybe more than once: what it holds on a file server. */
  letGo(volume: Resource<'Volume'>): Promise<void>;
}

/** Starts the controller service for three nodes, and the node services of some. */
export async function startCsiWorld({
  nodes = ['kube1'],
  around = (client) => client,
  hostOf = (node) => createCsiHost(node, [TARGET_ROOT]),
  mounter,
}: CsiWorldOptions = {}): Promise<CsiWorld> {
  const cluster: Cluster = { ...(await createFakeCluster()), firstRoles: new Map() };
  for (const node of ['kube1', 'kube2', 'kube3']) await cluster.addNode(node, NODE);
  const { client } = cluster;
  const clock = createSystemClock();
  const log = createFakeLogger();
  const hosts = new Map(nodes.map((node) => [node, hostOf(node)]));
  const host = hosts.values().next().value;
  if (host === undefined) throw new Error('a world has at least one node');
  const data = new Map<string, string>();
  const stop = new AbortController();
  const { signal } = stop;
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-csi-'));
  const controllerSocket = join(folder, 'controller.sock');
  const nodeSockets = new Map(nodes.map((node) => [node, join(folder, `${node}.sock`)]));
  let gate: Promise<void> = Promise.resolve();
  // What is mounted, and what is taken away, of one volume: one after the other, as an agent does it.
  const turns = createKeyedMutex();
  const hands = [
    follow(client, 'Volume', signal, async (volume) => {
      if (volume.status?.phase === undefined) await gate;
      const { deletionTimestamp, name } = volume.metadata;
      if (deletionTimestamp !== undefined && mounter !== undefined) await turns.run(name, () => mounter.letGo(volume));
      await keepVolume(cluster, volume, data);
    }),
    follow(client, 'VolumeAttachmentRecord', signal, async (record) => {
      if (record.status === undefined) await gate;
      await turns.run(record.spec.volume, async () => {
        // As it is when its turn has come: an earlier one may have mounted it, and it may be gone with its volume since.
        const now = await client.get(record.kind, record.metadata.name);
        if (now?.metadata.uid === record.metadata.uid) await keepAttachment({ client, hosts, mounter }, now);
      });
    }),
    follow(client, 'VolumeSnapshotRecord', signal, (record) => keepSnapshot(client, record, data)),
    follow(client, 'VolumeGroupSnapshotRecord', signal, (record) => keepGroup(client, record, data)),
  ];
  const common = {
    client: around(client),
    clock,
    random: createSeededRandom(1),
    version: 'test',
    probe: async () => undefined,
  };
  const startController = () =>
    serving(log, signal, (own, until) =>
      serveCsiController({ ...common, log: own, socketPath: controllerSocket, sha256 }, until),
    );
  let controller = await startController();
  const services = await Promise.all(
    [...hosts].map(([node, machine]) =>
      serving(log, signal, (own, until) => {
        const socketPath = nodeSockets.get(node) ?? '';
        return serveCsiNode({ ...common, log: own, socketPath, host: machine, node, targetRoot: TARGET_ROOT }, until);
      }),
    ),
  );
  return {
    ...{ client, host, hosts, log, controllerSocket, nodeSockets, data },
    nodeSocket: nodeSockets.get(host.name) ?? '',
    restartController: async () => {
      await controller.stop();
      controller = await startController();
    },
    holdBack: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
    addNode: async (name, zone) => {
      await cluster.addNode(name);
      await client.patch('StorageNode', name, { spec: { zone } });
    },
    stop: async () => {
      stop.abort();
      await Promise.all([controller.stop(), ...services.map((service) => service.stop()), ...hands]);
      await rm(folder, { recursive: true });
    },
  };
}

export interface Service {
  stop(): Promise<void>;
}

/** Returns when the service listens. */
export async function serving(
  log: FakeLogger,
  signal: AbortSignal,
  serve: (log: FakeLogger, until: AbortSignal) => Promise<void>,
): Promise<Service> {
  const served = Promise.withResolvers<void>();
  const stop = new AbortController();
  const own = {
    ...log,
    info: (message: string, fields?: LogFields) => {
      log.info(message, fields);
      if (message === 'CSI is served') served.resolve();
    },
  };
  const ended = serve(own, AbortSignal.any([signal, stop.signal]));
  await Promise.race([served.promise, ended]);
  return {
    stop: async () => {
      stop.abort();
      await ended;
    },
  };
}

interface Cluster extends FakeCluster {
  /** The copies that a volume was made with, by its UID. */
  readonly firstRoles: Map<string, string>;
}

async function follow<K extends KindName>(
  client: ResourceClient,
  kind: K,
  signal: AbortSignal,
  act: (object: Resource<K>) => Promise<void>,
): Promise<void> {
  const { items, resourceVersion } = await client.list(kind);
  for (const item of items) await act(item);
  for await (const event of client.watch(kind, { resourceVersion, signal })) {
    if (event.type === 'BOOKMARK' || event.type === 'DELETED') continue;
    const now = await client.get(kind, event.object.metadata.name);
    if (now?.metadata.uid !== event.object.metadata.uid) continue;
    void act(now).catch((error: unknown) => {
      // It is gone, or has been made anew, since it was read: another event tells of that.
      if (!isAppError(error, 'notFound') && !isAppError(error, 'conflict')) throw error;
    });
  }
}

async function keepVolume(
  cluster: Cluster,
  { metadata, spec, status }: Resource<'Volume'>,
  data: Map<string, string>,
): Promise<void> {
  const { client, makeReady } = cluster;
  const { name, uid } = metadata;
  if (metadata.deletionTimestamp !== undefined) return letVolumeGo(client, { metadata });
  if ((metadata.finalizers ?? []).length === 0) {
    // As the controller does before anything is made for a volume: clones come without one.
    await client.patch('Volume', name, { metadata: { finalizers: [VOLUME_FINALIZER] } }, { uid });
    return;
  }
  const placement = placementOf(cluster, { name, uid }, { spec, status });
  const profile = profileOf(spec);
  if (isSettled(status, { size: spec.size, profile, placement })) return;
  if (status?.size === undefined) data.set(`volume ${name}`, data.get(`snapshot ${spec.source?.snapshot}`) ?? '');
  const engine = { observedBy: 'kube1', epoch: 1, state: 'Started' as const, engineId: 'e1', bricks: [], profile };
  await keepCopies(client, placement, { metadata, spec });
  await makeReady(name, { size: spec.size, grantedSize: spec.size, placement, engine });
}

function isSettled(
  status: Resource<'Volume'>['status'],
  wanted: { readonly size: string; readonly profile: string; readonly placement: readonly PlacedCopy[] },
): boolean {
  if (status?.size === undefined || parseQuantity(status.size) !== parseQuantity(wanted.size)) return false;
  return status.engine?.profile === wanted.profile && isDeepStrictEqual(status.placement, wanted.placement);
}

/**
 * The one copy of a local volume, on the node that it has to be on. Of others told only of a volume that was converted: their
 * copies are no objects here, as a snapshot would want them.
 */
function placementOf(
  { firstRoles }: Cluster,
  { name, uid }: { readonly name: string; readonly uid: string },
  { spec, status }: Pick<Resource<'Volume'>, 'spec' | 'status'>,
): PlacedCopy[] {
  if (spec.engine === 'local') {
    return [{ copy: `${name}-0`, node: spec.nodes?.[0] ?? 'kube1', pool: 'default', role: 'data' }];
  }
  const roles = wantedCopies(spec).map(({ role }) => role);
  const first = firstRoles.get(uid) ?? roles.join();
  firstRoles.set(uid, first);
  if (first === roles.join() && (status?.placement ?? []).length === 0) return [];
  const nodes = ['kube1', 'kube2', 'kube3'];
  const on = (index: number) => ({ node: nodes[index % nodes.length] ?? 'kube1', pool: 'default' });
  return roles.map((role, index) => ({ copy: `${name}-${index}`, ...on(index), role }));
}

async function letVolumeGo(
  client: ResourceClient,
  { metadata: { name, uid, finalizers = [] } }: Pick<Resource<'Volume'>, 'metadata'>,
): Promise<void> {
  for (const { metadata, spec } of (await client.list('VolumeCopy')).items) {
    if (spec.volumeUid === uid) await client.delete('VolumeCopy', metadata.name).catch(unlessGone);
  }
  if (finalizers.length > 0) await client.patch('Volume', name, { metadata: { finalizers: [] } }, { uid });
}

/** Those of local volumes are objects. */
async function keepCopies(
  client: ResourceClient,
  placement: readonly PlacedCopy[],
  volume: Pick<Resource<'Volume'>, 'metadata' | 'spec'>,
): Promise<void> {
  if (volume.spec.engine !== 'local') return;
  for (const { copy, node } of placement) await keepCopy(client, { name: copy, node }, volume);
}

async function keepCopy(
  client: ResourceClient,
  { name, node }: { readonly name: string; readonly node: string },
  { metadata, spec }: Pick<Resource<'Volume'>, 'metadata' | 'spec'>,
): Promise<void> {
  const { engine, brick } = spec;
  const place = {
    volume: metadata.name,
    volumeUid: metadata.uid,
    node,
    pool: 'default',
    role: 'data',
    index: 0,
  } as const;
  const sizeBytes = parseQuantity(spec.size);
  if ((await client.get('VolumeCopy', name)) === undefined) {
    await client.create('VolumeCopy', { metadata: { name }, spec: { ...place, engine, brick, sizeBytes } });
    const now = await client.get('Volume', metadata.name);
    // Whoever lets the volume go may have looked for copies before this one was there.
    if (now?.metadata.uid !== metadata.uid || now.metadata.deletionTimestamp !== undefined) {
      return client.delete('VolumeCopy', name).catch(unlessGone);
    }
  }
  const status = { state: 'Ready', sizeBytes, bootId: `boot-${node}` };
  await client.patch('VolumeCopy', name, { status }, { subresource: 'status' });
}

function mountInMemory(
  host: CsiHost,
  { volume, mountPath }: Resource<'VolumeAttachmentRecord'>['spec'],
  brick: Resource<'Volume'>['spec']['brick'] | undefined,
): void {
  if (brick === 'directory') host.bindDirectory(volume, mountPath);
  else if (brick === 'block') host.bindDevice(`loop${volume.length}`, mountPath);
  else host.mountVolume(volume, mountPath);
}

interface Hands {
  readonly client: ResourceClient;
  readonly hosts: ReadonlyMap<string, CsiHost>;
  readonly mounter: Mounter | undefined;
}

async function keepAttachment(
  { client, hosts, mounter }: Hands,
  { metadata, spec, status }: Resource<'VolumeAttachmentRecord'>,
): Promise<void> {
  const { name, uid } = metadata;
  const kind = 'VolumeAttachmentRecord';
  if (metadata.deletionTimestamp !== undefined) {
    if (mounter === undefined) hosts.get(spec.node)?.unmountVolume(spec.mountPath);
    else await mounter.unmount(spec.mountPath);
    if ((metadata.finalizers ?? []).length > 0)
      await client.patch(kind, name, { metadata: { finalizers: [] } }, { uid });
    return;
  }
  const host = hosts.get(spec.node);
  if (status?.state === 'Mounted' || host === undefined) return;
  const volume = await client.get('Volume', spec.volume);
  if (mounter === undefined || volume === undefined) mountInMemory(host, spec, volume?.spec.brick);
  else await mounter.mount(volume, spec.mountPath);
  const mounted = { state: 'Mounted', connectedCopies: 3, copies: 3 };
  await client.patch(kind, name, { status: mounted }, { subresource: 'status', uid });
}

async function keepSnapshot(
  client: ResourceClient,
  { metadata, spec, status }: Resource<'VolumeSnapshotRecord'>,
  data: Map<string, string>,
): Promise<void> {
  if (status?.phase !== undefined || metadata.deletionTimestamp !== undefined || spec.group !== undefined) return;
  await takeSnapshot(client, { metadata, spec }, data);
}

async function takeSnapshot(
  client: ResourceClient,
  { metadata, spec }: Pick<Resource<'VolumeSnapshotRecord'>, 'metadata' | 'spec'>,
  data: Map<string, string>,
): Promise<void> {
  const volume = await client.get('Volume', spec.volume);
  if (volume === undefined) {
    const failed = { status: { phase: 'Failed', message: 'its volume is gone' } } as const;
    await client.patch('VolumeSnapshotRecord', metadata.name, failed, { subresource: 'status', uid: metadata.uid });
    return;
  }
  data.set(`snapshot ${metadata.name}`, data.get(`volume ${spec.volume}`) ?? '');
  const taken = { phase: 'Ready', takenAt: '2026-01-01T00:00:00.250Z', volumeSpec: volume.spec };
  const sizeBytes = parseQuantity(volume.spec.size);
  const images = (volume.status?.placement ?? []).map(({ copy, node, pool, role }) => {
    return [copy, { node, pool, role, uid: copy, index: 0, sizeBytes, state: 'Taken' }];
  });
  await client.patch(
    'VolumeSnapshotRecord',
    metadata.name,
    { status: { ...taken, sizeBytes, copies: Object.fromEntries(images) } },
    { subresource: 'status', uid: metadata.uid },
  );
}

/** Its snapshots are all taken in one step, before anybody can write between them. */
async function keepGroup(
  client: ResourceClient,
  { metadata, spec, status }: Resource<'VolumeGroupSnapshotRecord'>,
  data: Map<string, string>,
): Promise<void> {
  const { name, uid, finalizers = [] } = metadata;
  const kind = 'VolumeGroupSnapshotRecord';
  if (metadata.deletionTimestamp !== undefined) {
    for (const { snapshot } of spec.members) await client.delete('VolumeSnapshotRecord', snapshot).catch(unlessGone);
    if (finalizers.length > 0) await client.patch(kind, name, { metadata: { finalizers: [] } }, { uid });
    return;
  }
  if (status?.phase !== undefined) return;
  if (finalizers.length === 0) {
    await client.patch(kind, name, { metadata: { finalizers: ['holdfast.dev/snapshot-group'] } }, { uid });
    return;
  }
  const volumes = await Promise.all(spec.members.map(({ volume }) => client.get('Volume', volume)));
  if (spec.members.some(({ volumeUid }, index) => volumes[index]?.metadata.uid !== volumeUid)) {
    const failed = { phase: 'Failed', message: 'one of its volumes is gone' };
    await client.patch(kind, name, { status: failed }, { subresource: 'status', uid });
    return;
  }
  for (const { snapshot, volume, volumeUid } of spec.members) {
    const of = { volume, volumeUid, group: { name, uid } };
    const made = await client.create('VolumeSnapshotRecord', { metadata: { name: snapshot }, spec: of });
    await takeSnapshot(client, made, data);
  }
  const taken = { phase: 'Ready', takenAt: '2026-01-01T00:00:00.250Z' };
  await client.patch(kind, name, { status: taken }, { subresource: 'status', uid });
}

function unlessGone(error: unknown): void {
  if (!isAppError(error, 'notFound')) throw error;
}
