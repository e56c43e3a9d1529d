/** A file server in memory, and machines that mount what it exports: the real engine runs on it in unit tests and the simulator. */
import { AppError } from '../../domain/errors.ts';
import type { Command, CommandResult, FileInfo, Host, MountEntry } from '../../ports/host.ts';
import { RunError } from '../../ports/run-error.ts';
import type { ShareFolders, SharePlace } from '../../ports/share-folders.ts';

interface Entry {
  readonly inode: number;
  /** Of it alone; an inode may have been another's. */
  readonly handle: string;
  readonly mode: number;
  readonly is: 'folder' | 'file' | 'symlink';
  readonly text: string;
  readonly children: Map<string, Entry>;
}

export interface FakeFileServer {
  /** Exports a folder: its source as mount(8) takes it, "files:/export". */
  export(source: string): void;
  /** Answers nothing while it is true. */
  isSilent: boolean;
  /** Puts a file, a folder or a symlink somewhere, as other clients may at any time; over what is there. */
  put(source: string, path: string, is: Entry['is'], text?: string): void;
  /** What a file says; undefined when there is none. */
  text(source: string, path: string): string | undefined;
  /** Removes a folder and makes an empty one, which gets the inode of the one that is gone. */
  remake(source: string, path: string): void;
  /** As a server that is set up anew with the same files: each has another handle, and another inode where those are not kept. */
  setUpAnew(options: { readonly keepsInodes: boolean }): void;
  /** Names in a folder; undefined when there is none. */
  names(source: string, path?: string): readonly string[] | undefined;
  /** What one machine does with it. A machine that starts anew has no mounts. */
  machine(name: string): FakeNfsMachine;
}

export interface FakeNfsMachine {
  readonly host: Host;
  readonly folders: ShareFolders;
  /** Paths where something is mounted, with what. */
  readonly mounts: readonly MountEntry[];
  /** Takes every mount away, as a restart does. */
  restart(): void;
}

/** Creates a server without exports. */
export function createFakeFileServer(): FakeFileServer {
  const exported = new Map<string, Entry>();
  let made = 100;
  const entry = (is: Entry['is'], mode: number, text = ''): Entry => {
    made += 1;
    return { inode: made, handle: `1:${made}`, mode, is, text, children: new Map() };
  };
  const reach = (source: string): Entry | undefined => {
    const found = [...exported].find(([each]) => source === each || source.startsWith(`${each}/`));
    if (found === undefined) return undefined;
    const names = source
      .slice(found[0].length)
      .split('/')
      .filter((name) => name !== '');
    return names.reduce<Entry | undefined>((at, name) => at?.children.get(name), found[1]);
  };
  const server: FakeFileServer = {
    isSilent: false,
    export: (source) => {
      exported.set(source, entry('folder', 0o755));
    },
    put: (source, path, is, text) => {
      const names = path.split('/');
      let at = reach(source);
      for (const name of names.slice(0, -1)) {
        const next: Entry = at?.children.get(name) ?? entry('folder', 0o755);
        at?.children.set(name, next);
        at = next;
      }
      at?.children.set(names.at(-1) ?? '', entry(is, 0o755, text));
    },
    text: (source, path) => {
      const found = reach(`${source}/${path}`);
      return found?.is === 'file' ? found.text : undefined;
    },
    remake: (source, path) => {
      const gone = reach(`${source}/${path}`);
      if (gone === undefined) throw new Error(`there is no ${path}`);
      const names = path.split('/');
      const around = reach([source, ...names.slice(0, -1)].join('/'));
      around?.children.set(names.at(-1) ?? '', { ...entry('folder', 0o755), inode: gone.inode });
    },
    setUpAnew: ({ keepsInodes }) => {
      const copy = (old: Entry): Entry => {
        const { inode, handle } = entry(old.is, old.mode, old.text);
        const children = new Map([...old.children].map(([name, child]) => [name, copy(child)]));
        return { ...old, inode: keepsInodes ? old.inode : inode, handle, children };
      };
      for (const [source, root] of exported) exported.set(source, copy(root));
    },
    names: (source, path) => {
      const found = reach(path === undefined ? source : `${source}/${path}`);
      return found?.is === 'folder' ? [...found.children.keys()].toSorted() : undefined;
    },
    machine: (name) => createMachine(name, { reach, entry, isSilent: () => server.isSilent }),
  };
  return server;
}

interface Reached {
  readonly reach: (source: string) => Entry | undefined;
  readonly entry: (is: Entry['is'], mode: number, text?: string) => Entry;
  readonly isSilent: () => boolean;
}

