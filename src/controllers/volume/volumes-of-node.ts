/** Which volumes the news of a node concern. */
import type { Resource } from '../../ports/resource-client.ts';
import type { Informers } from '../deps.ts';

/** Names of the volumes that have a part on a node, or are to have one. */
export function volumesOfNode(
  { Volume, VolumeCopy }: Pick<Informers, 'Volume' | 'VolumeCopy'>,
  node: string,
): readonly string[] {
  const kept = VolumeCopy.byIndex('node', node).map(({ spec }) => spec.volume);
  return [...namesOf(Volume.byIndex('node', node)), ...kept];
}

/**
 * Names of the volumes that wait for something that any node could bring, see `domain/volume/is-at-rest.ts`. Were it all of
 * them, twenty thousand would be looked at without end.
 */
export function waitingVolumes({ Volume }: Pick<Informers, 'Volume'>): readonly string[] {
  return namesOf(Volume.byIndex('rest', 'none'));
}

function namesOf(volumes: readonly Resource<'Volume'>[]): readonly string[] {
  return volumes.map(({ metadata }) => metadata.name);
}
