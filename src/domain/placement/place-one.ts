/** A place for one more copy of a volume that has copies already: for its controller, and for saying beforehand where. */
import type { StorageNode } from '../../schemas/storage-node.ts';
import type { VolumeCopy } from '../../schemas/volume-copy.ts';
import type { PlaceRequest } from '../volume/membership.ts';
import { choosePlacement } from './choose-placement.ts';
import { placementInput, type VolumeToPlace } from './from-resources.ts';
import type { PlacementResult } from './model.ts';

/**
 * Chooses as for a new volume, beside the copies that stay. A node that is asked for by name is taken although it is
 * cordoned: a person wants the copy there.
 *
 * @param copies - of all volumes, those among them that are only promised yet
 */
export function placeOne(
  volume: VolumeToPlace,
  request: PlaceRequest,
  { nodes, copies }: { readonly nodes: readonly StorageNode[]; readonly copies: readonly VolumeCopy[] },
): PlacementResult {
  const { role, beside, avoid, node } = request;
  const input = placementInput(volume, nodes, copies);
  const isPossible = (name: string) => name !== avoid && (node === undefined || name === node);
  return choosePlacement({
    request: { ...input.request, copies: [{ index: 0, role }] },
    nodes: input.nodes
      .filter(({ name }) => isPossible(name))
      .map((each) => (node === undefined ? each : { ...each, isCordoned: false })),
    existing: beside.map((name) => ({ node: name })),
  });
}
