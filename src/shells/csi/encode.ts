/** From what the use cases return to messages of CSI. */
import { nodeSegments } from '../../domain/csi/topology.ts';
import type { SeenVolume } from '../../usecases/csi/look-at-volumes.ts';
import type { SeenSnapshotGroup } from '../../usecases/csi/snapshot-groups.ts';
import type { SeenSnapshot } from '../../usecases/csi/snapshots.ts';

interface TopologyMessage {
  readonly segments: { [key: string]: string };
}

interface VolumeMessage {
  readonly volume: {
    readonly volumeId: string;
    readonly capacityBytes: bigint;
    readonly accessibleTopology: TopologyMessage[];
  };
  readonly status: {
    readonly publishedNodeIds: string[];
    readonly volumeCondition: { readonly abnormal: boolean; readonly message: string };
  };
}

interface SnapshotMessage {
  readonly snapshotId: string;
  readonly sourceVolumeId: string;
  readonly sizeBytes: bigint;
  readonly creationTime: TimeMessage;
  readonly readyToUse: boolean;
  readonly groupSnapshotId: string;
}

interface GroupMessage {
  readonly groupSnapshotId: string;
  readonly snapshots: SnapshotMessage[];
  readonly creationTime: TimeMessage;
  readonly readyToUse: boolean;
}

interface TimeMessage {
  readonly seconds: bigint;
  readonly nanos: number;
}

/** What can use a volume: one node, or, with an empty list, every node. */
export function encodeHome(node: string | undefined): TopologyMessage[] {
  return node === undefined ? [] : [{ segments: nodeSegments(node) }];
}

/** A volume, where it is published, and how it is. */
export function encodeVolume({ volumeId, capacityBytes, home, nodes, isAbnormal, message }: SeenVolume): VolumeMessage {
  return {
    volume: { volumeId, capacityBytes: BigInt(capacityBytes), accessibleTopology: encodeHome(home) },
    status: { publishedNodeIds: [...nodes], volumeCondition: { abnormal: isAbnormal, message } },
  };
}

/** A snapshot. */
export function encodeSnapshot(seen: SeenSnapshot): SnapshotMessage {
  const { snapshotId, sourceVolumeId, sizeBytes, takenAt, isReady, groupId = '' } = seen;
  return {
    snapshotId,
    sourceVolumeId,
    sizeBytes: BigInt(sizeBytes),
    creationTime: encodeTime(takenAt),
    readyToUse: isReady,
    groupSnapshotId: groupId,
  };
}

/** A group of snapshots. */
export function encodeGroup({ groupId, snapshots, takenAt, isReady }: SeenSnapshotGroup): GroupMessage {
  const creationTime = encodeTime(takenAt);
  return {
    groupSnapshotId: groupId,
    snapshots: snapshots.map(encodeSnapshot),
    creationTime,
    readyToUse: isReady,
  };
}

/** @param at - milliseconds since the epoch */
function encodeTime(at: number): TimeMessage {
  const seconds = Math.floor(at / 1_000);
  return { seconds: BigInt(seconds), nanos: (at - seconds * 1_000) * 1_000_000 };
}
