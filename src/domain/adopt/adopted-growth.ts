/** Whether an adopted volume can grow: by the limit that it has in the engine, and within the file systems of its bricks. */
import type { Volume } from '../../schemas/volume.ts';
import type { VolumeCopy } from '../../schemas/volume-copy.ts';
import { describeAvailable, describeNeed, parseQuantity } from '../bytes.ts';
import { bytesFor } from '../volume/granted-sizes.ts';

/** One sentence per place that is in the way; none when it can grow to the size. */
export function adoptedGrowthFaults(
  { metadata, spec }: Volume,
  copies: readonly VolumeCopy[],
  size: string,
): readonly string[] {
  if (spec.adopted?.limit === undefined) {
    return [
      `volume ${metadata.name ?? ''}: it was adopted without a limit in GlusterFS, so it is as large as the file systems of its bricks; grow those`,
    ];
  }
  const own = copies.filter((copy) => copy.spec.volumeUid === metadata.uid);
  return own.flatMap(({ spec: copy, status }) => {
    const wanted = bytesFor(spec, copy.role, size);
    const capacity = status?.capacityBytes;
    if (status?.state !== 'Ready' || capacity === undefined) return [`${copy.node}: its directory is not seen now`];
    if (capacity >= wanted) return [];
    const path = copy.adopted?.path ?? '';
    return [
      `${copy.node}: the file system of ${path} has ${describeAvailable(capacity)}, ${describeNeed(wanted)} are needed`,
    ];
  });
}

/**
 * The limit to be set in the engine; none where it has none, and none while the volume has the size that it was adopted
 * with: that holds already.
 */
export function adoptedLimit(limit: string | undefined, grantedBytes: number): number | undefined {
  return limit !== undefined && grantedBytes > parseQuantity(limit) ? grantedBytes : undefined;
}
