/**
 * Puts a saved version back into its volume, through a mount of its own: written beside the file under a name nobody
 * knows, synced, and then renamed over it. Readers see the one or the other, whole; so does whoever looks after a crash.
 *
 * The mount is full of what users made, and a folder on the way can become a symlink to anywhere at any moment. So
 * commands run in the folder and name only files in it; that the folder is one of the volume is seen from the device of
 * the new file, and a rename in any other folder finds no file of that name.
 */
import { AppError } from '../../domain/errors.ts';
import { gfidOf } from '../../domain/volume/entry-path.ts';
import type { PutBackRequest, SavedVersion } from '../../ports/brick-work.ts';
import type { Host } from '../../ports/host.ts';
import type { Random } from '../../ports/random.ts';
import { hashFile } from './inspect-entry.ts';
import { withOwnMount } from './own-mount.ts';
import { COPY_ARGS, readSaved, savedFolder, saveFile } from './save-entry.ts';

const SHORT_MS = 30_000;
const COPY_MS = 3 * 3_600_000;

/** As port BrickWork has it. */
export async function putBack(
  deps: { readonly host: Host; readonly random: Random },
  request: PutBackRequest,
  signal: AbortSignal,
): Promise<SavedVersion | undefined> {
  const { host } = deps;
  const { volume, from, path } = request;
  const saved = await readSaved(host, from);
  if (saved?.path !== path) throw nothingSaved(request, host.name);
  const content = `${savedFolder(from)}/content`;
  const sha256 = await hashFile(host, content, signal);
  if (sha256 !== saved.sha256) {
    throw new AppError('dataLoss', `${content} on ${host.name} is not what was saved there: its checksum is another`, {
      reason: 'SavedVersionDamaged',
      hint: 'nothing was changed; look at it by hand',
    });
  }
  if (gfidOf(path) !== undefined) throw nameless(path);
  const mount = { volume, servers: request.servers, taskUid: request.aside.taskUid, isReadOnly: false };
  return withOwnMount(host, mount, signal, (mountPath) => {
    return replace(deps, { request, mountPath, content, sha256 }, signal);
  });
}

interface Replacement {
  readonly request: PutBackRequest;
  readonly mountPath: string;
  readonly content: string;
  readonly sha256: string;
}

async function replace(
  { host, random }: { readonly host: Host; readonly random: Random },
  { request, mountPath, content, sha256 }: Replacement,
  signal: AbortSignal,
): Promise<SavedVersion | undefined> {
  const cut = request.path.lastIndexOf('/');
  const cwd = `${mountPath}${request.path.slice(0, cut)}`;
  const name = request.path.slice(cut + 1);
  const before = await readSaved(host, request.aside);
  if (before !== undefined && (await isDone(host, { request, cwd, name, before, sha256 }, signal))) return before;
  const aside = before ?? (await putAside(host, { request, cwd, name }, signal));
  const fresh = `.holdfast-undo-${random.uuid()}`;
  await host.run({ file: 'cp', args: [...COPY_ARGS, '--', content, `./${fresh}`], cwd, timeoutMs: COPY_MS, signal });
  try {
    await host.run({ file: 'sync', args: ['--', `./${fresh}`], cwd, timeoutMs: COPY_MS, signal });
    await proveInside(host, { mountPath, cwd, fresh, sha256 }, signal);
    const args = ['--no-target-directory', '--', `./${fresh}`, `./${name}`];
    await host.run({ file: 'mv', args, cwd, timeoutMs: SHORT_MS, signal });
  } catch (error) {
    await host
      .run({ file: 'rm', args: ['--force', '--', `./${fresh}`], cwd, timeoutMs: SHORT_MS })
      .catch(() => undefined); // the first error tells more
    throw error;
  }
  await host.run({ file: 'sync', args: ['--', '.'], cwd, timeoutMs: SHORT_MS, signal });
  return aside;
}

/**
 * Whether an earlier try, whose agent died before it could say so, has put the version back. What that try put aside is
 * what the volume held before it; when the file is neither that nor this any more, somebody has written it since.
 */
async function isDone(
  host: Host,
  { request, cwd, name, before, sha256 }: Folder & { readonly before: SavedVersion; readonly sha256: string },
  signal: AbortSignal,
): Promise<boolean> {
  const args = ['--', `./${name}`];
  const now = await host.run({ file: 'sha256sum', args, cwd, okCodes: [0, 1], timeoutMs: COPY_MS, signal });
  if (now.stdout.replace(/^\\/, '').startsWith(sha256)) return true;
  if (before.sha256 !== undefined && now.stdout.replace(/^\\/, '').startsWith(before.sha256)) return false;
  throw new AppError('precondition', `${request.path} has been written since this was begun; it was left as it is`, {
    reason: 'WrittenMeanwhile',
    hint: 'stop what writes it, then repeat the command',
  });
}

interface Folder {
  readonly request: PutBackRequest;
  readonly cwd: string;
  readonly name: string;
}

async function putAside(
  host: Host,
  { request, cwd, name }: Folder,
  signal: AbortSignal,
): Promise<SavedVersion | undefined> {
  const args = ['--printf=%s\\n%y\\n%u:%g\\n%a', '--', `./${name}`];
  const seen = await host.run({ file: 'stat', args, cwd, okCodes: [0, 1], timeoutMs: SHORT_MS, signal });
  // Somebody has deleted it since: there is nothing to put aside.
  if (seen.code === 1 && /No such file/.test(seen.stderr)) return undefined;
  if (seen.code === 1) throw new AppError('unavailable', `cannot see ${request.path}: ${seen.stderr.trim()}`);
  const [size = '0', modifiedAt = '', owner = '', mode = ''] = seen.stdout.split('\n');
  const facts = { sizeBytes: Number(size), modifiedAt, owner, mode: mode.padStart(4, '0') };
  const version = { type: 'file', gfid: '', ...facts } as const;
  return saveFile(host, { source: `./${name}`, cwd, version, path: request.path, place: request.aside }, signal);
}

async function proveInside(
  host: Host,
  { mountPath, cwd, fresh, sha256 }: { mountPath: string; cwd: string; fresh: string; sha256: string },
  signal: AbortSignal,
): Promise<void> {
  const device = async (folder: string, path: string) =>
    (await host.run({ file: 'stat', args: ['--printf=%d', '--', path], cwd: folder, timeoutMs: SHORT_MS, signal }))
      .stdout;
  const isInside = (await device('/', mountPath)) === (await device(cwd, `./${fresh}`));
  const sum = await host.run({ file: 'sha256sum', args: ['--', `./${fresh}`], cwd, timeoutMs: COPY_MS, signal });
  if (isInside && sum.stdout.startsWith(sha256)) return;
  throw new AppError('unavailable', `the folder of the file was exchanged while it was written; nothing was changed`, {
    reason: 'FolderExchanged',
    hint: 'stop what changes folders of the volume, then repeat the command',
  });
}

function nothingSaved({ path, from }: PutBackRequest, node: string): AppError {
  return new AppError('notFound', `no saved version of ${path} is in ${savedFolder(from)} on ${node}`, {
    reason: 'NothingSaved',
  });
}

function nameless(path: string): AppError {
  return new AppError('unsupported', `${path} has no name, so nothing can be put back in its place`, {
    reason: 'NoName',
    hint: 'find its name in the volume, and copy the saved version there by hand',
  });
}
