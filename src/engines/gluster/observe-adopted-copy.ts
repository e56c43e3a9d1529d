/**
 * A brick directory that somebody else made. It is only looked at: that it is there is proven by the mark that glusterd
 * gave it for exactly the adopted volume. An empty folder below a file system that is not mounted does not have it.
 */
import { isAppError, messageOf } from '../../domain/errors.ts';
import type { DesiredCopy, ObservedCopy } from '../../ports/engine.ts';
import type { Host } from '../../ports/host.ts';
import { plainPath } from '../image/paths.ts';
import { readVolumeId } from './volume-id.ts';

/**
 * Observes an adopted directory.
 *
 * One that is to go counts as absent at once: forgetting it is all that is ever done to it.
 */
export async function observeAdoptedCopy(
  host: Host,
  desired: DesiredCopy & { readonly adopted: NonNullable<DesiredCopy['adopted']> },
  signal: AbortSignal,
): Promise<ObservedCopy> {
  const { engineId } = desired.adopted;
  const path = plainPath(desired.adopted.path, 'brick path');
  const seen = { subject: 'copy', brickPath: path } as const;
  if (!desired.isPresent) return { ...seen, state: 'absent' };
  try {
    const info = await host.files.stat(path);
    if (info?.type !== 'directory') {
      const message = `there is no directory ${path} on ${host.name}; see whether its disk is mounted`;
      return { ...seen, state: 'broken', message };
    }
    const found = await readVolumeId(host, path, signal);
    if (found !== engineId.toLowerCase()) {
      const what = found === undefined ? 'marked for no volume' : `marked for another volume (${found})`;
      const message = `${path} on ${host.name} is ${what}, not for ${desired.volume} (${engineId}); see whether its disk is mounted`;
      return { ...seen, state: 'broken', message };
    }
    const { capacityBytes } = await host.files.usage(path);
    return { ...seen, state: 'ready', sizeBytes: desired.sizeBytes, capacityBytes };
  } catch (error) {
    if (!isAppError(error, 'unavailable')) throw error;
    return { ...seen, state: 'broken', message: `${path} on ${host.name} cannot be read: ${messageOf(error)}` };
  }
}
