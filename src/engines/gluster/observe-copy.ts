/** What is there of one copy on this node. Looks only. */
import { isAppError, messageOf } from '../../domain/errors.ts';
import type { DesiredCopy } from '../../ports/engine.ts';
import type { Host } from '../../ports/host.ts';
import { findBlankBrick } from './blank-brick.ts';
import type { GlusterCli } from './cli.ts';
import { findFolder, findMount, foreignEntries, statAs } from './copy-folder.ts';
import { type CopyPaths, copyPaths } from './paths.ts';
import type { ObservedGlusterCopy } from './plan-copy.ts';
import { hasEmptyVolumeFile } from './volume-files.ts';

/**
 * Observes a copy. What cannot be read is 'broken', with the reason.
 *
 * @throws {AppError} precondition, when the pool is missing or the way to the copy leads over a symlink
 */
export async function observeCopy(
  { host, cli }: { readonly host: Host; readonly cli: GlusterCli },
  desired: DesiredCopy,
  signal: AbortSignal,
): Promise<ObservedGlusterCopy> {
  const paths = copyPaths(desired);
  const seen = (state: ObservedGlusterCopy['state'], more: Partial<ObservedGlusterCopy> = {}): ObservedGlusterCopy => ({
    subject: 'copy',
    state,
    brickPath: paths.brick,
    ...more,
  });
  if (!(await findFolder(host, paths))) return seen('absent');
  const foreign = await foreignEntries(host, paths);
  if (foreign.length > 0) {
    const message = `${paths.folder} on ${host.name} holds what Holdfast did not put there: ${foreign.slice(0, 5).join(', ')}`;
    return seen('broken', { message, ...(await seeImage(host, paths)) });
  }
  const image = desired.brick === 'image' ? await seeImage(host, paths) : {};
  if (desired.brick === 'image' && image.isMounted !== true) return seen('partial', image);
  try {
    if ((await statAs(host, paths.brick, 'directory')) === undefined) return seen('partial', image);
    const isUndescribed = await hasEmptyVolumeFile(host, desired.volume);
    const blank = await findBlankBrick({ host, cli }, desired, paths.brick, signal);
    if (blank === undefined) return seen('ready', { ...image, isUndescribed });
    const message = `a power loss left the brick directory ${paths.brick} on ${host.name} blank`;
    return seen('broken', { ...image, isUndescribed, blank, message });
  } catch (error) {
    // An XFS that met an error answers EIO to everything until it is mounted anew; `volume status` does not notice.
    if (desired.brick === 'directory' || !isFileFault(error)) throw error;
    const message = `the file system of the copy has shut down: ${messageOf(error)}`;
    return seen('broken', { ...image, isShutDown: true, message });
  }
}

function isFileFault(error: unknown): boolean {
  return isAppError(error, 'unavailable') && error.reason === 'FileAccessFailed';
}

async function seeImage(host: Host, paths: CopyPaths): Promise<Partial<ObservedGlusterCopy>> {
  const hasImage = (await statAs(host, paths.image, 'file')) !== undefined;
  return { hasImage, isMounted: (await findMount(host, paths)) !== undefined };
}
