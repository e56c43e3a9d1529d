/** What a class says that a volume is not: of a clone, which is laid out as what it is of, and of any that is looked at. */
import type { VolumeSpec } from '../../schemas/volume.ts';
import { decideLayout } from '../volume/layout.ts';
import { LAYOUT_FIELDS, layoutFields } from '../volume/layout-fields.ts';
import { pieceBytes, profileOf } from '../volume/profile.ts';
import { replicasOf } from '../volume/replica-sets.ts';
import { kindOf } from './access.ts';
import type { VolumeChange } from './mutable-parameters.ts';
import type { ClassWish } from './parameter-table.ts';

export interface Misfit {
  readonly field: string;
  /** In words. */
  readonly has: string;
  readonly wanted: string;
}

/**
 * The first field that the class says in so many words and the volume has otherwise; undefined when there is none.
 * A profile is none of them where it can be changed afterwards, and the locality always can.
 */
export function classMisfit(spec: VolumeSpec, wish: ClassWish): Misfit | undefined {
  const { profile, locality: _locality, ...said } = wish;
  const has: Readonly<Record<string, unknown>> = {
    ...{ ...spec, ...normal(spec), zones: sorted(spec.zones) },
    // What is in the bricks of GlusterFS is of no effect.
    fsType: spec.engine === 'local' ? kindOf(spec).fsType : wish.fsType,
    ...shareFields(spec, wish),
    // A device is an image without a file system, and no class says so: the capabilities do.
    brick: spec.brick === 'block' ? 'image' : spec.brick,
  };
  // As it would be stored: "striped" and "true" have become other words by then.
  const decided = decideLayout(said, Number.MAX_SAFE_INTEGER);
  const layout: Readonly<Record<string, unknown>> = decided.ok ? normal(decided.chosen) : {};
  const asked: Readonly<Record<string, unknown>> = { ...said, zones: sorted(said.zones) };
  for (const field of Object.keys(said)) {
    const isLayout = LAYOUT_FIELDS.some((name) => name === field);
    const wanted = isLayout && decided.ok ? layout[field] : asked[field];
    if (shown(wanted) !== shown(has[field])) return { field, has: shown(has[field]), wanted: shown(wanted) };
  }
  if (profile === undefined || pieceBytes(spec) === pieceBytes({ ...pieces(spec), profile })) return undefined;
  return { field: 'profile', has: shown(spec.profile), wanted: profile };
}

/** As {@link classMisfit}, of a VolumeAttributesClass. */
export function changeMisfit(spec: VolumeSpec, { profile, replicas, locality }: VolumeChange): Misfit | undefined {
  if (profile !== undefined && profile !== profileOf(spec)) {
    return { field: 'profile', has: profileOf(spec), wanted: profile };
  }
  if (locality !== undefined && locality !== (spec.locality ?? 'preferred')) {
    return { field: 'locality', has: spec.locality ?? 'preferred', wanted: locality };
  }
  if (replicas === undefined || replicas === replicasOf(spec)) return undefined;
  return { field: 'replicas', has: shown(replicasOf(spec)), wanted: shown(replicas) };
}

/** Which folder it is was settled with the names of its claim, and is not told from the class alone. */
function shareFields({ share }: VolumeSpec, { subDir }: ClassWish): Readonly<Record<string, unknown>> {
  if (share === undefined) return {};
  const { server, path, onDelete = 'delete', permissions } = share;
  return { server, sharePath: path, onDelete, permissions, ...(subDir === undefined ? {} : { subDir }) };
}

function normal(spec: Parameters<typeof layoutFields>[0]): Readonly<Record<string, unknown>> {
  return { allowSplitBrain: spec.allowSplitBrain ?? false, ...layoutFields(spec) };
}

function pieces({ shard }: VolumeSpec): Pick<VolumeSpec, 'shard'> {
  return shard === undefined ? {} : { shard };
}

function sorted(zones: readonly string[] | undefined): readonly string[] | undefined {
  return zones?.toSorted();
}

function shown(value: unknown): string {
  if (value === undefined) return 'none';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
