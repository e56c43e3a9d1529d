/** The stored objects as they would be a few seconds after nodes were lost. */
import type { StorageNode } from '../../schemas/storage-node.ts';
import type { Volume } from '../../schemas/volume.ts';
import { isUsable } from '../node/is-usable.ts';
import { CLUSTER_NAME } from '../plan/diff-plan.ts';
import { needsPool } from '../volume/replica-sets.ts';
import type { StoredCluster } from './stored-cluster.ts';

const ENGINE = 'gluster';

/** GlusterFS's server quorum: nodes that are cut off from half of the pool or more stop their bricks. */
export interface ServerQuorum {
  /** Members of the pool whose engine can be reached. */
  readonly active: number;
  readonly members: number;
  readonly isMet: boolean;
}

/** Counts the members of the engine's pool; every known node is one as long as nobody has reported the pool. */
export function serverQuorum(stored: StoredCluster): ServerQuorum {
  const members = poolMembers(stored);
  const usable = new Set(stored.nodes.filter((node) => isUsable(node, ENGINE)).map((node) => node.metadata.name));
  const active = [...members].filter((name) => usable.has(name)).length;
  return { active, members: members.size, isMet: active * 2 > members.size };
}

function poolMembers({ clusters, nodes }: StoredCluster): ReadonlySet<string> {
  const cluster = clusters.find((candidate) => candidate.metadata.name === CLUSTER_NAME);
  const peers = cluster?.status?.peers;
  if (peers !== undefined) return new Set([peers.observedBy, ...peers.connected, ...peers.disconnected]);
  return new Set(cluster?.spec.nodes ?? nodes.map((node) => node.metadata.name ?? ''));
}

/** What would be stored once controller and agents had seen that these nodes are gone. Unknown names change nothing. */
export function loseNodes(stored: StoredCluster, names: ReadonlySet<string>): StoredCluster {
  if (!stored.nodes.some((node) => names.has(node.metadata.name ?? ''))) return stored;
  const after = {
    ...stored,
    nodes: stored.nodes.map((node) => (names.has(node.metadata.name ?? '') ? silenced(node) : node)),
  };
  if (serverQuorum(after).isMet) return after;
  return { ...after, volumes: after.volumes.map(withoutBricks) };
}

/** As the controller writes it when the heartbeat stops. */
function silenced(node: StorageNode): StorageNode {
  const conditions = node.status?.conditions?.map((condition) =>
    condition.type === 'Ready' ? { ...condition, status: 'Unknown' as const, reason: 'HeartbeatLost' } : condition,
  );
  return conditions === undefined ? node : { ...node, status: { ...node.status, conditions } };
}

function withoutBricks(volume: Volume): Volume {
  const engine = volume.status?.engine;
  if (engine === undefined || !needsPool(volume.spec, volume.status?.placement ?? [])) return volume;
  const bricks = engine.bricks.map((brick) => ({ ...brick, isOnline: false }));
  return { ...volume, status: { ...volume.status, engine: { ...engine, bricks } } };
}
