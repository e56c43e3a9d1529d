/** Reads once all that explanations and simulations look at, and finds in it what a person names. */
import { AppError } from '../../domain/errors.ts';
import { nearest } from '../../domain/nearest.ts';
import type { StoredCluster } from '../../domain/simulate/stored-cluster.ts';
import { snapshotPromises } from '../../domain/snapshot/snapshot-promises.ts';
import type { ResourceClient } from '../../ports/resource-client.ts';

export interface ReadDeps {
  readonly client: ResourceClient;
  readonly signal?: AbortSignal;
}

/** Everything that is stored about the cluster, from one read of each kind. */
export async function readCluster({ client, signal }: ReadDeps): Promise<StoredCluster> {
  const scope = signal === undefined ? {} : { signal };
  const [clusters, nodes, volumes, copies, attachments, snapshots] = await Promise.all([
    client.list('StorageCluster', scope),
    client.list('StorageNode', scope),
    client.list('Volume', scope),
    client.list('VolumeCopy', scope),
    client.list('VolumeAttachmentRecord', scope),
    client.list('VolumeSnapshotRecord', scope),
  ]);
  return {
    clusters: clusters.items,
    nodes: nodes.items,
    volumes: volumes.items,
    // The images of snapshots are promised room as copies are; they belong to no volume.
    copies: [...copies.items, ...snapshotPromises(snapshots.items)],
    attachments: attachments.items,
  };
}

const KNOWN = {
  node: { reason: 'NodeNotFound', list: 'see: holdfast node list' },
  volume: { reason: 'VolumeNotFound', list: 'see: holdfast volume list' },
  zone: { reason: 'ZoneNotFound', list: 'see: holdfast node list' },
} as const;

/**
 * Checks names given by a person against those there are.
 *
 * @throws {AppError} notFound, with the nearest name
 */
export function requireKnown(what: 'node' | 'zone', names: readonly string[], known: readonly string[]): void {
  const name = names.find((candidate) => !known.includes(candidate));
  if (name !== undefined) throw notFound(what, name, known);
}

/** @throws {AppError} notFound, with the nearest name */
export function requireVolume({ volumes }: StoredCluster, name: string): StoredCluster['volumes'][number] {
  const volume = volumes.find((candidate) => candidate.metadata.name === name);
  if (volume !== undefined) return volume;
  throw notFound(
    'volume',
    name,
    volumes.flatMap((candidate) => candidate.metadata.name ?? []),
  );
}

function notFound(what: keyof typeof KNOWN, name: string, known: readonly string[]): AppError {
  const shown = name.length > 63 ? `${name.slice(0, 40)}...` : name;
  const meant = nearest(shown, known);
  const { reason, list } = KNOWN[what];
  return new AppError('notFound', `there is no ${what} ${JSON.stringify(shown)}`, {
    reason,
    hint: meant !== undefined ? `did you mean ${meant}?` : known.length === 0 ? `there are no ${what}s yet` : list,
  });
}

/** Names of all nodes. */
export function nodeNames({ nodes }: StoredCluster): readonly string[] {
  return nodes.map((node) => node.metadata.name ?? '');
}

/** Zones that nodes are in, each once. */
export function zoneNames({ nodes }: StoredCluster): readonly string[] {
  return [...new Set(nodes.flatMap((node) => node.spec.zone ?? []))].toSorted();
}
