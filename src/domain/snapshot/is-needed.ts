/** Whether a volume still needs a snapshot. Pure: the controller and the command line ask the same question. */
import type { Volume } from '../../schemas/volume.ts';
import { isRestoring } from '../volume/decide-restore.ts';

/**
 * A clone needs it until it is made: the engine makes a volume only when every copy has its image, and goes on without the
 * snapshot then. A volume that is being restored needs what it is to hold, and what it held, to the end.
 */
export function isNeededBy(
  { metadata, spec, status }: Volume,
  snapshot: { readonly name?: string | undefined; readonly uid?: string | undefined },
): boolean {
  if (metadata.deletionTimestamp !== undefined) return false;
  const isMade = status?.engine?.engineId !== undefined;
  if (spec.source?.snapshotUid === snapshot.uid && !isMade && !isRestoring(status)) return true;
  const { restore } = status ?? {};
  if (restore === undefined || !isRestoring(status)) return false;
  return restore.snapshotUid === snapshot.uid || restore.safetySnapshot === snapshot.name;
}
