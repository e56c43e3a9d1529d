/** Why no snapshot of a volume can be taken now. Pure: the controller and the command line ask the same question. */
import type { Condition } from '../../schemas/common.ts';
import type { StorageNode } from '../../schemas/storage-node.ts';
import type { Volume } from '../../schemas/volume.ts';
import type { VolumeCopy } from '../../schemas/volume-copy.ts';
import type { VolumeSnapshotRecord } from '../../schemas/volume-snapshot-record.ts';
import { describeAvailable, describeNeed } from '../bytes.ts';
import { findCondition } from '../find-condition.ts';
import { isUsable } from '../node/is-usable.ts';
import { placementNode } from '../placement/from-resources.ts';
import { roomOf } from '../placement/model.ts';
import { poolBytesOf } from '../volume/copy-size.ts';
import { keepsCopies } from '../volume/engines.ts';
import { withGrants } from '../volume/granted-sizes.ts';
import { unrecordedCopies } from '../volume/promised-copies.ts';
import { snapshotPromises } from './snapshot-promises.ts';

/** Everything that the answer depends on. */
export interface SnapshotWorld {
  readonly nodes: readonly StorageNode[];
  readonly volumes: readonly Volume[];
  /** Of all volumes. */
  readonly copies: readonly VolumeCopy[];
  readonly snapshots: readonly VolumeSnapshotRecord[];
}

/** One thing that is in the way of a snapshot. */
export interface SnapshotFault {
  /** A sentence about the volume, without its name. */
  readonly message: string;
  /** It ends by itself, mostly within seconds: worth a wait. Anything else stays until somebody does something. */
  readonly isPassing: boolean;
}

/** The conditions of a volume that end by themselves while all of its copies serve (see volume/judge-health.ts). */
const PASSING_REASONS: ReadonlySet<string> = new Set([
  'Healing',
  'HealsUnknown',
  'CheckingCopies',
  'MountsReconnecting',
]);

/** Each thing that is in the way; none when a snapshot can be taken. */
export function snapshotFaults(volume: Volume, world: SnapshotWorld): readonly SnapshotFault[] {
  if (volume.spec.brick === 'directory') {
    return [lasting('its copies are plain folders (brick: directory); only image bricks have snapshots')];
  }
  const { placement = [] } = volume.status ?? {};
  if (volume.metadata.deletionTimestamp !== undefined) return [lasting('it is being deleted')];
  const phase = volume.status?.restore?.phase;
  if (phase === 'Removing' || phase === 'Starting') return [lasting('a snapshot is being put in its place')];
  const health = healthFaults(volume);
  if (lastingFaults(health).length > 0) return health;
  const copies = placement.flatMap((placed) => {
    if (placed.replaces !== undefined || placed.isJoining === true || placed.isLeaving === true) {
      return [lasting(`the copy on ${placed.node} is being replaced`)];
    }
    const copy = world.copies.find((each) => each.metadata.name === placed.copy);
    return copy === undefined ? [lasting(`copy ${placed.copy} is not recorded`)] : copyFaults(copy, volume, world);
  });
  return [...health, ...copies];
}

/** Whether its snapshot can be one of a group: what is on it is held for a moment, on the one node that has it. */
export function canBeFrozen({ spec }: Volume): boolean {
  return spec.engine === 'local' && spec.brick === 'image';
}

/** Those that stay until somebody does something. */
export function lastingFaults(faults: readonly SnapshotFault[]): readonly SnapshotFault[] {
  return faults.filter((fault) => !fault.isPassing);
}

/** For what the volume itself does not show. */
export function lasting(message: string): SnapshotFault {
  return { message, isPassing: false };
}

/** The same, of what ends by itself, such as another snapshot of it. */
export function passing(message: string): SnapshotFault {
  return { message, isPassing: true };
}