function createMachine(name: string, reached: Reached): FakeNfsMachine {
  const mounts: (MountEntry & { readonly shows: Entry })[] = [];
  const at = (path: string) => mounts.findLast(({ target }) => target === path);
  const host: Host = {
    name,
    run: async (command) => {
      // A client answers by itself what the inode of a folder is; how full it is only the server knows.
      const isAsked = command.args.includes('--file-system') && reached.isSilent();
      return run(command, (path) => (isAsked ? 'silent' : at(path)?.shows));
    },
    files: {
      makeDirectory: async () => undefined,
      remove: async () => undefined,
      readText: async (path) => {
        if (path === '/proc/filesystems') return 'nodev\tnfs4\n';
        throw new AppError('notFound', `there is no ${path} on ${name}`);
      },
      ...absent(['readBytes', 'writeText', 'stat', 'list', 'usage']),
    },
    mounts: {
      list: async () => mounts.map(({ source, target, options, fsType }) => ({ source, target, options, fsType })),
      mount: async ({ source, target, options = [] }) => {
        const bound = options.includes('bind') ? at(source) : undefined;
        if (bound !== undefined) return void mounts.push({ ...bound, target });
        if (reached.isSilent()) throw failed('mount', 'mount.nfs: Connection timed out');
        const shows = reached.reach(source);
        if (shows?.is !== 'folder')
          throw failed('mount', `mount.nfs: mounting ${source} failed: No such file or directory`);
        mounts.push({ source, target, options, fsType: 'nfs4', shows });
      },
      unmount: async (target) => {
        while (at(target) !== undefined) mounts.splice(mounts.indexOf(at(target) as (typeof mounts)[number]), 1);
      },
    },
  };
  const root = (path: string): Entry => {
    const mounted = at(path);
    if (mounted === undefined || reached.isSilent()) throw new AppError('unavailable', `nothing answers at ${path}`);
    return mounted.shows;
  };
  return { host, folders: createFolders(root, reached.entry), mounts, restart: () => mounts.splice(0) };
}

function run({ file, args }: Command, look: (path: string) => Entry | 'silent' | undefined): CommandResult {
  const done = (stdout: string): CommandResult => ({ stdout, stderr: '', code: 0 });
  if (file === 'mount.nfs') return done('mount.nfs: (linux nfs-utils 2.6.2)\n');
  if (file !== 'stat') throw new Error(`the machine does not run ${file}`);
  const seen = look(args.at(-1) ?? '');
  if (seen === 'silent') throw new RunError('stat was killed after 5 s', { failure: 'timeout', file });
  if (seen === undefined) throw failed(file, 'stat: Stale file handle');
  return done(`${seen.inode}\n`);
}

function failed(file: string, stderr: string): RunError {
  return new RunError(`${file} failed: ${stderr}`, { failure: 'exit', file, code: 32, stderr });
}

function absent<K extends string>(names: readonly K[]): Record<K, () => never> {
  const throwing = (name: string) => (): never => {
    throw new Error(`the machine knows no ${name}`);
  };
  return Object.fromEntries(names.map((name) => [name, throwing(name)])) as Record<K, () => never>;
}

function createFolders(
  root: (path: string) => Entry,
  entry: (is: Entry['is'], mode: number, text?: string) => Entry,
): ShareFolders {
  const folder = (place: SharePlace, parts = place.parts): Entry | undefined => {
    let here: Entry | undefined = root(place.root);
    for (const part of parts) {
      here = here?.children.get(part);
      if (here !== undefined && here.is !== 'folder') {
        throw new AppError('precondition', `a part of /${place.parts.join('/')} is no folder`, {
          reason: 'NotAFolder',
        });
      }
    }
    return here;
  };
  const around = (place: SharePlace) => folder(place, place.parts.slice(0, -1));
  const last = ({ parts }: SharePlace) => parts.at(-1) ?? '';
  const find = (place: SharePlace) =>
    place.parts.length === 0 ? root(place.root) : around(place)?.children.get(last(place));
  const missing = ({ parts }: SharePlace) => new AppError('notFound', `there is no /${parts.join('/')}`);
  return {
    stat: async (place) => describe(find(place)),
    handle: async (place) => {
      const found = folder(place);
      if (found === undefined) throw missing(place);
      return found.handle;
    },
    list: async (place, most) => {
      const found = folder(place);
      if (found === undefined) throw missing(place);
      const names = [...found.children.keys()];
      return { names: names.slice(0, most).toSorted(), hasMore: names.length > most };
    },
    makeFolder: async (place, mode) => {
      for (const [index, part] of place.parts.entries()) {
        const parent = folder(place, place.parts.slice(0, index));
        const isLast = index === place.parts.length - 1;
        if (parent?.children.has(part) === false) parent.children.set(part, entry('folder', isLast ? mode : 0o755));
      }
      folder(place);
    },
    readText: async (place) => find(place)?.text,
    createText: async (place, text) => {
      const parent = around(place);
      if (parent === undefined) throw missing(place);
      if (parent.children.has(last(place))) throw new AppError('exists', 'the name is taken');
      parent.children.set(last(place), entry('file', 0o600, text));
    },
    move: async (from, to) => {
      const [moved, parent] = [find(from), around(to)];
      if (moved === undefined || parent === undefined) throw missing(from);
      const there = parent.children.get(last(to));
      if (there !== undefined && (there.is !== 'folder' || there.children.size > 0)) {
        throw new AppError('exists', 'something is at the new place');
      }
      around(from)?.children.delete(last(from));
      parent.children.set(last(to), moved);
    },
    remove: async (place) => {
      if ((find(place)?.children.size ?? 0) > 0) throw new AppError('exists', 'the folder is not empty');
      around(place)?.children.delete(last(place));
    },
    erase: async (place) => {
      around(place)?.children.delete(last(place));
    },
    usage: async (path) => {
      root(path);
      return { capacityBytes: 100 * 2 ** 30, freeBytes: 60 * 2 ** 30 };
    },
  };
}

function describe(found: Entry | undefined): FileInfo | undefined {
  if (found === undefined) return undefined;
  const { is, inode, mode, text } = found;
  return { type: is === 'folder' ? 'directory' : is, sizeBytes: text.length, mode, deviceId: 7, inode };
}
