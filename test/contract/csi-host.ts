/** The machine below the CSI node service, in memory: a mount table, folders, and the few programs that are asked. */
import type { Command, CommandResult, FileInfo, Host, MountEntry, MountRequest } from '../../src/ports/host.ts';
import { RunError } from '../../src/ports/run-error.ts';

interface Mount extends MountEntry {
  readonly device: number;
}

export interface CsiHost extends Host {
  /** What the agent would do for a volume. */
  mountVolume(volume: string, path: string): void;
  /** What is mounted by other ways than the ones of this machine. */
  addMount(entry: MountEntry): void;
  /** What it would do for one that is kept in a directory: all of those share the file system of the pool. */
  bindDirectory(volume: string, path: string): void;
  /** What it would do for one that is a device. */
  bindDevice(device: string, path: string): void;
  unmountVolume(path: string): void;
  /** The process behind the mount ends; its binds stay in the table and answer nobody. */
  kill(path: string): void;
  /** Called once the kernel has done what mount(8) was asked for, and before that program has ended. */
  onMount(hook: (request: MountRequest) => Promise<void>): void;
  /** A folder becomes a symlink in the moment before something is mounted there. */
  swap(path: string, destination: string): void;
  readonly entries: ReadonlyMap<string, FileInfo['type']>;
  readonly mountTable: () => readonly MountEntry[];
}

const ROOT_DEVICE = 1;
const POOL_DEVICE = 2;
const DEVTMPFS_DEVICE = 3;

/** Creates a machine with these folders. */
export function createCsiHost(name: string, folders: readonly string[]): CsiHost {
  const entries = new Map<string, FileInfo['type']>(folders.map((path) => [path, 'directory']));
  const dead = new Set<number>();
  let mounts: readonly Mount[] = [];
  let devices = DEVTMPFS_DEVICE;
  let afterMount: (request: MountRequest) => Promise<void> = async () => undefined;
  const links = new Map<string, string>();
  const at = (path: string) => mounts.findLast((mount) => path === mount.target || path.startsWith(`${mount.target}/`));
  const fail = (file: string, path: string): never => {
    throw new RunError(`${file} ended with exit code 1: ${path}: Transport endpoint is not connected`, {
      ...{ failure: 'exit', file, code: 1 },
    });
  };
  const answer = ({ file, args }: Command): string => {
    const path = args.at(-1) ?? '';
    if (file === 'blockdev') return `${1024 ** 3}\n`;
    if (file !== 'stat') throw new Error(`this host does not run ${file}`);
    const mount = at(path);
    if (mount === undefined && !entries.has(path)) return fail(file, path);
    if (mount !== undefined && dead.has(mount.device)) return fail(file, path);
    return args.includes('--format=%d') ? String(mount?.device ?? ROOT_DEVICE) : '1000 600 500 4096 100 90';
  };
  const absent = (what: string) => (): never => {
    throw new Error(`this host knows no ${what}`);
  };
  const addMount = (entry: MountEntry): void => {
    devices += 1;
    mounts = [...mounts, { ...entry, device: devices }];
  };
  return {
    name,
    run: async (command) => ({ code: 0, stderr: '', stdout: answer(command) }) satisfies CommandResult,
    files: {
      stat: async (path) => {
        const type = entries.get(path);
        return type === undefined ? undefined : { type, sizeBytes: 0, mode: 0o755, deviceId: ROOT_DEVICE, inode: 2 };
      },
      makeDirectory: async (path) => {
        for (let at = path.indexOf('/', 1); at !== -1; at = path.indexOf('/', at + 1))
          entries.set(path.slice(0, at), 'directory');
        entries.set(path, 'directory');
      },
      remove: async (path) => void entries.delete(path),
      ...{
        readText: absent('text'),
        readBytes: absent('bytes'),
        writeText: async (path) => void entries.set(path, 'file'),
      },
      ...{ list: absent('list'), usage: absent('usage') },
    },
    mounts: {
      list: async () => mounts,
      mount: async (request) => {
        const { source, options = [] } = request;
        const target = links.get(request.target) ?? request.target;
        if (options.includes('remount')) {
          const flags = options.filter((option) => !['remount', 'bind'].includes(option));
          mounts = mounts.map((mount) => (mount.target === target ? { ...mount, options: flags } : mount));
          return afterMount(request);
        }
        const found = at(source);
        if (!options.includes('bind') || found === undefined) throw new Error(`cannot mount ${source} at ${target}`);
        mounts = [...mounts, { ...found, target, options: ['rw'] }];
        return afterMount(request);
      },
      unmount: async (target) => {
        mounts = mounts.filter((mount) => mount.target !== target);
      },
    },
    mountVolume: (volume, target) =>
      addMount({ source: `${name}:/${volume}`, fsType: 'fuse.glusterfs', options: ['rw'], target }),
    addMount,
    bindDirectory: (volume, path) => {
      const root = `/.holdfast/copies/${volume}/brick`;
      const pool = { source: '/dev/sdb', fsType: 'xfs', options: ['rw'], device: POOL_DEVICE };
      mounts = [...mounts, { ...pool, root, target: path }];
    },
    bindDevice: (device, path) => {
      entries.set(path, 'file');
      const node = { source: 'devtmpfs', fsType: 'devtmpfs', options: ['rw'], device: DEVTMPFS_DEVICE };
      mounts = [...mounts, { ...node, root: `/${device}`, target: path }];
    },
    unmountVolume: (path) => {
      mounts = mounts.filter((mount) => mount.target !== path);
    },
    kill: (path) => {
      const mount = at(path);
      if (mount !== undefined) dead.add(mount.device);
    },
    onMount: (hook) => {
      afterMount = hook;
    },
    swap: (path, destination) => void links.set(path, destination),
    entries,
    mountTable: () => mounts,
  };
}
