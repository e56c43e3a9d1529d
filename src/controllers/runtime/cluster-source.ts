/** What the caches of a controller say of the cluster, whenever metrics are asked for. */
import { clusterSamples } from '../../domain/metrics/cluster-samples.ts';
import type { SampleSource } from '../../ports/metrics.ts';
import { SYSTEM_NAMESPACE } from '../../schemas/kinds.ts';
import type { Informers } from '../deps.ts';

/** Says nothing before every cache has its first list: what is not heard yet must not be taken for what is gone. */
export function clusterSource(informers: Informers): SampleSource {
  const { Volume, StorageNode, VolumeCopy, VolumeAttachmentRecord, VolumeSnapshotRecord, FenceRecord, Lease } =
    informers;
  const read = [Volume, StorageNode, VolumeCopy, VolumeAttachmentRecord, VolumeSnapshotRecord, FenceRecord, Lease];
  const lastBeat = (node: string): number | undefined => {
    const at = Date.parse(Lease.get(`${SYSTEM_NAMESPACE}/${node}`)?.spec.renewTime ?? '');
    return Number.isNaN(at) ? undefined : at;
  };
  return () =>
    read.some((informer) => !informer.isSynced())
      ? new Map()
      : clusterSamples({
          volumes: Volume.list(),
          nodes: StorageNode.list(),
          copies: VolumeCopy.list(),
          attachments: VolumeAttachmentRecord.list(),
          snapshots: VolumeSnapshotRecord.list(),
          fences: FenceRecord.list(),
          lastBeat,
        });
}
