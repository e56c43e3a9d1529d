/** Pools as samples, with the numbers that placement itself goes by. Pure. */
import type { StorageNode } from '../../schemas/storage-node.ts';
import type { Volume } from '../../schemas/volume.ts';
import type { VolumeCopy } from '../../schemas/volume-copy.ts';
import type { VolumeSnapshotRecord } from '../../schemas/volume-snapshot-record.ts';
import { placementNode } from '../placement/from-resources.ts';
import { type PlacementPool, roomOf } from '../placement/model.ts';
import { snapshotPromises } from '../snapshot/snapshot-promises.ts';
import { unrecordedCopies } from '../volume/promised-copies.ts';
import { type ClusterMetricName, type Sample, sample } from './definitions.ts';
import { asNumber } from './node-samples.ts';

type PoolMetricName = Extract<ClusterMetricName, `holdfast_pool_${string}`>;

interface Objects {
  readonly nodes: readonly StorageNode[];
  readonly volumes: readonly Volume[];
  readonly copies: readonly VolumeCopy[];
  readonly snapshots: readonly VolumeSnapshotRecord[];
}

interface SeenPool {
  readonly labels: { readonly node: string; readonly pool: string };
  readonly pool: PlacementPool;
  /** An agent has told its sizes. */
  readonly isTold: boolean;
}

/** A pool that no agent has told of has no sizes, only that it is not ready. Pools are looked at once for all readers. */
export function poolReaders(objects: Objects): Readonly<Record<PoolMetricName, () => readonly Sample[]>> {
  let seen: readonly SeenPool[] | undefined;
  const pools = (): readonly SeenPool[] => {
    seen ??= seePools(objects);
    return seen;
  };
  const size = (name: PoolMetricName, bytesOf: (pool: PlacementPool) => number) => () =>
    pools()
      .filter(({ isTold }) => isTold)
      .map(({ labels, pool }) => sample(name, labels, bytesOf(pool)));
  return {
    holdfast_pool_ready: () =>
      pools().map(({ labels, pool }) => sample('holdfast_pool_ready', labels, asNumber(pool.isReady))),
    holdfast_pool_size_bytes: size('holdfast_pool_size_bytes', (pool) => pool.capacityBytes),
    holdfast_pool_free_bytes: size('holdfast_pool_free_bytes', (pool) => pool.freeBytes),
    holdfast_pool_promised_bytes: size('holdfast_pool_promised_bytes', (pool) => pool.committedBytes),
    holdfast_pool_room_bytes: size('holdfast_pool_room_bytes', roomOf),
  };
}

function seePools({ nodes, volumes, copies, snapshots }: Objects): readonly SeenPool[] {
  const byNode = Map.groupBy(copies, ({ spec }) => spec.node);
  const promised = [...unrecordedCopies(beingPlaced(volumes, copies), copies), ...snapshotPromises(snapshots)];
  const promisedByNode = Map.groupBy(promised, ({ spec }) => spec.node);
  return nodes.flatMap((object) => {
    const node = object.metadata.name ?? '';
    const here = [...(byNode.get(node) ?? []), ...(promisedByNode.get(node) ?? [])];
    const told = new Set(object.status?.pools?.map(({ name }) => name));
    // Which engine is asked about tells only whether it runs.
    return placementNode(object, here, '').pools.map((pool) => {
      return { labels: { node, pool: pool.name }, pool, isTold: told.has(pool.name) };
    });
  });
}

/** Those with a place for a copy that is not recorded yet: of many volumes, few. */
function beingPlaced(volumes: readonly Volume[], copies: readonly VolumeCopy[]): readonly Volume[] {
  const known = new Set(copies.map(({ metadata }) => metadata.name));
  return volumes.filter(({ status }) =>
    [...(status?.placement ?? []), ...(status?.restore?.placement ?? [])].some(({ copy }) => !known.has(copy)),
  );
}
