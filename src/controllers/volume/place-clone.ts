/** Places a volume that begins with a snapshot; see domain/snapshot/clone-placement.ts. */
import { type CloneWorld, imagesInOrder, placeClone } from '../../domain/snapshot/clone-placement.ts';
import type { PlacementOutcome } from '../../domain/volume/decide-volume.ts';
import type { Resource, ResourceClient } from '../../ports/resource-client.ts';

/** The snapshot as it is now: the cache may not know yet that it is ready, or that it is being deleted. */
export async function readSource(
  client: ResourceClient,
  { spec }: Resource<'Volume'>,
  signal: AbortSignal,
): Promise<Resource<'VolumeSnapshotRecord'> | undefined> {
  return spec.source === undefined ? undefined : client.get('VolumeSnapshotRecord', spec.source.snapshot, { signal });
}

/** @param copyName - name of the VolumeCopy with that place in the engine's order */
export function placeBesideImages(
  volume: Resource<'Volume'>,
  world: CloneWorld,
  copyName: (index: number) => string,
): PlacementOutcome {
  const outcome = placeClone(volume.metadata.name, volume.spec, world);
  if (!outcome.ok) return outcome;
  const images = world.snapshot === undefined ? [] : imagesInOrder(world.snapshot);
  const placement = outcome.placed.map(({ index, node, pool, role, set }, at) => {
    const imageOf = images[at]?.uid ?? '';
    return { copy: copyName(index), node, pool, role, imageOf, ...(set === undefined ? {} : { set }) };
  });
  return { ok: true, placement, reasons: [...outcome.reasons] };
}
