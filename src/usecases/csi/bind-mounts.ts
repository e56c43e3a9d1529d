/** Binds of a mounted volume at the paths that a caller names: made, looked at, and taken away. */
import { parseTargetPath } from '../../domain/csi/target-path.ts';
import { AppError, messageOf } from '../../domain/errors.ts';
import type { Host, MountEntry } from '../../ports/host.ts';
import { isRunError } from '../../ports/run-error.ts';

/** A look at a mount that is served is answered in milliseconds. */
const LOOK_MS = 5_000;
const MOUNT_MS = 20_000;

export interface BindDeps {
  readonly host: Host;
  readonly targetRoot: string;
}

/** What is at a path: nothing, a bind of the volume, one of a mount that has died, or something else. */
export type SeenBind =
  | { readonly state: 'absent' }
  | { readonly state: 'bound'; readonly entry: MountEntry }
  | { readonly state: 'dead' }
  | { readonly state: 'foreign'; readonly entry: MountEntry };

/** The mount on top at a path; the others there cannot be reached. */
export async function mountAt(host: Host, path: string): Promise<MountEntry | undefined> {
  return (await host.mounts.list()).findLast((entry) => entry.target === path);
}

/**
 * Looks at a path beside the mount of the volume itself, which has to answer: what then does not is dead.
 *
 * @throws {AppError} unavailable, when the volume does not answer
 */
export async function seeBind(
  { host }: BindDeps,
  { path, source }: { readonly path: string; readonly source: string },
  signal: AbortSignal,
): Promise<SeenBind> {
  const entry = await mountAt(host, path);
  if (entry === undefined) return { state: 'absent' };
  const device = await deviceOf(host, source, signal);
  if ('failure' in device) {
    throw new AppError('unavailable', `the volume does not answer at ${source} on ${host.name}: ${device.failure}`, {
      reason: 'VolumeSilent',
      hint: 'it does again when enough of its copies are back',
    });
  }
  const seen = await deviceOf(host, path, signal);
  if ('failure' in seen) return { state: 'dead' };
  // Volumes in directories of one pool share its file system.
  const isSame = seen.id === device.id && entry.root === (await mountAt(host, source))?.root;
  return isSame ? { state: 'bound', entry } : { state: 'foreign', entry };
}

/** Device number of the file system at a path, asked in a program of its own: a silent mount blocks whoever asks. */
async function deviceOf(
  host: Host,
  path: string,
  signal: AbortSignal,
): Promise<{ readonly id: string } | { readonly failure: string }> {
  try {
    const found = await host.run({ file: 'stat', args: ['--format=%d', '--', path], timeoutMs: LOOK_MS, signal });
    return { id: found.stdout.trim() };
  } catch (error) {
    signal.throwIfAborted();
    if (!isRunError(error)) throw error;
    return { failure: messageOf(error) };
  }
}

/** What is bound: a folder to a folder, or a device to an empty file. */
export type BindKind = 'folder' | 'device';

/**
 * Makes the folder, or the file, of a path and whatever of its parents is missing, below the root.
 *
 * @throws {AppError} invalid, for a path that leads over a symlink or a file
 */
export async function makeTarget(
  deps: BindDeps,
  { field, written, kind }: { readonly field: string; readonly written: string; readonly kind: BindKind },
): Promise<string> {
  const { path, parts } = parseTargetPath(field, written, deps.targetRoot);
  for (const part of parts) {
    // What is mounted there may answer nobody. The table shows paths with their symlinks followed, so this one is none.
    if (part === path && (await mountAt(deps.host, path)) !== undefined) break;
    const found = await deps.host.files.stat(part);
    const isFile = part === path && kind === 'device';
    if (found === undefined) await (isFile ? makeFile(deps.host, part) : makeFolder(deps.host, part));
    else if (found.type !== (isFile ? 'file' : 'directory')) throw notFolder(field, part, found.type);
  }
  return path;
}

