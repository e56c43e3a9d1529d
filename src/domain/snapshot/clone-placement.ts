/** Where the copies of a clone go: beside the images that they begin with. Pure. */
import type { StorageNode } from '../../schemas/storage-node.ts';
import type { VolumeSpec } from '../../schemas/volume.ts';
import type { VolumeCopy } from '../../schemas/volume-copy.ts';
import type { SnapshotCopy, VolumeSnapshotRecord } from '../../schemas/volume-snapshot-record.ts';
import { describeAvailable, describeNeed, parseQuantity } from '../bytes.ts';
import { placementNode } from '../placement/from-resources.ts';
import { roomOf } from '../placement/model.ts';
import { type KeptAs, poolBytesOf } from '../volume/copy-size.ts';
import { wantedCopies } from '../volume/replica-sets.ts';

export interface ClonedCopy {
  readonly index: number;
  readonly node: string;
  readonly pool: string;
  readonly role: 'data' | 'arbiter';
  /** The set that it belongs to; left out where the volume has one. */
  readonly set?: number;
}

export type ClonePlacement =
  | { readonly ok: true; readonly placed: readonly ClonedCopy[]; readonly reasons: readonly string[] }
  | { readonly ok: false; readonly message: string; readonly reasons: readonly string[] };

export interface CloneWorld {
  readonly snapshot: VolumeSnapshotRecord | undefined;
  readonly nodes: readonly StorageNode[];
  /** All that takes room, images of snapshots among it. */
  readonly copies: readonly VolumeCopy[];
}

/** What must be as in the snapshot, or the files in it are not those that the engine expects. */
const SAME = [
  'engine',
  'layout',
  'replicas',
  'distribution',
  'disperseData',
  'redundancy',
  'shard',
  'profile',
  'pool',
  'brick',
  'fsType',
  'encryption',
  'thinProvision',
] as const;

/** The images in the engine's order of bricks. */
export function imagesInOrder(snapshot: VolumeSnapshotRecord): readonly SnapshotCopy[] {
  return Object.values(snapshot.status?.copies ?? {}).toSorted((a, b) => a.index - b.index);
}

/** Places a clone, or says why it cannot be made. */
export function placeClone(name: string, spec: VolumeSpec, world: CloneWorld): ClonePlacement {
  const { snapshot, nodes, copies } = world;
  const was = snapshot?.status?.volumeSpec;
  const refuse = (why: string, reasons: readonly string[] = []): ClonePlacement => {
    const message = `volume ${name} cannot be made from snapshot ${spec.source?.snapshot ?? ''}: ${why}`;
    return { ok: false, message, reasons: [message, ...reasons] };
  };
  if (snapshot === undefined || was === undefined) return refuse('there is none');
  const fault = sourceFault(snapshot, spec, was);
  if (fault !== undefined) return refuse(fault);
  const images = imagesInOrder(snapshot);
  const faults = images.flatMap((image) => roomFault(image, image.sizeBytes, { nodes, copies, kept: was }));
  if (faults.length > 0) return refuse('its copies do not fit beside the images', faults);
  const wanted = wantedCopies(was);
  const placed = images.map(({ index, node, pool, role }) => {
    const set = wanted[index]?.set;
    return { index, node, pool, role, ...(set === undefined ? {} : { set }) };
  });
  const beside = 'beside the image that it begins with';
  const reasons = placed.map(
    ({ index, role, node, pool }) => `copy ${index} (${role}) on ${node}, pool ${pool}: ${beside}`,
  );
  return { ok: true, placed, reasons };
}

function sourceFault(
  { metadata, status }: VolumeSnapshotRecord,
  spec: VolumeSpec,
  was: VolumeSpec,
): string | undefined {
  if (metadata.uid !== spec.source?.snapshotUid) return 'it is another one of the same name by now';
  // One that is to be deleted waits for its clones; Deleting, its images may be gone.
  if (status?.phase !== 'Ready') return `it is ${status?.phase ?? 'Pending'}`;
  if (parseQuantity(spec.size) !== parseQuantity(was.size)) return `it is of ${was.size}, not ${spec.size}`;
  const other = SAME.filter((field) => spec[field] !== was[field]);
  return other.length === 0 ? undefined : `it is another kind of volume (${other.join(', ')})`;
}

/** Why a copy of that size cannot be made beside the image that it begins with. */
export function roomFault(
  image: SnapshotCopy,
  sizeBytes: number,
  { nodes, copies, kept }: Pick<CloneWorld, 'nodes' | 'copies'> & { readonly kept: KeptAs },
): readonly string[] {
  const node = nodes.find((each) => each.metadata.name === image.node);
  if (node === undefined) return [`${image.node}: the node is gone, and its image with it`];
  const pool = placementNode(node, copies, 'gluster').pools.find((each) => each.name === image.pool);
  if (pool?.isReady !== true) return [`${image.node}: pool ${image.pool} is not ready`];
  const bytes = poolBytesOf(kept, sizeBytes);
  const room = roomOf(pool);
  if (room >= bytes) return [];
  return [`${image.node}: ${describeAvailable(room)} free < ${describeNeed(bytes)}`];
}
