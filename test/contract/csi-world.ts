/**
 * Both CSI services on real sockets, over the real use cases; the controllers and agents that carry out what is written into the
 * API are played by the least that does so.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '../../src/adapters/ledger/sha256.ts';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { parseQuantity } from '../../src/domain/bytes.ts';
import { createFakeLogger, type FakeLogger } from '../../src/ports/logger.fake.ts';
import type { LogFields } from '../../src/ports/logger.ts';
import { createSeededRandom } from '../../src/ports/random.fake.ts';
import type { Resource, ResourceClient } from '../../src/ports/resource-client.ts';
import type { KindName } from '../../src/schemas/kinds.ts';
import { serveCsiController, serveCsiNode } from '../../src/shells/csi/serve-csi.ts';
import { createFakeCluster } from '../../src/usecases/cluster.fake.ts';
import { type CsiHost, createCsiHost } from './csi-host.ts';

export const TARGET_ROOT = '/var/lib/kubelet';

export interface CsiWorld {
  readonly client: ResourceClient;
  readonly host: CsiHost;
  readonly log: FakeLogger;
  readonly controllerSocket: string;
  readonly nodeSocket: string;
  /** Volumes that are made from now on do not get ready before the returned function is called. */
  holdBack(): () => void;
  stop(): Promise<void>;
}

/** Starts both services for three nodes; the node service is that of kube1. */
export async function startCsiWorld(): Promise<CsiWorld> {
  const cluster = await createFakeCluster(['kube1', 'kube2', 'kube3']);
  const { client } = cluster;
  const clock = createSystemClock();
  const log = createFakeLogger();
  const host = createCsiHost('kube1', [TARGET_ROOT]);
  const stop = new AbortController();
  const { signal } = stop;
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-csi-'));
  const [controllerSocket, nodeSocket] = [join(folder, 'controller.sock'), join(folder, 'node.sock')];
  let gate: Promise<void> = Promise.resolve();
  const hands = [
    follow(client, 'Volume', signal, async (volume) => {
      if (volume.status?.phase === undefined) await gate;
      await keepVolume(cluster, volume);
    }),
    follow(client, 'VolumeAttachmentRecord', signal, (record) => keepAttachment(client, host, record)),
    follow(client, 'VolumeSnapshotRecord', signal, (record) => keepSnapshot(client, record)),
  ];
  const served = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const logOf = (nth: number) => ({
    ...log,
    info: (message: string, fields?: LogFields) => {
      log.info(message, fields);
      if (message === 'CSI is served') served[nth]?.resolve();
    },
  });
  const common = { client, clock, random: createSeededRandom(1), version: 'test', probe: async () => undefined };
  const servers = [
    serveCsiController({ ...common, log: logOf(0), socketPath: controllerSocket, sha256 }, signal),
    serveCsiNode(
      { ...common, log: logOf(1), socketPath: nodeSocket, host, node: 'kube1', targetRoot: TARGET_ROOT },
      signal,
    ),
  ];
  await Promise.race([Promise.all(served.map(({ promise }) => promise)), Promise.all(servers)]);
  return {
    client,
    host,
    log,
    controllerSocket,
    nodeSocket,
    holdBack: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
    stop: async () => {
      stop.abort();
      await Promise.all([...servers, ...hands]);
      await rm(folder, { recursive: true });
    },
  };
}

type Cluster = Awaited<ReturnType<typeof createFakeCluster>>;

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
    if (now?.metadata.uid === event.object.metadata.uid) void act(now);
  }
}

async function keepVolume(
  { client, makeReady }: Cluster,
  { metadata, spec, status }: Resource<'Volume'>,
): Promise<void> {
  const { name, uid } = metadata;
  if (metadata.deletionTimestamp !== undefined) {
    if ((metadata.finalizers ?? []).length > 0)
      await client.patch('Volume', name, { metadata: { finalizers: [] } }, { uid });
    return;
  }
  if (status?.size !== undefined && parseQuantity(status.size) === parseQuantity(spec.size)) return;
  const engine = { observedBy: 'kube1', epoch: 1, state: 'Started' as const, engineId: 'e1', bricks: [] };
  await makeReady(name, { size: spec.size, grantedSize: spec.size, placement: [], engine });
}

async function keepAttachment(
  client: ResourceClient,
  host: CsiHost,
  { metadata, spec, status }: Resource<'VolumeAttachmentRecord'>,
): Promise<void> {
  const { name, uid } = metadata;
  const kind = 'VolumeAttachmentRecord';
  if (metadata.deletionTimestamp !== undefined) {
    if (spec.node === host.name) host.unmountVolume(spec.mountPath);
    if ((metadata.finalizers ?? []).length > 0)
      await client.patch(kind, name, { metadata: { finalizers: [] } }, { uid });
    return;
  }
  if (status?.state === 'Mounted' || spec.node !== host.name) return;
  host.mountVolume(spec.volume, spec.mountPath);
  const mounted = { state: 'Mounted', connectedCopies: 3, copies: 3 };
  await client.patch(kind, name, { status: mounted }, { subresource: 'status', uid });
}

async function keepSnapshot(
  client: ResourceClient,
  { metadata, spec, status }: Resource<'VolumeSnapshotRecord'>,
): Promise<void> {
  if (status?.phase !== undefined || metadata.deletionTimestamp !== undefined) return;
  const volume = await client.get('Volume', spec.volume);
  if (volume === undefined) return;
  const taken = { phase: 'Ready', takenAt: '2026-01-01T00:00:00.250Z', volumeSpec: volume.spec };
  const sizeBytes = parseQuantity(volume.spec.size);
  await client.patch(
    'VolumeSnapshotRecord',
    metadata.name,
    { status: { ...taken, sizeBytes } },
    { subresource: 'status', uid: metadata.uid },
  );
}
