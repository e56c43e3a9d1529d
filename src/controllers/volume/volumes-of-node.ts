/** Which volumes the news of a node concern. */
import type { Informers } from '../deps.ts';

/**
 * Names of the volumes to be looked at again when a node has changed: whatever has a part on it or is to have one, and whatever
 * waits for something, see `domain/volume/is-at-rest.ts`. Were it all of them, twenty thousand would be looked at without end.
 */
export function volumesOfNode(
  { Volume, VolumeCopy }: Pick<Informers, 'Volume' | 'VolumeCopy'>,
  node: string,
): readonly string[] {
  const placed = [...Volume.byIndex('node', node), ...Volume.byIndex('rest', 'none')];
  const kept = VolumeCopy.byIndex('node', node).map(({ spec }) => spec.volume);
  return [...placed.map((volume) => volume.metadata.name), ...kept];
}
