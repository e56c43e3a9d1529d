/** A layout in a person's words. */
import type { VolumeSpec } from '../../schemas/volume.ts';
import { describeCopies } from './describe-volume.ts';
import { DEFAULT_SHARD } from './layout-faults.ts';
import { fragmentsOf, type LayoutSpec, replicasOf, setCount, setRoles } from './replica-sets.ts';

/** For a cell of a table: "single", "replicated 3", "arbiter 2+1", "distributed-dispersed 2 x (4+2), shard 64Mi". */
export function describeLayout(spec: LayoutSpec & Pick<VolumeSpec, 'shard'>): string {
  const shard =
    spec.shard === undefined || spec.shard === false
      ? ''
      : `, shard ${spec.shard === true ? DEFAULT_SHARD : spec.shard}`;
  return `${spec.layout}${describeNumbers(spec)}${shard}`;
}

function describeNumbers(spec: LayoutSpec): string {
  const sets = setCount(spec);
  const fragments = fragmentsOf(spec);
  if (spec.layout === 'single') return '';
  if (spec.layout === 'distributed') return ` ${sets}`;
  const sum = fragments === undefined ? undefined : `${fragments.data}+${fragments.redundancy}`;
  const one = spec.layout === 'arbiter' ? '2+1' : (sum ?? String(replicasOf(spec)));
  if (sets === 1) return ` ${one}`;
  return one.includes('+') ? ` ${sets} x (${one})` : ` ${sets} x ${one}`;
}

/** All copies, as a sum: "3 data", "2 x (2 data + 1 arbiter)", "4 data + 2 redundancy". */
export function describeCopiesOf(spec: LayoutSpec): string {
  const sets = setCount(spec);
  const fragments = fragmentsOf(spec);
  const one =
    fragments === undefined
      ? describeCopies(setRoles(spec))
      : `${fragments.data} data + ${fragments.redundancy} redundancy`;
  if (sets === 1) return one;
  return one.includes('+') ? `${sets} x (${one})` : `${sets} x ${one}`;
}
