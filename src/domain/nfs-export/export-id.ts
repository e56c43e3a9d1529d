/**
 * The number of an export. It is in every file handle that a client keeps, so a volume has the same one on each node, and
 * the same again when it is exported anew: clients that were not unmounted meanwhile go on.
 */

import { spread } from '../spread.ts';

/** NFS-Ganesha keeps it in 16 bits, and 0 is its own. */
export const MAX_EXPORT_ID = 65_535;

export interface KnownExport {
  readonly volume: string;
  readonly id: number;
}

/**
 * Chooses the number of a volume's export: the one that it has on another node, else the first free one from where its
 * UID leads to. Undefined when all are taken.
 */
export function chooseExportId(
  { name, uid }: { readonly name: string; readonly uid: string },
  known: readonly KnownExport[],
): number | undefined {
  const own = known.find(({ volume }) => volume === name);
  if (own !== undefined) return own.id;
  const taken = new Set(known.map(({ id }) => id));
  const start = spread(uid);
  for (let step = 0; step < MAX_EXPORT_ID; step += 1) {
    const id = ((start + step) % MAX_EXPORT_ID) + 1;
    if (!taken.has(id)) return id;
  }
  return undefined;
}
