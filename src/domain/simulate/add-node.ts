/** What another node would make possible. Nothing is changed by asking. */
import type { StorageNode } from '../../schemas/storage-node.ts';
import type { Volume } from '../../schemas/volume.ts';
import { MIB } from '../bytes.ts';
import { placementInput } from '../placement/from-resources.ts';
import { roomOf } from '../placement/model.ts';
import { canPlace } from '../placement/smallest-change.ts';
import { CLUSTER_NAME } from '../plan/diff-plan.ts';
import { MIN_VOLUME_BYTES, poolBytesOf } from '../volume/copy-size.ts';
import { DEFAULT_REPLICAS } from '../volume/replica-sets.ts';
import { imaginedCopy, placeVolume, promisedCopies } from './see-volume.ts';
import type { StoredCluster } from './stored-cluster.ts';

export interface NewNode {
  readonly name: string;
  readonly zone?: string;
  /** Each taken to be wholly free. */
  readonly pools: readonly { readonly name: string; readonly bytes: number }[];
}

export interface BiggestVolume {
  readonly pool: string;
  /** Bytes, in whole MiB; 0 when not even the smallest volume fits. */
  readonly before: number;
  readonly after: number;
}

export interface WaitingVolume {
  readonly volume: string;
  readonly size: string;
  /** before: it has room already; after: with the new node; no: not even then. */
  readonly fits: 'before' | 'after' | 'no';
  readonly nodes: readonly string[];
  /** Why not even then, and what would help. */
  readonly message?: string;
  readonly smallestChange?: string;
}

export interface AddedNodeReport {
  readonly node: NewNode;
  /** The biggest volume of {@link DEFAULT_REPLICAS} copies beside what is placed now, for each pool of the new node. */
  readonly biggest: readonly BiggestVolume[];
  readonly replicas: number;
  /** Volumes that have no place yet, the oldest first; a place that one takes the next cannot have. */
  readonly waiting: readonly WaitingVolume[];
}

/** Answers `holdfast simulate add-node`. */
export function simulateAddedNode(stored: StoredCluster, node: NewNode): AddedNodeReport {
  const after = addNode(stored, node);
  return {
    node,
    biggest: node.pools.map(({ name }) => ({
      pool: name,
      before: biggestVolume(stored, name),
      after: biggestVolume(after, name),
    })),
    replicas: DEFAULT_REPLICAS,
    waiting: placeWaiting(stored, node),
  };
}

/** The stored objects as they would be once the node had joined and reported. */
export function addNode(stored: StoredCluster, node: NewNode): StoredCluster {
  const clusters = stored.clusters.map((cluster) => {
    if (cluster.metadata.name !== CLUSTER_NAME) return cluster;
    const spec = { ...cluster.spec, nodes: [...cluster.spec.nodes, node.name] };
    const peers = cluster.status?.peers;
    if (peers === undefined) return { ...cluster, spec };
    const joined = { ...peers, connected: [...peers.connected, node.name] };
    return { ...cluster, spec, status: { ...cluster.status, peers: joined } };
  });
  return { ...stored, clusters, nodes: [...stored.nodes, readyNode(node)] };
}

function readyNode({ name, zone, pools }: NewNode): StorageNode {
  const paths = pools.map((pool) => ({ name: pool.name, path: `/${pool.name}` }));
  return {
    apiVersion: 'holdfast.dev/v1alpha1',
    kind: 'StorageNode',
    metadata: { name },
    // No placement looks at addresses and paths; the schema wants some.
    spec: { addresses: { ip: '0.0.0.0' }, pools: paths, ...(zone === undefined ? {} : { zone }) },
    status: {
      engines: [{ name: 'gluster', isInstalled: true, isRunning: true }],
      pools: pools.map(({ name: pool, bytes }) => {
        return { name: pool, path: `/${pool}`, isReady: true, capacityBytes: bytes, freeBytes: bytes };
      }),
      conditions: [{ type: 'Ready', status: 'True', reason: 'Simulated', message: '', lastTransitionTime: '' }],
    },
  };
}

/** Size of the biggest volume on image bricks that could be added now: by halving, since what fits smaller fits. */
export function biggestVolume(stored: StoredCluster, pool: string): number {
  const spec = { engine: 'gluster', layout: 'replicated', brick: 'image', replicas: DEFAULT_REPLICAS, pool } as const;
  const input = placementInput({ name: 'new', spec: { ...spec, size: '1Gi' } }, stored.nodes, promisedCopies(stored));
  const fits = (mib: number) => {
    const data = poolBytesOf({ brick: 'image' }, mib * MIB);
    return canPlace({ ...input, request: { ...input.request, sizeBytes: { data, arbiter: data } } });
  };
  const pools = input.nodes.flatMap((node) => node.pools.filter((each) => each.name === pool));
  let low = MIN_VOLUME_BYTES / MIB;
  let high = Math.floor(Math.max(0, ...pools.map(roomOf)) / MIB) + 1;
  if (!fits(low)) return 0;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low * MIB;
}

/**
 * Those that have room already take it before the node comes, as the controller would place them at once. Without that
 * order a new node could seem to push a volume out: another one, bigger and older, would take its room.
 */
function placeWaiting(stored: StoredCluster, node: NewNode): readonly WaitingVolume[] {
  const waiting = stored.volumes.filter(isWaiting).toSorted(byAge);
  const found = new Map<string, WaitingVolume>();
  let world = { ...stored, copies: promisedCopies(stored) };
  for (const fits of ['before', 'after'] as const) {
    if (fits === 'after') world = addNode(world, node);
    for (const volume of waiting) {
      const { name = '' } = volume.metadata;
      if (found.get(name)?.fits === 'before') continue;
      const result = placeVolume(world, volume);
      const row = { volume: name, size: volume.spec.size };
      if (!result.ok) {
        const { message, smallestChange } = result;
        found.set(name, { ...row, fits: 'no', nodes: [], message, smallestChange });
        continue;
      }
      world = { ...world, copies: [...world.copies, ...result.placed.map((placed) => imaginedCopy(volume, placed))] };
      found.set(name, { ...row, fits, nodes: result.placed.map((placed) => placed.node) });
    }
  }
  return waiting.flatMap((volume) => found.get(volume.metadata.name ?? '') ?? []);
}

function isWaiting({ metadata, status }: Volume): boolean {
  return metadata.deletionTimestamp === undefined && (status?.placement ?? []).length === 0;
}

function byAge(a: Volume, b: Volume): number {
  const key = ({ metadata }: Volume) => `${metadata.creationTimestamp ?? ''} ${metadata.name ?? ''}`;
  return key(a) < key(b) ? -1 : 1;
}
