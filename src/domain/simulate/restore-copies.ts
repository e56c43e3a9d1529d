/** Where copies that are out of reach could be made anew, and how much would have to be copied. */
import type { Volume } from '../../schemas/volume.ts';
import type { VolumeCopy } from '../../schemas/volume-copy.ts';
import { isUsable } from '../node/is-usable.ts';
import type { PlacedOn } from '../placement/model.ts';
import { copySizes } from '../volume/copy-size.ts';
import { imaginedCopy, placeVolume, promisedCopies } from './see-volume.ts';
import type { StoredCluster } from './stored-cluster.ts';

export type Restore =
  | {
      readonly hasRoom: true;
      readonly places: readonly PlacedOn[];
      /** At most so much: the whole size of each copy, for nobody has counted what is written in it. */
      readonly bytes: number;
    }
  | { readonly hasRoom: false; readonly message: string; readonly smallestChange: string };

/**
 * Finds room for the copies of these volumes that lie on nodes out of reach, one volume after the other: what one takes
 * the next cannot have.
 *
 * @returns by the volume's name
 */
export function restoreCopies(stored: StoredCluster, volumes: readonly Volume[]): ReadonlyMap<string, Restore> {
  const found = new Map<string, Restore>();
  const usable = new Set(
    stored.nodes.filter((node) => isUsable(node, 'gluster')).map((node) => node.metadata.name ?? ''),
  );
  let copies: readonly VolumeCopy[] = promisedCopies(stored).filter((copy) => usable.has(copy.spec.node));
  for (const volume of volumes) {
    // Placements are dropped: what they promise is in `copies` already, and what lies on lost nodes is given up.
    const result = placeVolume({ ...stored, volumes: [], copies }, volume);
    const name = volume.metadata.name ?? '';
    if (!result.ok) {
      found.set(name, { hasRoom: false, message: result.message, smallestChange: result.smallestChange });
      continue;
    }
    const sizes = copySizes(volume.spec);
    const bytes = result.placed.reduce((sum, placed) => sum + sizes[placed.role], 0);
    found.set(name, { hasRoom: true, places: result.placed, bytes });
    copies = [...copies, ...result.placed.map((placed) => imaginedCopy(volume, placed))];
  }
  return found;
}