function healthFaults(volume: Volume): readonly SnapshotFault[] {
  if (!keepsCopies(volume.spec.engine))
    return [lasting('it is a share of a file server, and nothing here can snapshot that')];
  const [ready, redundant] = [findCondition(volume, 'Ready'), findCondition(volume, 'Redundant')];
  if (ready?.status !== 'True') return [{ ...claimed('it is not ready', ready), isPassing: mayPass(ready) }];
  // A layout with one copy of each file is never redundant, and has nothing that could be behind.
  const isWhole = redundant?.status === 'True' || redundant?.reason === 'SingleCopy';
  if (!isWhole) return [{ ...claimed('it is not redundant now', redundant), isPassing: mayPass(redundant) }];
  const bricks = volume.status?.engine?.bricks;
  if (bricks === undefined) return [passing('the engine was not asked about it yet')];
  const off = bricks.find((brick) => !brick.isOnline || !brick.isReadable);
  // The conditions follow, and tell then whether it lasts.
  return off === undefined ? [] : [passing(`the copy on ${off.node} does not serve`)];
}

function claimed(what: string, condition: Condition | undefined): { readonly message: string } {
  return { message: condition === undefined ? what : `${what}: ${condition.message}` };
}

function mayPass(condition: Condition | undefined): boolean {
  return condition !== undefined && PASSING_REASONS.has(condition.reason);
}

function copyFaults(copy: VolumeCopy, volume: Volume, world: SnapshotWorld): readonly SnapshotFault[] {
  const { spec, status } = copy;
  // Its agent has not looked at it since its node came back; the disk answers, or the volume would say that it is down.
  if (status?.state === 'Suspect') return [passing(`the copy on ${spec.node} is Suspect`)];
  if (status?.state !== 'Ready') return [lasting(`the copy on ${spec.node} is ${status?.state ?? 'not prepared yet'}`)];
  if (isGrowing(copy, volume)) return [passing(`the copy on ${spec.node} is growing now`)];
  const node = world.nodes.find((each) => each.metadata.name === spec.node);
  if (node === undefined || !isUsable(node, volume.spec.engine)) {
    return [lasting(`node ${spec.node} cannot be used now`)];
  }
  const faults = poolFaults(spec, node);
  return (faults.length > 0 ? faults : roomFaults(spec, node, world)).map(lasting);
}

/** Also one that has not been told yet what the volume was granted: the image would be smaller than the volume. */
function isGrowing(copy: VolumeCopy, volume: Volume): boolean {
  const { spec, status } = copy;
  const [granted = copy] = withGrants([copy], [volume]);
  return Math.min(spec.sizeBytes, status?.sizeBytes ?? spec.sizeBytes) < granted.spec.sizeBytes;
}

function poolFaults(spec: VolumeCopy['spec'], node: StorageNode): readonly string[] {
  const pool = node.status?.pools?.find((each) => each.name === spec.pool);
  if (pool?.isReady !== true) return [`pool ${spec.pool} on ${spec.node} is not ready`];
  if (pool.hasReflink === true) return [];
  const type = pool.fsType === undefined ? '' : ` (${pool.fsType})`;
  return [`pool ${spec.pool} on ${spec.node} has no reflink${type}; make its file system with XFS and reflink=1`];
}

/** An image shares its blocks with the copy, until one of them is written: then it takes up to its whole size. */
function roomFaults(
  spec: VolumeCopy['spec'],
  node: StorageNode,
  { volumes, copies, snapshots }: SnapshotWorld,
): readonly string[] {
  const promised = [...unrecordedCopies(volumes, copies), ...snapshotPromises(snapshots)];
  const seen = placementNode(node, withGrants([...copies, ...promised], volumes), spec.engine);
  const pool = seen.pools.find((each) => each.name === spec.pool);
  const room = pool === undefined ? 0 : roomOf(pool);
  const bytes = poolBytesOf(spec, spec.sizeBytes);
  if (room >= bytes) return [];
  return [
    `pool ${spec.pool} on ${spec.node} has ${describeAvailable(room)} left to promise, the image may come to take ${describeNeed(bytes)}`,
  ];
}
