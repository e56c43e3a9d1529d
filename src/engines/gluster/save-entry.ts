/**
 * Puts one copy's version of a file aside, below the pool: POOL/.holdfast/saved/VOLUME-UID/TASK-UID/COPY-UID/ holds
 * `content` and `about.json`. The folder gets its name when everything in it is synced, and is never written again: after
 * a crash at any line there is either nothing of that name, or the whole version.
 */
import { AppError, isAppError } from '../../domain/errors.ts';
import type { SavedVersion, SavePlace } from '../../ports/brick-work.ts';
import type { Host } from '../../ports/host.ts';
import { plainPath } from '../image/paths.ts';
import { findEntry, hashFile } from './inspect-entry.ts';

const SHORT_MS = 20_000;
const COPY_MS = 3 * 3_600_000;
const UID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What is written beside the content. */
export interface SavedAbout extends SavedVersion {
  readonly path: string;
}

/** The folder of a saved version. @throws {AppError} invalid, for what is no UID */
export function savedFolder({ poolPath, volumeUid, taskUid, copyUid }: SavePlace): string {
  for (const uid of [volumeUid, taskUid, copyUid]) {
    if (!UID.test(uid)) throw new AppError('invalid', `${JSON.stringify(uid.slice(0, 60))} is no UID of an object`);
  }
  return `${plainPath(poolPath, 'pool path')}/.holdfast/saved/${volumeUid}/${taskUid}/${copyUid}`;
}

/** The saved version in a place; undefined when there is none. */
export async function readSaved(host: Host, place: SavePlace): Promise<SavedAbout | undefined> {
  try {
    return JSON.parse(await host.files.readText(`${savedFolder(place)}/about.json`)) as SavedAbout;
  } catch (error) {
    if (isAppError(error, 'notFound')) return undefined;
    throw error;
  }
}

/** As port BrickWork has it. */
export async function saveEntry(
  host: Host,
  request: { readonly brickPath: string; readonly path: string; readonly place: SavePlace },
  signal: AbortSignal,
): Promise<SavedVersion | undefined> {
  const { path, place } = request;
  // Also after the entry was resolved: what is here is what was before.
  const before = await readSaved(host, place);
  if (before !== undefined) return before;
  const found = await findEntry(host, request, signal);
  if (found === undefined) return undefined;
  const { version, safePath } = found;
  if (version.type !== 'file') throw notAFile(path, version.type, host.name);
  return saveFile(host, { source: safePath, version, path, place }, signal);
}

/** Copies a file into its place, synced. */
export async function saveFile(
  host: Host,
  request: {
    readonly source: string;
    readonly cwd?: string;
    readonly version: Omit<SavedVersion, 'savedIn' | 'sha256'>;
    readonly path: string;
    readonly place: SavePlace;
  },
  signal: AbortSignal,
): Promise<SavedAbout> {
  const savedIn = savedFolder(request.place);
  const unfinished = `${savedIn}.new`;
  await requireRoom(host, request);
  await host.files.makeDirectory(unfinished, { mode: 0o700 });
  const content = `${unfinished}/content`;
  const cwd = request.cwd === undefined ? {} : { cwd: request.cwd };
  await host.run({
    file: 'cp',
    args: [...COPY_ARGS, '--', request.source, content],
    timeoutMs: COPY_MS,
    signal,
    ...cwd,
  });
  await host.run({ file: 'sync', args: ['--', content], timeoutMs: COPY_MS, signal });
  const copied = await host.files.stat(content);
  if (copied?.type !== 'file') throw notAFile(request.path, copied?.type ?? 'nothing', host.name);
  const sha256 = await hashFile(host, content, signal);
  const about: SavedAbout = { ...request.version, sizeBytes: copied.sizeBytes, sha256, savedIn, path: request.path };
  await host.files.writeText(`${unfinished}/about.json`, `${JSON.stringify(about, undefined, 2)}\n`, { mode: 0o600 });
  await host.run({
    file: 'mv',
    args: ['--no-target-directory', '--', unfinished, savedIn],
    timeoutMs: SHORT_MS,
    signal,
  });
  // The names of the folders that were made on the way, too.
  const holdfast = `${request.place.poolPath}/.holdfast`;
  const { volumeUid, taskUid } = request.place;
  const folders = [savedIn, `${holdfast}/saved/${volumeUid}/${taskUid}`, `${holdfast}/saved/${volumeUid}`];
  await host.run({
    file: 'sync',
    args: ['--', ...folders, `${holdfast}/saved`, holdfast],
    timeoutMs: SHORT_MS,
    signal,
  });
  return about;
}

/** Owner, mode and time go along. Never follows a symlink. */
export const COPY_ARGS = [
  '--reflink=auto',
  '--no-dereference',
  '--preserve=mode,ownership,timestamps',
  '--no-target-directory',
] as const;

async function requireRoom(host: Host, { version, path, place }: Parameters<typeof saveFile>[1]): Promise<void> {
  const { freeBytes } = await host.files.usage(place.poolPath);
  if (freeBytes > version.sizeBytes) return;
  throw new AppError(
    'capacity',
    `pool ${place.poolPath} on ${host.name} has ${freeBytes} bytes free, too few to put ${path} aside (${version.sizeBytes} bytes)`,
    { reason: 'NoRoomToSave', hint: 'make room in the pool, then repeat the command; nothing was changed' },
  );
}

function notAFile(path: string, type: string, node: string): AppError {
  return new AppError('precondition', `${path} is no file but a ${type} on ${node}; nothing was changed`, {
    reason: 'NotAFile',
    hint: 'for a folder or a special file choose a copy by hand; see docs/how-to/resolve-split-brain.md',
  });
}
