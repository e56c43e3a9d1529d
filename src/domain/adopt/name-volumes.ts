/** What adopted volumes are called in the plan: as the engine calls them, where that can be the name of a Volume. Pure. */
import { labelFault } from '../names.ts';

interface Named {
  readonly id: string;
  /** In the engine. */
  readonly name: string;
}

/**
 * The name of each volume in the plan, by its identity. Heketi's vol_8A7B becomes vol-8a7b; where another volume is called so
 * it carries the beginning of its identity too.
 *
 * @param taken - names that volumes of the plan have, other than these
 */
export function nameVolumes(volumes: readonly Named[], taken: readonly string[]): ReadonlyMap<string, string> {
  // Whoever has the name in the engine keeps it.
  const used = new Set([...taken, ...volumes.map(({ name }) => name)]);
  const names = new Map<string, string>();
  for (const { id, name } of volumes) {
    if (labelFault(name) === undefined) {
      names.set(id, name);
      continue;
    }
    const plain = asLabel(name);
    const chosen =
      plain === '' || used.has(plain) ? asLabel(`${(plain || 'volume').slice(0, 54)}-${id.slice(0, 8)}`) : plain;
    used.add(chosen);
    names.set(id, chosen);
  }
  return names;
}

function asLabel(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]/g, '-')
    .slice(0, 63)
    .replaceAll(/^-+|-+$/g, '');
}
