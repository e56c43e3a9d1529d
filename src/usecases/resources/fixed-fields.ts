/**
 * What cannot be changed any more in an object that is carried out already. Without this a new layout or size would be
 * stored and told to everybody, and nothing would have changed on the disks.
 */
import { parseQuantity } from '../../domain/bytes.ts';
import type { Fault } from '../../domain/errors.ts';
import { defaultReplicas } from '../../domain/volume/layout.ts';
import { VolumeSpec } from '../../schemas/volume.ts';
import { isRecord, type KubeObject } from './kube-object.ts';

const FIXED = ['size', 'engine', 'layout', 'replicas', 'pool', 'brick'] as const;

/** The faults of an update; none for a volume that has no place yet, and none for other kinds. */
export function fixedFieldFaults(before: KubeObject, after: KubeObject): readonly Fault[] {
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

function isPlaced({ status }: KubeObject): boolean {
  const placement = isRecord(status) ? status['placement'] : undefined;
  return Array.isArray(placement) && placement.length > 0;
}

/** As it is carried out: 1024Mi is 1Gi, and replicas left out are those of the layout. */
function settled(spec: VolumeSpec, field: (typeof FIXED)[number]): string | number {
  if (field === 'size') return parseQuantity(spec.size);
  if (field === 'replicas') return spec.replicas ?? defaultReplicas(spec.layout);
  return spec[field];
}
