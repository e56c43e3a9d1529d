/** A local volume is its one copy: it is there when that is, and served when that can be read and written. */
import { isAppError } from '../../domain/errors.ts';
import type { DesiredVolume, ObservedBrick, ObservedVolume } from '../../ports/engine.ts';
import type { Host } from '../../ports/host.ts';
import { findMount } from '../image/copy-folder.ts';
import { copyPaths, parseCopyPath } from '../image/paths.ts';

/** Observes a volume by the copy that it is wanted to be made of. One that is to go is gone: its copy is erased by itself. */
export async function observeLocalVolume(host: Host, desired: DesiredVolume): Promise<ObservedVolume> {
  const nothing = { subject: 'volume', isPresent: false, isStarted: false, bricks: [], options: {} } as const;
  const [wanted] = desired.bricks;
  if (!desired.isPresent || wanted === undefined) return nothing;
  const brick = await observeBrick(host, wanted);
  // What was there once is not taken for never made: a disk that is lost is a fault, and not a new volume.
  if (!brick.isOnline && desired.engineId === undefined) return nothing;
  return {
    subject: 'volume',
    isPresent: true,
    isStarted: true,
    engineId: desired.engineId ?? parseCopyPath(wanted.path).copyUid,
    bricks: [brick],
    options: {},
    hasProfile: true,
  };
}

async function observeBrick(
  host: Host,
  { node, path }: { readonly node: string; readonly path: string },
): Promise<ObservedBrick> {
  const paths = copyPaths(parseCopyPath(path));
  try {
    const wanted = parseCopyPath(path).brick === 'block' ? 'file' : 'directory';
    const [seen, mounted] = [await host.files.stat(path), await findMount(host, paths)];
    const isReadOnly = mounted?.options.includes('ro') === true;
    return { node, path, isOnline: seen?.type === wanted && !isReadOnly, isReadable: true };
  } catch (error) {
    if (!isAppError(error, 'unavailable')) throw error;
    return { node, path, isOnline: true, isReadable: false }; // EIO: its file system, or the pool's, has shut down
  }
}
