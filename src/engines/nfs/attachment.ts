/** NFS volumes mounted on this node: what is there, mount and unmount. */
import { AppError } from '../../domain/errors.ts';
import { isOwned, mountSource } from '../../domain/nfs/share.ts';
import type { DesiredAttachment, DesiredShare, ObservedAttachment } from '../../ports/engine.ts';
import type { Host } from '../../ports/host.ts';
import { lookAtMount } from '../mount/look-at-mount.ts';
import { isMarked } from './folder-identity.ts';
import type { NfsDeps } from './observe-volume.ts';
import { partsOf, readMark, sharePaths } from './share-paths.ts';
import type { FolderOf, NfsMountStep } from './steps.ts';

const LOOK_MS = 5_000;
const MOUNT_MS = 30_000;

/** Observes a mount. */
export async function observeNfsAttachment(
  host: Host,
  { mountPath, share }: Pick<DesiredAttachment, 'mountPath' | 'share'>,
  signal: AbortSignal,
): Promise<ObservedAttachment> {
  const entry = (await host.mounts.list()).findLast(({ target }) => target === mountPath);
  if (entry === undefined) return { subject: 'attachment', state: 'absent' };
  const isOurs = share !== undefined && isNfs(entry.fsType) && entry.source === mountSource(share);
  if (!isOurs) {
    const message = `${entry.source} (${entry.fsType}) is mounted at ${mountPath} on ${host.name}; it is left alone`;
    return { subject: 'attachment', state: 'foreign', message };
  }
  const silence = await lookAtMount(host, 'usage', { mountPath, timeoutMs: LOOK_MS, signal });
  if (silence === undefined) return { subject: 'attachment', state: 'mounted', isAnswering: true };
  const message = `the share at ${mountPath} on ${host.name} does not answer: ${silence.message}`;
  // Answered with an error (ESTALE, its folder was exchanged) it never comes back; a silent server may.
  if (silence.isFailed) return { subject: 'attachment', state: 'dead', message };
  return { subject: 'attachment', state: 'mounted', isAnswering: false, message };
}

/**
 * Mounts a share, or the folder of it that the volume is; no error when it is mounted there already.
 *
 * The server follows symlinks on the way to a folder, so the mount is compared with the folder as it was reached without, and that
 * with its mark.
 *
 * Invariant: at its path a mount is only ever seen after that. It is made aside, and bound to its place then: an agent that dies in between
 * leaves nothing that the next one takes for good.
 *
 * @throws {AppError} as mount.nfs says; precondition NotTheFolder
 */
export async function mountShare(
  host: Host,
  deps: NfsDeps,
  { share, mountPath, options, volume }: Extract<NfsMountStep, { step: 'mountShare' }>,
  signal: AbortSignal,
): Promise<void> {
  const source = mountSource(share);
  const found = await findFolder(deps, share, signal);
  const entry = (await host.mounts.list()).findLast(({ target }) => target === mountPath);
  if (entry?.source === source) return;
  await host.files.makeDirectory(mountPath);
  await deps.shares.aside({ mountPath, source, options }, signal, async (aside) => {
    // Asked of the folder after the mount: so it cannot be of another one that was exchanged before.
    const isIt =
      found === undefined ||
      ((await readInode(host, aside, signal)) === found.inode && (await isVolumeFolder(deps, found.share, signal)));
    if (!isIt) throw notTheFolder(source, volume);
    await bindChecked(host, { aside, source, mountPath }, signal);
  });
}

function notTheFolder(source: string, volume: string): AppError {
  return new AppError('precondition', `${source} leads to another folder than that of ${volume}; it is not mounted`, {
    reason: 'NotTheFolder',
    hint: `somebody has put a symlink or another folder in its place; look at it on the file server. Where that was set up anew: holdfast volume accept-folder ${volume}`,
  });
}

/** Should what is aside have gone in the meantime, an empty folder of the machine is bound: nobody may write into that. */
async function bindChecked(
  host: Host,
  { aside, source, mountPath }: { readonly aside: string; readonly source: string; readonly mountPath: string },
  signal: AbortSignal,
): Promise<void> {
  await host.mounts.mount({ source: aside, target: mountPath, options: ['bind'], timeoutMs: MOUNT_MS, signal });
  const entry = (await host.mounts.list()).findLast(({ target }) => target === mountPath);
  if (entry !== undefined && isNfs(entry.fsType) && entry.source === source) return;
  await host.mounts.unmount(mountPath, { lazy: true, timeoutMs: MOUNT_MS });
  throw new AppError('unavailable', `${source} is not mounted on ${host.name}`, { reason: 'MountRefused' });
}

/** Unmounts; whatever else is mounted at the path stays. */
export async function unmountShare(
  host: Host,
  { mountPath, source, isLazy }: Extract<NfsMountStep, { step: 'unmountShare' }>,
): Promise<void> {
  const entry = (await host.mounts.list()).findLast(({ target }) => target === mountPath);
  if (entry?.source !== source) return;
  await host.mounts.unmount(mountPath, { lazy: isLazy, timeoutMs: MOUNT_MS });
}

/** Undefined for the whole of a share. @throws {AppError} precondition, when the folder is not there */
async function findFolder({ folders, shares }: NfsDeps, share: DesiredShare, signal: AbortSignal) {
  const { subDir } = share;
  if (subDir === undefined) return undefined;
  const seen = await shares.use(share, signal, (root) => folders.stat({ root, parts: partsOf(subDir) }));
  if (seen?.type === 'directory') return { inode: seen.inode, share: { ...share, subDir } };
  throw new AppError('precondition', `there is no folder ${mountSource(share)}`, {
    reason: 'FolderLost',
    hint: 'see on the file server what became of it',
  });
}

/** True as well where nothing is Holdfast's own: of a folder that is retained whatever is at its place is used. */
async function isVolumeFolder({ folders, shares, hash }: NfsDeps, share: FolderOf['share'], signal: AbortSignal) {
  if (!isOwned(share)) return true;
  return shares.use(share, signal, async (root) => {
    const paths = sharePaths({ root, ...share }, hash);
    const mark = readMark(await folders.readText(paths.mark));
    return mark?.volumeUid === share.volumeUid && (await isMarked(folders, { place: paths.folder, mark }, signal));
  });
}

async function readInode(host: Host, path: string, signal: AbortSignal): Promise<number> {
  const { stdout } = await host.run({
    file: 'stat',
    args: ['--format=%i', '--', path],
    timeoutMs: LOOK_MS,
    signal,
  });
  return Number(stdout.trim());
}

function isNfs(fsType: string): boolean {
  return fsType === 'nfs' || fsType === 'nfs4';
}
