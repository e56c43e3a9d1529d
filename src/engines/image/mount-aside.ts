/** An image of a copy mounted where nobody else looks: while it is being made, or before it has its key. */
import type { Host } from '../../ports/host.ts';
import { findMount, statAs } from './copy-folder.ts';
import { type FolderEncryption, unlock } from './encrypted-folder.ts';
import { fileSystemOf } from './file-systems.ts';
import type { CopyIdentity, CopyPaths } from './paths.ts';

/** Of a mount that no program is to use. */
export const UNUSED = ['nodev', 'nosuid', 'noexec'] as const;

/** The replay of a log takes its time on a slow disk. */
const LONG_MS = 300_000;

export interface Aside {
  readonly copy: CopyIdentity;
  readonly paths: CopyPaths;
  /** The image to mount. */
  readonly image: string;
  /** Beside those that every image has. */
  readonly options: readonly string[];
  readonly signal: AbortSignal;
  /** What it is open as, where it is encrypted as a whole. */
  readonly device?: string;
  /** Its loop device, where it has one already. */
  readonly loop?: string;
}

/**
 * Mounts an image for as long as `act` takes; an encrypted one with its key, unless that is still to be made.
 *
 * @throws {AppError} precondition, when its key is missing or another
 */
export async function mountAside(
  encryption: FolderEncryption,
  { copy, paths, image, options, signal, device, loop }: Aside,
  act: (mountPoint: string) => Promise<void>,
  isNew = false,
): Promise<void> {
  const { host } = encryption;
  const { keySecret } = copy;
  await host.files.makeDirectory(paths.cloneMount, { mode: 0o700 });
  await host.mounts.mount({
    source: device ?? loop ?? image,
    target: paths.cloneMount,
    fsType: fileSystemOf(copy).type,
    options: [...((device ?? loop) === undefined ? ['loop'] : []), 'noatime', ...options],
    timeoutMs: LONG_MS,
  });
  try {
    const mountPoint = paths.cloneMount;
    const folder = `${mountPoint}${paths.brick.slice(paths.mountPoint.length)}`;
    const isFolder = keySecret !== undefined && device === undefined;
    if (isFolder && !isNew) await unlock(encryption, { mountPoint, folder, keySecret, signal });
    await act(mountPoint);
  } finally {
    await unmountAside(host, paths);
  }
}

/** Takes such a mount away, also one that a try that was cut short has left. */
export async function unmountAside(host: Host, paths: CopyPaths): Promise<void> {
  const mounted = await findMount(host, { ...paths, mountPoint: paths.cloneMount });
  if (mounted !== undefined) await host.mounts.unmount(mounted.target, { timeoutMs: LONG_MS });
  await statAs(host, paths.cloneMount, 'directory');
  await host.files.remove(paths.cloneMount);
}
