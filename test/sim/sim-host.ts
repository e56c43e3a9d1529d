/** The machine below a simulated agent: only what the agent asks of it by itself; everything else is the engine's. */
import type { FakeCluster } from '../../src/engines/gluster/cluster.fake.ts';
import { fakeAway } from '../../src/engines/gluster/cluster.fake.ts';
import { bytesOnDisk } from '../../src/engines/image/copy.fake.ts';
import type { Command, CommandResult, Host } from '../../src/ports/host.ts';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

export interface SimHostOptions {
  /** Of the boot that the host is in. */
  readonly bootId: string;
  /** What in each pool is not Holdfast's. */
  readonly foreignBytes: number;
}

/** Creates the host of one node of the fake cluster: its pools are folders on XFS, as large and as full as the node says. */
export function createSimHost(gluster: FakeCluster, name: string, { bootId, foreignBytes }: SimHostOptions): Host {
  const node = gluster.state.node(name);
  const assertOn = (): void => {
    if (!node.isOn) throw fakeAway(name);
  };
  const absent = (what: string) => (): never => {
    throw new Error(`the simulated host of ${name} knows no ${what}`);
  };
  return {
    name,
    run: async (command) => {
      assertOn();
      return { code: 0, stderr: '', stdout: answer(command) } satisfies CommandResult;
    },
    files: {
      readText: async (path) => {
        assertOn();
        if (path !== BOOT_ID) return absent(`file ${path}`)();
        return `${bootId}\n`;
      },
      stat: async (path) => {
        assertOn();
        if (!node.pools.has(path)) return undefined;
        return { type: 'directory', sizeBytes: 0, mode: 0o755, deviceId: 1, inode: 128 };
      },
      usage: async (path) => {
        assertOn();
        const capacityBytes = node.pools.get(path) ?? 0;
        const copies = [...node.copies.values()].filter((copy) => copy.poolPath === path);
        const usedBytes = copies.reduce((sum, copy) => sum + bytesOnDisk(copy), foreignBytes);
        return { capacityBytes, freeBytes: capacityBytes - usedBytes };
      },
      readBytes: absent('readBytes'),
      writeText: absent('writeText'),
      makeDirectory: absent('makeDirectory'),
      remove: absent('remove'),
      list: absent('list'),
    },
    mounts: {
      list: async () => {
        assertOn();
        const volumes = [...node.mounts].map(([target, { source }]) => ({
          source,
          target,
          fsType: 'fuse.glusterfs',
          options: [],
        }));
        const pools = [...node.pools.keys()].map((target) => ({
          source: '/dev/vdb',
          target,
          fsType: 'xfs',
          options: ['rw'],
        }));
        return [...pools, ...volumes];
      },
      mount: absent('mount'),
      unmount: absent('unmount'),
    },
  };
}

function answer({ file, args }: Command): string {
  if (file === 'findmnt') return args.includes('FSTYPE') ? 'xfs\n' : `${args.at(-1) ?? ''}\n`;
  if (file === 'xfs_info') return 'reflink=1\n';
  throw new Error(`the simulated host does not run ${file}`);
}
