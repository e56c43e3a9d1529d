/** What is there of one copy on this node. Looks only. */
import { isAppError, messageOf } from '../../domain/errors.ts';
import type { DesiredCopy } from '../../ports/engine.ts';
import type { Host } from '../../ports/host.ts';
import { seeReadyEncryption } from '../image/choose-encryption.ts';
import { findFolder, foreignEntries, hasEmptyParents, statAs } from '../image/copy-folder.ts';
import { seeImage, seeSize } from '../image/observe-image.ts';
import { copyPaths } from '../image/paths.ts';
import { findBlankBrick } from './blank-brick.ts';
import type { GlusterCli } from './cli.ts';
import { observeAdoptedCopy } from './observe-adopted-copy.ts';
import type { ObservedGlusterCopy } from './plan-copy.ts';
import { hasLostPort } from './stop-brick.ts';
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
  const { adopted } = desired;
  if (adopted !== undefined) return observeAdoptedCopy(host, { ...desired, adopted }, signal);
  const paths = copyPaths(desired);
  const seen = (state: ObservedGlusterCopy['state'], more: Partial<ObservedGlusterCopy> = {}): ObservedGlusterCopy => ({
    subject: 'copy',
    state,
    brickPath: paths.brick,
    ...more,
  });
  if (!(await findFolder(host, paths))) {
    // A removal that was cut short at its very end leaves the folders that copies share.
    return seen(!desired.isPresent && (await hasEmptyParents(host, paths)) ? 'partial' : 'absent');
  }
  const foreign = await foreignEntries(host, paths);
  if (foreign.length > 0) {
    const message = `${paths.folder} on ${host.name} holds what Holdfast did not put there: ${foreign.slice(0, 5).join(', ')}`;
    return seen('broken', { message, ...(await seeImage(host, paths)) });
  }
  const image = desired.brick === 'image' ? await seeImage(host, paths) : {};
  if (desired.brick === 'image' && image.isMounted !== true) return seen('partial', image);
  const { state, ...more } = await seeFileSystem({ host, cli }, desired, { ...image, signal });
  const isLost = state === 'ready' && desired.isCutOff === true && (await hasLostPort(cli, desired, signal));
  return seen(state, { ...image, ...more, ...(isLost ? { hasLostPort: true } : {}) });
}

async function seeFileSystem(
  { host, cli }: { readonly host: Host; readonly cli: GlusterCli },
  desired: DesiredCopy,
  { imageBytes, signal }: { readonly imageBytes?: number | undefined; readonly signal: AbortSignal },
): Promise<Partial<ObservedGlusterCopy> & Pick<ObservedGlusterCopy, 'state'>> {
  try {
    const brick = await seeBrick({ host, cli }, desired, signal);
    if (brick.state !== 'ready') return brick;
    const size = await seeSize(host, desired, { imageBytes, signal });
    return { ...brick, ...size, ...(await seeReadyEncryption(host, desired, copyPaths(desired).image)) };
  } catch (error) {
    // An XFS that met an error answers EIO to everything until it is mounted anew; `volume status` does not notice.
    if (desired.brick === 'directory' || !isFileFault(error)) throw error;
    return {
      state: 'broken',
      isShutDown: true,
      message: `the file system of the copy has shut down: ${messageOf(error)}`,
    };
  }
}

async function seeBrick(
  { host, cli }: { readonly host: Host; readonly cli: GlusterCli },
  desired: DesiredCopy,
  signal: AbortSignal,
): Promise<Partial<ObservedGlusterCopy> & Pick<ObservedGlusterCopy, 'state'>> {
  const { brick } = copyPaths(desired);
  if ((await statAs(host, brick, 'directory')) === undefined) return { state: 'partial' };
  const isUndescribed = await hasEmptyVolumeFile(host, desired.volume);
  const blank = await findBlankBrick({ host, cli }, desired, brick, signal);
  if (blank === undefined) return { state: 'ready', isUndescribed };
  return { state: 'broken', isUndescribed, blank, message: blank.message };
}

function isFileFault(error: unknown): boolean {
  return isAppError(error, 'unavailable') && error.reason === 'FileAccessFailed';
}
