/**
 * The marks of GlusterFS in an image that another volume begins with: without the identity of the volume that it was taken
 * of, and with what was noted about its copies under the names of the new ones.
 */
import { parseVolumeName } from '../../domain/names.ts';
import type { Host } from '../../ports/host.ts';
import type { SnapshotPaths } from '../image/snapshot-paths.ts';
import { keptClientNumbers, renameMark } from './client-numbers.ts';

const SHORT_MS = 20_000;
const ROOT_MARK = 'trusted.glusterfs.volume-id';

/**
 * Makes the data of a snapshot that of a copy of `volume`.
 *
 * @param brick - where the data is mounted now
 */
export async function renameVolume(
  host: Host,
  brick: string,
  { volume, snapshot }: { readonly volume: string; readonly snapshot: SnapshotPaths },
): Promise<void> {
  await removeAttribute(host, brick, ROOT_MARK);
  const numbers = await keptClientNumbers(host, snapshot);
  await renameMarks(host, brick, (name) => renameMark(name, parseVolumeName(volume), numbers));
}

/**
 * GlusterFS notes on a copy what another one lacks, in attributes that have the volume's name in them (trusted.afr.gv0-client-2);
 * it lists the entries with such notes in an index. Under the name of the source the clone would not see them, and could read
 * from the copy that lacks something. There are few: none is pending when a snapshot begins.
 */
async function renameMarks(host: Host, brick: string, newNameOf: (name: string) => string | undefined): Promise<void> {
  const ids = await host.files.list(`${brick}/.glusterfs/indices/xattrop`);
  for (const id of ids.filter((name) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(name))) {
    const entry = await findEntry(host, brick, id);
    if (entry === undefined) continue;
    const marks = await readMarks(host, entry);
    // All old ones before any new one: where the clone has the name of its source, one's new name may be another's old one.
    for (const [name] of marks) if (newNameOf(name) !== name) await removeAttribute(host, entry, name);
    for (const [name, value] of marks) {
      const renamed = newNameOf(name);
      if (renamed === undefined || renamed === name) continue;
      const args = ['--no-dereference', `--name=${renamed}`, `--value=${value}`, '--', entry];
      await host.run({ file: 'setfattr', args, timeoutMs: SHORT_MS });
    }
  }
}

/** The object of an ID: GlusterFS keeps a hard link to each file, and a symlink to each folder, under it. */
async function findEntry(host: Host, brick: string, id: string): Promise<string | undefined> {
  const handle = `${brick}/.glusterfs/${id.slice(0, 2)}/${id.slice(2, 4)}/${id}`;
  const seen = await host.files.stat(handle);
  if (seen?.type !== 'symlink') return seen === undefined ? undefined : handle;
  const { stdout } = await host.run({ file: 'realpath', args: ['--', handle], timeoutMs: SHORT_MS, okCodes: [0, 1] });
  const target = stdout.trimEnd();
  // A user's own symlink may lead anywhere: then the symlink itself is the object.
  const isFolder =
    (target === brick || target.startsWith(`${brick}/`)) && (await host.files.stat(target))?.type === 'directory';
  return isFolder ? target : handle;
}

async function readMarks(host: Host, entry: string): Promise<readonly (readonly [name: string, value: string])[]> {
  const { stdout } = await host.run({
    file: 'getfattr',
    args: [
      '--absolute-names',
      '--no-dereference',
      '--dump',
      '--match=^trusted[.]afr[.]',
      '--encoding=hex',
      '--',
      entry,
    ],
    timeoutMs: SHORT_MS,
  });
  return stdout.split('\n').flatMap((line) => {
    const match = /^(trusted\.afr\.[^=]+)=(0x[0-9a-f]+)$/.exec(line);
    return match?.[1] === undefined || match[2] === undefined ? [] : [[match[1], match[2]] as const];
  });
}

async function removeAttribute(host: Host, path: string, name: string): Promise<void> {
  // 1: it has none, which is what is wanted.
  const args = ['--no-dereference', `--remove=${name}`, '--', path];
  await host.run({ file: 'setfattr', args, timeoutMs: SHORT_MS, okCodes: [0, 1] });
}
