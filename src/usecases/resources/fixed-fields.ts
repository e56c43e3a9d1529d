/**
 * What cannot be changed any more in an object that is carried out already. Without this a new layout or size would be
 * stored and told to everybody, and nothing would have changed on the disks.
 */
import { isDeepStrictEqual } from 'node:util';
import { parseQuantity } from '../../domain/bytes.ts';
import type { Fault } from '../../domain/errors.ts';
import { shardBytes } from '../../domain/volume/layout-faults.ts';
import { fragmentsOf, replicasOf, setCount } from '../../domain/volume/replica-sets.ts';
import { VolumeSpec } from '../../schemas/volume.ts';
import { isRecord, type KubeObject } from './kube-object.ts';

const FIXED = [
  'size',
  'engine',
  'layout',
  'replicas',
  'distribution',
  'disperseData',
  'redundancy',
  'shard',
  'pool',
  'brick',
] as const;

/** The faults of an update; none for a volume that has no place yet, and none for other kinds. */
export function fixedFieldFaults(before: KubeObject, after: KubeObject): readonly Fault[] {
  if (before.kind === 'Task') return taskFaults(before, after);
  if (before.kind !== 'Volume' || !isPlaced(before)) return [];
  const [was, wanted] = [VolumeSpec.safeParse(before['spec']).data, VolumeSpec.safeParse(after['spec']).data];
  if (was === undefined || wanted === undefined) return [];
  return FIXED.flatMap((field) => {
    const [old, asked] = [settled(was, field), settled(wanted, field)];
    if (old === asked) return [];
    const message = `cannot be changed once the volume has its copies; this version keeps ${was[field] ?? old}`;
    return [{ field: `spec.${field}`, message }];
  });
}

/** A Task is one piece of work: it can be stopped, not turned into another. */
function taskFaults(before: KubeObject, after: KubeObject): readonly Fault[] {
  const work = (object: KubeObject) => {
    const { isCancelled: _cancelled, ...rest } = isRecord(object['spec']) ? object['spec'] : {};
    return rest;
  };
  const isCancelled = (object: KubeObject) => isRecord(object['spec']) && object['spec']['isCancelled'] === true;
  if (isDeepStrictEqual(work(before), work(after)) && (!isCancelled(before) || isCancelled(after))) return [];
  return [{ field: 'spec', message: 'cannot be changed; create another Task. Only isCancelled can be set, once' }];
}

function isPlaced({ status }: KubeObject): boolean {
  const placement = isRecord(status) ? status['placement'] : undefined;
  return Array.isArray(placement) && placement.length > 0;
}

/** As it is carried out: 1024Mi is 1Gi, and replicas left out are those of the layout. */
function settled(spec: VolumeSpec, field: (typeof FIXED)[number]): string | number {
  switch (field) {
    case 'size':
      return parseQuantity(spec.size);
    case 'replicas':
      return replicasOf(spec);
    case 'distribution':
      return setCount(spec);
    case 'disperseData':
      return fragmentsOf(spec)?.data ?? 0;
    case 'redundancy':
      return fragmentsOf(spec)?.redundancy ?? 0;
    case 'shard':
      return shardBytes(spec.shard) ?? 0;
    case 'engine':
    case 'layout':
    case 'pool':
    case 'brick':
      return spec[field];
  }
}
