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
import { mountVolume, unmountVolume } from './attachment.ts';
import { hashFile } from './inspect-entry.ts';
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
  const mountPath = `/run/holdfast/undo/${request.aside.taskUid}`;
  const step = {
    step: 'mountVolume',
    about: '',
    volume,
    mountPath,
    servers: request.servers,
    isReadOnly: false,
  } as const;
  await mountVolume(host, step, signal);
  try {
    return await replace(deps, { request, mountPath, content, sha256 }, signal);
  } finally {
    await unmountVolume(host, { step: 'unmountVolume', about: '', volume, mountPath, isLazy: true });
    await host.files.remove(mountPath);
  }
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
  // What was put aside by an earlier try is what the volume held before it.
  const aside = (await readSaved(host, request.aside)) ?? (await putAside(host, { request, cwd, name }, signal));
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

async function putAside(
  host: Host,
  { request, cwd, name }: { readonly request: PutBackRequest; readonly cwd: string; readonly name: string },
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
