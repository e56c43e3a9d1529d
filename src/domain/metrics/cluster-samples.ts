/** What the stored objects say, as samples: read at each scrape, so that nothing is kept twice. Pure. */
import type { FenceRecord } from '../../schemas/fence-record.ts';
import type { StorageNode } from '../../schemas/storage-node.ts';
import type { Volume } from '../../schemas/volume.ts';
import type { VolumeAttachmentRecord } from '../../schemas/volume-attachment-record.ts';
import type { VolumeCopy } from '../../schemas/volume-copy.ts';
import type { VolumeSnapshotRecord } from '../../schemas/volume-snapshot-record.ts';
import { type ClusterMetricName, type Sample, type SampleTable, sample } from './definitions.ts';
import { nodeReaders } from './node-samples.ts';
import { poolReaders } from './pool-samples.ts';
import { volumeReaders } from './volume-samples.ts';

/** The objects of a cluster, as caches hold them. */
export interface ClusterObjects {
  readonly volumes: readonly Volume[];
  readonly nodes: readonly StorageNode[];
  readonly copies: readonly VolumeCopy[];
  readonly attachments: readonly VolumeAttachmentRecord[];
  readonly snapshots: readonly VolumeSnapshotRecord[];
  readonly fences: readonly FenceRecord[];
  /** When the agent of a node last beat, in milliseconds since the epoch; undefined when it never did. */
  readonly lastBeat: (node: string) => number | undefined;
}

/** Everything that the controller that leads tells of its cluster. */
export function clusterSamples(objects: ClusterObjects): SampleTable {
  const { volumes, nodes, copies, attachments, snapshots, fences, lastBeat } = objects;
  // A metric without a reader would not compile.
  const readers: Readonly<Record<ClusterMetricName, () => readonly Sample[]>> = {
    ...volumeReaders(volumes, nodes),
    ...nodeReaders(nodes, lastBeat),
    ...poolReaders(objects),
    holdfast_copies: () => countByNode('holdfast_copies', copies),
    holdfast_attachments: () => countByNode('holdfast_attachments', attachments),
    holdfast_snapshots: () => countSnapshots(snapshots),
    holdfast_fence: () =>
      fences.map(({ spec, status }) =>
        sample('holdfast_fence', { node: spec.node, phase: status?.phase ?? 'Fencing' }, 1),
      ),
  };
  return new Map(Object.entries(readers) as [ClusterMetricName, () => readonly Sample[]][]);
}

interface Placed {
  readonly spec: { readonly node: string };
  readonly status?: { readonly state?: string | undefined } | undefined;
}

function countByNode(name: 'holdfast_copies' | 'holdfast_attachments', objects: readonly Placed[]): readonly Sample[] {
  const byNode = Map.groupBy(objects, ({ spec }) => spec.node);
  return [...byNode].flatMap(([node, here]) =>
    [...Map.groupBy(here, ({ status }) => status?.state ?? 'none')].map(([state, all]) =>
      sample(name, { node, state }, all.length),
    ),
  );
}

function countSnapshots(snapshots: readonly VolumeSnapshotRecord[]): readonly Sample[] {
  const byPhase = Map.groupBy(snapshots, ({ status }) => status?.phase ?? 'Pending');
  return [...byPhase].map(([phase, all]) => sample('holdfast_snapshots', { phase }, all.length));
}
