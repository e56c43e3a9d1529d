import { describe, expect, it } from 'vitest';
import type { Command, FileInfo, Host } from '../../ports/host.ts';
import { thawCopy } from '../image/snapshot-image.ts';
import { takeGlusterImage as takeImage } from './snapshots.ts';

const POOL = '/pool';
const COPY = '11111111-1111-4111-8111-111111111111';
const SNAPSHOT = '22222222-2222-4222-8222-222222222222';
const IMAGE = { poolPath: POOL, snapshotUid: SNAPSHOT, copyUid: COPY };
const SOURCE = `${POOL}/.holdfast/copies/${COPY}/brick.img`;
const FOLDER = `${POOL}/.holdfast/snapshots/${SNAPSHOT}/${COPY}`;
const signal = new AbortController().signal;
/** What glusterd has on disk about the volume that the copy is a member of. */
const BRICK = `kube1:-pool-.holdfast-copies-${COPY}-mnt-data-brick`;
const GLUSTERD = new Map([
  ['/var/lib/glusterd/vols/gv0/info', `brick-0=${BRICK}\n`],
  [`/var/lib/glusterd/vols/gv0/bricks/${BRICK}`, 'brick-id=gv0-client-0\n'],
]);

interface Faults {
  /** What the reflink leaves behind; nothing when left out. */
  readonly madeBytes?: number;
  readonly fails?: string;
  readonly isUnmounted?: boolean;
}

/** A host with one mounted copy; it notes its commands and keeps files by path. */
function createHost({ madeBytes, fails, isUnmounted = false }: Faults) {
  const entry = (type: FileInfo['type'], sizeBytes = 0): FileInfo => ({
    type,
    sizeBytes,
    mode: 0,
    deviceId: 1,
    inode: 1,
  });
  const paths = new Map([[SOURCE, entry('file', 100)]]);
  for (const folder of [POOL, `${POOL}/.holdfast`]) paths.set(folder, entry('directory'));
  const commands: string[] = [];
  const run = async ({ file, args }: Command) => {
    commands.push(file);
    if (file === 'xfs_io' && madeBytes !== undefined) paths.set(`${FOLDER}/brick.img.new`, entry('file', madeBytes));
    if (file === fails) throw new Error(`${file} failed`);
    if (file === 'mv') {
      const [from = '', to = ''] = args.slice(-2);
      const moved = paths.get(from);
      if (moved !== undefined) paths.set(to, moved);
      paths.delete(from);
    }
    if (file === 'rmdir') paths.delete(args.at(-1) ?? '');
    return { stdout: file === 'stat' ? '8 512\n' : '', stderr: '', code: 0 };
  };
  const host = {
    name: 'kube1',
    run,
    files: {
      stat: async (path: string) => paths.get(path),
      list: async (folder: string) => {
        const below = [...paths.keys(), ...GLUSTERD.keys()].filter((path) => path.startsWith(`${folder}/`));
        return [...new Set(below.map((path) => path.slice(folder.length + 1).split('/')[0]))];
      },
      readText: async (path: string) => GLUSTERD.get(path),
      writeText: async (path: string, text: string) => void paths.set(path, entry('file', text.length)),
      remove: async (path: string) => void paths.delete(path),
      makeDirectory: async (path: string) => {
        for (let at = path; at !== POOL; at = at.slice(0, at.lastIndexOf('/'))) paths.set(at, entry('directory'));
      },
    },
    mounts: {
      list: async () =>
        isUnmounted
          ? []
          : [{ source: '/dev/loop1', target: SOURCE.replace('brick.img', 'mnt'), fsType: 'xfs', options: [] }],
    },
  } as unknown as Host;
  return { host, commands, paths };
}

describe('takeImage', () => {
  it('freezes, reflinks and thaws in one process, and names the image when it is on disk', async () => {
    const { host, commands, paths } = createHost({ madeBytes: 100 });
    expect(await takeImage(host, IMAGE, signal)).toEqual({ bytes: 4096 });
    expect(commands).toEqual(['xfs_io', 'sync', 'mv', 'sync', 'stat']);
    expect(paths.has(`${FOLDER}/brick.img`)).toBe(true);
  });

  it.each([
    ['the process is killed in the middle', { fails: 'xfs_io' }],
    ['the reflink did not work', {}],
    ['the image is cut short', { madeBytes: 99 }],
    ['it cannot be written out', { madeBytes: 100, fails: 'sync' }],
  ])('thaws and leaves nothing when %s', async (_what, faults) => {
    const { host, commands, paths } = createHost(faults);
    await expect(takeImage(host, IMAGE, signal)).rejects.toMatchObject({ reason: 'ImageFailed' });
    expect(commands).toContain('fsfreeze');
    expect([...paths.keys()].filter((path) => path.startsWith(FOLDER))).toEqual([]);
  });

  it('does not try twice: a second image would be of another moment', async () => {
    const { host, commands } = createHost({ madeBytes: 100 });
    await takeImage(host, IMAGE, signal);
    const before = commands.length;
    await expect(takeImage(host, IMAGE, signal)).rejects.toThrow(/tried before/);
    expect(commands.length).toBe(before);
  });

  it('takes none of what is not mounted, and thaws nothing there', async () => {
    const { host, commands } = createHost({ isUnmounted: true });
    await expect(takeImage(host, IMAGE, signal)).rejects.toThrow(/not mounted/);
    await thawCopy(host, IMAGE);
    expect(commands).toEqual([]);
  });
});
