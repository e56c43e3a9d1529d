/** From what the use cases return to messages of CSI. */
import { nodeSegments } from '../../domain/csi/topology.ts';
import type { SeenVolume } from '../../usecases/csi/look-at-volumes.ts';
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
  readonly creationTime: { readonly seconds: bigint; readonly nanos: number };
  readonly readyToUse: boolean;
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
export function encodeSnapshot({
  snapshotId,
  sourceVolumeId,
  sizeBytes,
  takenAt,
  isReady,
}: SeenSnapshot): SnapshotMessage {
  const seconds = Math.floor(takenAt / 1_000);
  return {
    snapshotId,
    sourceVolumeId,
    sizeBytes: BigInt(sizeBytes),
    creationTime: { seconds: BigInt(seconds), nanos: (takenAt - seconds * 1_000) * 1_000_000 },
    readyToUse: isReady,
  };
}
