/**
 * One copy's version of an entry, read from its brick. Users of the volume make folders and symlinks in a brick as they
 * like, also while this reads. So a path only serves to find the entry's gfid; what is read is the hard link that
 * GlusterFS keeps in .glusterfs, where no user reaches and no folder on the way can be swapped for a symlink.
 */

import { AppError } from '../../domain/errors.ts';
import { gfidOf } from '../../domain/volume/entry-path.ts';
import type { EntryVersion } from '../../ports/brick-work.ts';
import type { FileInfo, Host } from '../../ports/host.ts';

const LOOK_MS = 20_000;
/** Reading a large file whole takes its time: 1 TiB at 100 MiB/s. */
const READ_MS = 3 * 3_600_000;
const TEXT_BYTES = 4096;
const TEXT_LINES = 10;
const TEXT_COLUMNS = 200;

/** A version, and the path in .glusterfs under which its bytes are read. */
export interface FoundEntry {
  readonly version: EntryVersion;
  readonly safePath: string;
}

/** As port BrickWork has it: with the checksum and the first lines of a file. */
export async function inspectEntry(
  host: Host,
  { brickPath, path }: { readonly brickPath: string; readonly path: string },
  signal: AbortSignal,
): Promise<EntryVersion | undefined> {
  const found = await findEntry(host, { brickPath, path }, signal);
  if (found === undefined || found.version.type !== 'file') return found?.version;
  const sha256 = await hashFile(host, found.safePath, signal);
  const firstLines = textOf(await host.files.readBytes(found.safePath, 0, TEXT_BYTES));
  return { ...found.version, sha256, ...(firstLines === undefined ? {} : { firstLines }) };
}

/**
 * Finds an entry without reading it; undefined when the brick has none, or only a pointer to another set's.
 *
 * @throws {AppError} unavailable, when the brick cannot be seen: a version that is out of sight is not none, and whoever
 *   waits for it to be put aside must not go on; precondition, when it is there but cannot be read safely
 */
export async function findEntry(
  host: Host,
  { brickPath, path }: { readonly brickPath: string; readonly path: string },
  signal: AbortSignal,
): Promise<FoundEntry | undefined> {
  await proveVisible(host, brickPath);
  const isNamed = gfidOf(path) === undefined;
  const gfid = gfidOf(path) ?? (await readGfid(host, `${brickPath}${path}`, signal));
  if (gfid === undefined) return undefined;
  const byGfid = `${brickPath}/.glusterfs/${gfid.slice(0, 2)}/${gfid.slice(2, 4)}/${gfid}`;
  const info = await host.files.stat(byGfid);
  if (info === undefined && isNamed) throw unlinked(host, path);
  if (info === undefined || (info.type === 'file' && (await isPointer(host, byGfid, signal)))) return undefined;
  // A folder's entry in .glusterfs is a symlink, as a user's symlink is: the path itself tells them apart, unfollowed.
  const named = isNamed ? `${brickPath}${path}` : byGfid;
  const isFolder = info.type === 'symlink' && (await host.files.stat(named))?.type === 'directory';
  const type = typeOf(info, isFolder);
  const facts = await readFacts(host, isFolder ? named : byGfid, signal);
  return { version: { type, gfid, ...facts }, safePath: byGfid };
}

function typeOf({ type }: FileInfo, isFolder: boolean): EntryVersion['type'] {
  if (isFolder) return 'folder';
  return type === 'file' || type === 'symlink' ? type : 'other';
}

/** The brick process makes this folder at its first start; an image that is not mounted, or a dead disk, does not show it. */
async function proveVisible(host: Host, brickPath: string): Promise<void> {
  if ((await host.files.stat(`${brickPath}/.glusterfs`))?.type === 'directory') return;
  throw new AppError('unavailable', `the brick ${brickPath} on ${host.name} cannot be seen`, {
    reason: 'BrickNotThere',
    hint: 'see whether its disk is mounted; nothing was changed',
  });
}

function unlinked(host: Host, path: string): AppError {
  return new AppError(
    'precondition',
    `GlusterFS on ${host.name} has lost its own link to ${path}; nothing was changed`,
    {
      reason: 'EntryUnlinked',
      hint: 'copy that version from the brick by hand first, then choose with the gluster command',
    },
  );
}

async function readFacts(host: Host, path: string, signal: AbortSignal) {
  const args = ['--printf=%s\\n%y\\n%u:%g\\n%a', '--', path];
  const { stdout } = await host.run({ file: 'stat', args, timeoutMs: LOOK_MS, signal });
  const [size = '0', modifiedAt = '', owner = '', mode = ''] = stdout.split('\n');
  return { sizeBytes: Number(size), modifiedAt, owner, mode: mode.padStart(4, '0') };
}

/** Without following a symlink at the end of the path. Undefined when there is none. */
async function readGfid(host: Host, path: string, signal: AbortSignal): Promise<string | undefined> {
  const hex = await readAttribute(host, path, 'trusted.gfid', signal);
  const parts = /^0x(.{8})(.{4})(.{4})(.{4})(.{12})$/.exec(hex ?? '');
  return parts === null ? undefined : parts.slice(1).join('-');
}

/** On a volume of several sets, a file that was renamed leaves an empty file where its name belongs: mode 1000 and this. */
async function isPointer(host: Host, path: string, signal: AbortSignal): Promise<boolean> {
  return (await readAttribute(host, path, 'trusted.glusterfs.dht.linkto', signal)) !== undefined;
}

async function readAttribute(host: Host, path: string, name: string, signal: AbortSignal): Promise<string | undefined> {
  const args = ['--no-dereference', '--absolute-names', '--encoding=hex', `--name=${name}`, '--', path];
  // 1: there is no such file, or it has no such attribute, or anything else: only its words tell.
  const found = await host.run({ file: 'getfattr', args, okCodes: [0, 1], timeoutMs: LOOK_MS, signal });
  if (found.code === 1 && !/No such file or directory|Not a directory|No such attribute/.test(found.stderr)) {
    throw new AppError('unavailable', `cannot look at ${path} on ${host.name}: ${found.stderr.trim()}`, {
      reason: 'BrickUnreadable',
    });
  }
  return found.stdout
    .split('\n')
    .find((line) => line.startsWith(`${name}=`))
    ?.slice(name.length + 1);
}

/** SHA-256 of a file, in hex. */
export async function hashFile(host: Host, path: string, signal: AbortSignal): Promise<string> {
  const { stdout } = await host.run({ file: 'sha256sum', args: ['--', path], timeoutMs: READ_MS, signal });
  // A name with a backslash or a line end is announced by a backslash before the sum.
  return /^\\?([0-9a-f]{64})/.exec(stdout)?.[1] ?? '';
}

/** The first lines, when these bytes are text; undefined for everything else and for nothing. */
export function textOf(bytes: Uint8Array): readonly string[] | undefined {
  if (bytes.length === 0) return undefined;
  const text = new TextDecoder('utf-8').decode(bytes, { stream: true });
  if (/[\u0000-\u0008\u000e-\u001a\u001c-\u001f\ufffd]/.test(text)) return undefined;
  const lines = text.split('\n').slice(0, TEXT_LINES);
  while (lines.at(-1) === '') lines.pop();
  return lines.map((line) => line.slice(0, TEXT_COLUMNS));
}
