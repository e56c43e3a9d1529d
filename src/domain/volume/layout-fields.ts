/** The fields that say how copies make a volume, taken out of whatever has them among others. */
import type { VolumeSpec } from '../../schemas/volume.ts';
import type { ChosenLayout } from './layout.ts';
import { DEFAULT_SHARD } from './layout-faults.ts';
import { fragmentsOf, type LayoutSpec, replicasOf, setCount } from './replica-sets.ts';

export const LAYOUT_FIELDS = [
  'layout',
  'replicas',
  'distribution',
  'disperseData',
  'redundancy',
  'shard',
] as const satisfies readonly (keyof ChosenLayout)[];

/** As {@link ChosenLayout} has them, with what is left out filled in: equal layouts have equal fields. */
export function layoutFields(spec: LayoutSpec & Pick<VolumeSpec, 'shard'>): ChosenLayout {
  const { layout, shard } = spec;
  const fragments = fragmentsOf(spec);
  return {
    layout,
    ...(fragments === undefined
      ? { replicas: replicasOf(spec) }
      : { disperseData: fragments.data, redundancy: fragments.redundancy }),
    ...(setCount(spec) === 1 ? {} : { distribution: setCount(spec) }),
    ...(shard === undefined || shard === false ? {} : { shard: shard === true ? DEFAULT_SHARD : shard }),
  };
}
