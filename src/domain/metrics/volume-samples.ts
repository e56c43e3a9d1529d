/** Volumes as samples: how each is, and how many there are of each kind. Pure. */
import type { StorageNode } from '../../schemas/storage-node.ts';
import type { BrickStatus, Volume } from '../../schemas/volume.ts';
import { parseQuantity } from '../bytes.ts';
import { usableSince } from '../node/is-usable.ts';
import { phaseOf } from '../volume/describe-volume.ts';
import { keepsCopies } from '../volume/engines.ts';
import { isServing } from '../volume/is-serving.ts';
import { wantedCopies } from '../volume/replica-sets.ts';
import { type ClusterMetricName, type Sample, sample } from './definitions.ts';

type VolumeMetricName = Extract<ClusterMetricName, `holdfast_volume${string}`>;
type ValueName = Exclude<VolumeMetricName, 'holdfast_volumes' | 'holdfast_volume_phase'>;

/** Readers of everything that is said of volumes. */
export function volumeReaders(
  volumes: readonly Volume[],
  nodes: readonly StorageNode[],
): Readonly<Record<VolumeMetricName, () => readonly Sample[]>> {
  const each = (name: ValueName, valueOf: (volume: Volume) => number | undefined) => () =>
    volumes.flatMap((volume) => {
      const value = valueOf(volume);
      return value === undefined ? [] : [sample(name, { volume: nameOf(volume) }, value)];
    });
  return {
    holdfast_volumes: () => countVolumes(volumes),
    holdfast_volume_phase: () =>
      volumes.map((volume) => sample('holdfast_volume_phase', { volume: nameOf(volume), phase: phaseOf(volume) }, 1)),
    holdfast_volume_size_bytes: each('holdfast_volume_size_bytes', ({ spec }) => parseQuantity(spec.size)),
    holdfast_volume_missing_copies: each('holdfast_volume_missing_copies', missingCopies(nodes)),
    holdfast_volume_heal_entries: each('holdfast_volume_heal_entries', sumOf('pendingHeals')),
    holdfast_volume_split_brain_entries: each('holdfast_volume_split_brain_entries', sumOf('splitBrainEntries')),
    holdfast_volume_share_size_bytes: each(
      'holdfast_volume_share_size_bytes',
      ({ status }) => status?.engine?.capacityBytes,
    ),
    holdfast_volume_share_free_bytes: each(
      'holdfast_volume_share_free_bytes',
      ({ status }) => status?.engine?.freeBytes,
    ),
  };
}

function nameOf({ metadata }: Volume): string {
  return metadata.name ?? '';
}

function countVolumes(volumes: readonly Volume[]): readonly Sample[] {
  const kinds = Map.groupBy(volumes, (volume) => `${volume.spec.engine} ${volume.spec.layout} ${phaseOf(volume)}`);
  return [...kinds].map(([words, all]) => {
    const [engine = '', layout = '', phase = ''] = words.split(' ');
    return sample('holdfast_volumes', { engine, layout, phase }, all.length);
  });
}

/**
 * Of those that the layout has; what a file server keeps has none. A copy that joins holds not everything yet: the one whose
 * place it takes counts until then.
 */
function missingCopies(nodes: readonly StorageNode[]): (volume: Volume) => number | undefined {
  return ({ spec, status }) => {
    if (!keepsCopies(spec.engine)) return undefined;
    const usable = usableSince(nodes, spec.engine);
    const bricks = status?.engine?.bricks ?? [];
    const serving = (status?.placement ?? []).filter(
      (placed) => placed.isJoining !== true && isServing(placed, bricks, usable),
    );
    return Math.max(0, wantedCopies(spec).length - serving.length);
  };
}

/** Over the copies, as people are told it; undefined where no copy was asked for it. */
function sumOf(field: 'pendingHeals' | 'splitBrainEntries'): (volume: Volume) => number | undefined {
  return ({ status }) => {
    const told = (status?.engine?.bricks ?? []).flatMap((brick: BrickStatus) => brick[field] ?? []);
    return told.length === 0 ? undefined : told.reduce((sum, count) => sum + count, 0);
  };
}
