/** From what the use cases return to messages of CSI. */
import type { SeenVolume } from '../../usecases/csi/look-at-volumes.ts';
import type { SeenSnapshot } from '../../usecases/csi/snapshots.ts';

interface VolumeMessage {
  readonly volume: { readonly volumeId: string; readonly capacityBytes: bigint };
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

/** A volume, where it is published, and how it is. */
export function encodeVolume({ volumeId, capacityBytes, nodes, isAbnormal, message }: SeenVolume): VolumeMessage {
  return {
    volume: { volumeId, capacityBytes: BigInt(capacityBytes) },
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
