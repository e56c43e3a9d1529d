/** What lives below real controllers and agents have in common, whichever engine they are about. */
import { setTimeout as pause } from 'node:timers/promises';
import { sha256 } from '../../src/adapters/ledger/sha256.ts';
import type { AgentOptions } from '../../src/controllers/agent/run-agent.ts';
import type { ServedExport } from '../../src/domain/nfs-export/served-export.ts';
import { createFakeCluster } from '../../src/engines/gluster/cluster.fake.ts';
import { createFakeGlusterEngine } from '../../src/engines/gluster/engine.fake.ts';
import { createFakeFencing } from '../../src/engines/gluster/fencing.fake.ts';
import { createFakeSnapshots } from '../../src/engines/gluster/snapshots.fake.ts';
import { createFakeFileServer } from '../../src/engines/nfs/file-server.fake.ts';
import { createNfsEngine } from '../../src/engines/nfs/index.ts';
import { createFakeEncryption } from '../../src/ports/encryption.fake.ts';
import type { ExportLook } from '../../src/ports/nfs-server.ts';
import { createFakeEngineDoctor, createFakeNodeSenses } from '../../src/ports/node-doctor.fake.ts';
import type { Resource, ResourceClient } from '../../src/ports/resource-client.ts';
import { createFakeVolumeWork } from '../../src/ports/volume-work.fake.ts';

/** On a machine that does other things as well. */
export const SETTLE_MS = 60_000;
const LOOK_MS = 20;
/** The API in memory is never silent. */
export const IDLE_MS = 24 * 3_600_000;
export const BACK_OFF = { 'grpc.initial_reconnect_backoff_ms': 5, 'grpc.max_reconnect_backoff_ms': 20 };

type Asked = 'client' | 'clock' | 'random' | 'log' | 'watchIdleMs' | 'identity' | 'host' | 'engines' | 'snapshots';

interface UnaskedParts extends Omit<AgentOptions, Asked> {
  readonly engines: Pick<AgentOptions['engines'], 'gluster' | 'nfs'>;
  readonly snapshots: Pick<AgentOptions['snapshots'], 'gluster'>;
}

/** The parts of an agent that a life asks for nothing, as models. */
export function unasked(node: string): UnaskedParts {
  const gluster = createFakeCluster([node]);
  return {
    engines: {
      gluster: createFakeGlusterEngine(gluster, node),
      nfs: createNfsEngine({ ...createFakeFileServer().machine(node), hash: sha256 }),
    },
    snapshots: { gluster: createFakeSnapshots(gluster).engine(node) },
    work: createFakeVolumeWork(),
    fencing: createFakeFencing(gluster, node),
    encryption: createFakeEncryption(),
    nfs: { serve: serveNothing },
    doctor: createFakeEngineDoctor(),
    senses: createFakeNodeSenses(),
  };
}

/** Lives have no exports. */
async function serveNothing(exports: readonly ServedExport[]): Promise<readonly ExportLook[]> {
  if (exports.length > 0) throw new Error(`nobody asked for ${exports.map(({ path }) => path).join(', ')}`);
  return [];
}

export interface LifeObjects {
  readonly volumes: readonly Resource<'Volume'>[];
  readonly copies: readonly Resource<'VolumeCopy'>[];
  readonly records: readonly Resource<'VolumeAttachmentRecord'>[];
  readonly snapshots: readonly Resource<'VolumeSnapshotRecord'>[];
  readonly groups: readonly Resource<'VolumeGroupSnapshotRecord'>[];
}

/** All objects that a life is about. */
export async function readAll(client: ResourceClient): Promise<LifeObjects> {
  const [volumes, copies, records, snapshots, groups] = await Promise.all([
    client.list('Volume'),
    client.list('VolumeCopy'),
    client.list('VolumeAttachmentRecord'),
    client.list('VolumeSnapshotRecord'),
    client.list('VolumeGroupSnapshotRecord'),
  ]);
  const taken = { snapshots: snapshots.items, groups: groups.items };
  return { volumes: volumes.items, copies: copies.items, records: records.items, ...taken };
}

/** Kind and name of each. */
export function describeAll({ volumes, copies, records, snapshots, groups }: LifeObjects): readonly string[] {
  return [...volumes, ...copies, ...records, ...snapshots, ...groups].map(
    ({ kind, metadata }) => `${kind} ${metadata.name}`,
  );
}

/** Returns when all of them are as they are to be. @throws {Error} with them, where that does not happen */
export async function settle(client: ResourceClient): Promise<void> {
  for (let waited = 0; ; waited += LOOK_MS) {
    const { volumes, copies, records, snapshots, groups } = await readAll(client);
    const all = [...volumes, ...copies, ...records, ...snapshots, ...groups];
    const isSettled =
      all.every(({ metadata }) => metadata.deletionTimestamp === undefined) &&
      volumes.every(({ spec, status }) => status?.phase === 'Ready' && status.size === spec.size) &&
      records.every(({ status }) => status?.state === 'Mounted') &&
      [...snapshots, ...groups].every(({ status }) => status?.phase === 'Ready' || status?.phase === 'Failed');
    if (isSettled) return;
    if (waited > SETTLE_MS) throw new Error(`nothing comes to rest: ${JSON.stringify(all)}`);
    await pause(LOOK_MS);
  }
}
