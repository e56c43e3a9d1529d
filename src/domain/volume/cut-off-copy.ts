/** Copies whose process runs and that the volume's anchor cannot reach all the same. Pure. */
import type { VolumeEngineStatus } from '../../schemas/volume.ts';

/**
 * The one copy that may be served anew, which takes it away for a moment. Invariant: at most one at a time, and only while
 * every other copy of the volume is served or cut off itself, so that nothing is taken away that clients count on.
 *
 * @param bricks - of those copies that the engine has it made of
 */
export function copyToReconnect(bricks: VolumeEngineStatus['bricks']): string | undefined {
  const cutOff = bricks.filter((brick) => brick.isOnline && !brick.isReadable);
  return bricks.every((brick) => brick.isOnline) ? cutOff[0]?.copy : undefined;
}
