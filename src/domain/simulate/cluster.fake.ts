/** Clusters as stored objects, from a sketch of them, for tests of explanations and simulations. */
import type { BrickStatus, PlacedCopy } from '../../schemas/volume.ts';
import { GIB } from '../bytes.ts';
import { copySizes } from '../volume/copy-size.ts';
import { replicasOf, setRoles } from '../volume/replica-sets.ts';
import type { StoredCluster } from './stored-cluster.ts';

type Node = StoredCluster['nodes'][number];
type Volume = StoredCluster['volumes'][number];

const SINCE = '2026-01-01T00:00:00Z';

export interface NodeSketch {
  readonly name: string;
  readonly zone?: string;
  readonly isReady?: boolean;
  readonly capacityGib?: number;
}

export interface VolumeSketch {
  readonly name: string;
  readonly layout?: 'single' | 'replicated' | 'arbiter';
  readonly sizeGib?: number;
  readonly brick?: 'image' | 'directory';
  /** Where its copies are; a volume without is waiting for a place. */
  readonly nodes?: readonly string[];
  /** Places of copies in the list above whose brick is down. */
  readonly down?: readonly number[];
  readonly pendingHeals?: number;
  readonly isDeleting?: boolean;
  readonly mounts?: readonly { readonly node: string; readonly missing?: number }[];
}

/** Builds what would be stored for these nodes and volumes; pools are named "default". */
export function clusterOf(nodes: readonly NodeSketch[], volumes: readonly VolumeSketch[] = []): StoredCluster {
  const made = volumes.map(volumeOf);
  const copies = made.flatMap((volume, at) => copiesOf(volume, volumes[at]));
  return {
    clusters: [],
    nodes: nodes.map((node) => nodeOf(node, copies)),
    volumes: made,
    copies,
    attachments: volumes.flatMap(({ name, mounts = [], nodes: places = [] }) =>
      mounts.map(({ node, missing = 0 }) => ({
        apiVersion: 'holdfast.dev/v1alpha1' as const,
        kind: 'VolumeAttachmentRecord' as const,
        metadata: { name: `${name}.${node}` },
        spec: { volume: name, node, mountPath: '/data', isReadOnly: false },
        status: {
          state: 'Mounted' as const,
          copies: places.length,
          connectedCopies: places.length - missing,
          nodesReadySince: Object.fromEntries(places.map((place) => [place, SINCE])),
        },
      })),
    ),
  };
}

function nodeOf({ name, zone, isReady = true, capacityGib = 100 }: NodeSketch, copies: StoredCluster['copies']): Node {
  const used = copies.filter(({ spec }) => spec.node === name).reduce((sum, { spec }) => sum + spec.sizeBytes, 0);
  const capacityBytes = capacityGib * GIB;
  const status = isReady ? ('True' as const) : ('Unknown' as const);
  return {
    apiVersion: 'holdfast.dev/v1alpha1',
    kind: 'StorageNode',
    metadata: { name },
    spec: {
      addresses: { ip: '10.0.0.1' },
      pools: [{ name: 'default', path: '/pool' }],
      ...(zone === undefined ? {} : { zone }),
    },
    status: {
      engines: [{ name: 'gluster', isInstalled: true, isRunning: true }],
      pools: [
        { name: 'default', path: '/pool', isReady: true, capacityBytes, freeBytes: Math.max(0, capacityBytes - used) },
      ],
      conditions: [{ type: 'Ready', status, reason: 'Test', message: '', lastTransitionTime: SINCE }],
    },
  };
}

function volumeOf(sketch: VolumeSketch): Volume {
  const { name, layout = 'replicated', sizeGib = 1, brick = 'image', nodes = [], isDeleting } = sketch;
  const replicas = layout === 'replicated' && nodes.length > 0 ? nodes.length : replicasOf({ layout });
  const roles = setRoles({ layout, replicas });
  const placement = nodes.map((node, index) => {
    return { copy: `${name}-${index}`, node, pool: 'default', role: roles[index] ?? ('data' as const) };
  });
  const bricks = placement.map((placed, index) => brickOf(placed, index, sketch));
  const engine = { observedBy: nodes[0] ?? '', epoch: 1, state: 'Started' as const, bricks };
  return {
    apiVersion: 'holdfast.dev/v1alpha1',
    kind: 'Volume',
    metadata: {
      name,
      uid: `uid-${name}`,
      creationTimestamp: SINCE,
      ...(isDeleting === true ? { deletionTimestamp: SINCE } : {}),
    },
    spec: { size: `${sizeGib}Gi`, engine: 'gluster', layout, replicas, pool: 'default', brick },
    status: nodes.length === 0 ? { phase: 'Pending' } : { placement, anchor: nodes[0] ?? '', epoch: 1, engine },
  };
}

function brickOf(
  { copy, node }: PlacedCopy,
  index: number,
  { down = [], pendingHeals = 0 }: VolumeSketch,
): BrickStatus {
  const seen = { isOnline: !down.includes(index), isReadable: true, nodeReadySince: SINCE };
  return { copy, node, ...seen, pendingHeals: index === 0 ? pendingHeals : 0 };
}

function copiesOf(volume: Volume, sketch: VolumeSketch | undefined): StoredCluster['copies'] {
  const { name = '', uid = '' } = volume.metadata;
  const sizes = copySizes(volume.spec);
  return (volume.status?.placement ?? []).map(({ copy, node, pool, role }, index) => ({
    apiVersion: 'holdfast.dev/v1alpha1',
    kind: 'VolumeCopy',
    metadata: { name: copy },
    spec: {
      volume: name,
      volumeUid: uid,
      node,
      pool,
      role,
      index,
      engine: 'gluster',
      brick: sketch?.brick ?? 'image',
      sizeBytes: sizes[role],
    },
    status: { state: 'Ready' },
  }));
}