const makeFile = (host: Host, path: string) => host.files.writeText(path, '', { mode: 0o600 });
const makeFolder = (host: Host, path: string) => host.files.makeDirectory(path, { mode: 0o750 });

/** As {@link makeTarget}, and makes nothing. @returns undefined, when there is no such folder and so no mount */
export async function findTarget(deps: BindDeps, field: string, written: string): Promise<string | undefined> {
  const { path, parts } = parseTargetPath(field, written, deps.targetRoot);
  // The mount itself is not looked at: one that is dead or silent answers nobody.
  for (const part of parts.slice(0, -1)) {
    const found = await deps.host.files.stat(part);
    if (found === undefined) return undefined;
    if (found.type !== 'directory') throw notFolder(field, part, found.type);
  }
  return path;
}

function notFolder(field: string, part: string, type: string): AppError {
  return new AppError('invalid', `${field} leads over ${part}, which is a ${type}`, {
    reason: 'PathLeadsAway',
    hint: 'name a path of folders only; a device is bound to a file in the last of them',
  });
}

/**
 * Binds what is at `source` to a path, with the options of the bind.
 *
 * @throws {AppError} with nothing mounted, neither at the path nor where it was made to lead meanwhile
 */
export async function bind(
  deps: BindDeps,
  { source, path, options }: { readonly source: string; readonly path: string; readonly options: readonly string[] },
  signal: AbortSignal,
): Promise<void> {
  const { host } = deps;
  const before = await host.mounts.list();
  try {
    await host.mounts.mount({ source, target: path, options: ['bind'], timeoutMs: MOUNT_MS, signal });
    if ((await mountAt(host, path)) === undefined) {
      throw new AppError('invalid', `${path} on ${host.name} has become a symlink while it was mounted`, {
        reason: 'PathLeadsAway',
      });
    }
    await setOptions(deps, { source, path, options }, signal);
  } catch (error) {
    // Also when the call was given up: the kernel may have mounted it before mount(8) was killed.
    await undoBind(deps, source, before);
    throw error;
  }
}

/** mount(2) takes no other option together with a bind, so they come after it. */
export async function setOptions(
  { host }: BindDeps,
  { source, path, options }: { readonly source: string; readonly path: string; readonly options: readonly string[] },
  signal: AbortSignal,
): Promise<void> {
  const remount = ['remount', 'bind', ...options];
  await host.mounts.mount({ source, target: path, options: remount, timeoutMs: MOUNT_MS, signal });
}

/** Takes away what of the volume is mounted now and was not before, wherever that is: a path can be made to lead elsewhere. */
async function undoBind({ host }: BindDeps, source: string, before: readonly MountEntry[]): Promise<void> {
  const own = await mountAt(host, source);
  const isOwn = (entry: MountEntry): boolean =>
    entry.source === own?.source && entry.fsType === own.fsType && entry.root === own.root && entry.target !== source;
  const had = new Set(before.filter(isOwn).map((entry) => entry.target));
  const made = (await host.mounts.list()).filter((entry) => isOwn(entry) && !had.has(entry.target));
  for (const { target } of made) await host.mounts.unmount(target, { lazy: true, timeoutMs: MOUNT_MS });
}

/**
 * Takes a bind away, with its folder; no error when there is none.
 *
 * @param isFolderKept - the folder is its maker's
 */
export async function unbind(
  { host }: BindDeps,
  path: string,
  { isLazy = false, isFolderKept = false }: { readonly isLazy?: boolean; readonly isFolderKept?: boolean } = {},
): Promise<void> {
  await host.mounts.unmount(path, { lazy: isLazy, timeoutMs: MOUNT_MS });
  if (isFolderKept) return;
  const left = await host.files.stat(path);
  if (left?.type === 'directory' || (left?.type === 'file' && left.sizeBytes === 0)) await host.files.remove(path);
}
