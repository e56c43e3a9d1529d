/** Where the copies of an adopted volume are: where they were found, and nowhere else. */
import type { Adopted, PlacedCopy, Volume, VolumeSpec } from '../../schemas/volume.ts';
import { wantedCopies } from '../volume/replica-sets.ts';

/** What the copies of an adopted volume say as their pool: they lie where whoever made them put them. */
const ADOPTED_POOL = 'adopted';

type AdoptedPlacement =
  | { readonly ok: true; readonly placement: readonly PlacedCopy[]; readonly reasons: readonly string[] }
  | { readonly ok: false; readonly message: string; readonly reasons: readonly string[] };

/**
 * The placement of an adopted volume.
 *
 * @param known - names of all nodes, since each brick needs an agent that looks after it; and all other volumes
 * @param nameOf - the name of the copy with that place in the engine's order
 */
export function placeAdopted(
  spec: VolumeSpec,
  adopted: Adopted,
  known: { readonly nodes: readonly string[]; readonly others: readonly Pick<Volume, 'metadata' | 'spec'>[] },
  nameOf: (index: number) => string,
): AdoptedPlacement {
  const refuse = (message: string): AdoptedPlacement => ({ ok: false, message, reasons: [message] });
  const other = known.others.find((volume) => volume.spec.adopted?.engineId === adopted.engineId);
  if (other !== undefined) {
    return refuse(`volume ${other.metadata.name} has adopted the same volume of the engine; delete one of the two`);
  }
  const unknown = adopted.bricks.filter((brick) => !known.nodes.includes(brick.node)).map((brick) => brick.node);
  if (unknown.length > 0) {
    const names = [...new Set(unknown)].toSorted().join(', ');
    return refuse(`the adopted volume has bricks on ${names}, which Holdfast does not have; add them to the plan`);
  }
  const copies = wantedCopies(spec);
  if (copies.length !== adopted.bricks.length) {
    return refuse(`the adopted volume has ${adopted.bricks.length} bricks, its layout ${copies.length} copies`);
  }
  const placement = adopted.bricks.map(({ node }, index) => {
    const { role = 'data', set } = copies[index] ?? {};
    return { copy: nameOf(index), node, pool: ADOPTED_POOL, role, ...(set === undefined ? {} : { set }) };
  });
  const reasons = adopted.bricks.map(({ node, path }) => `${node}: adopted with ${path}`);
  return { ok: true, placement, reasons };
}
