import { expect, it } from 'vitest';
import type { Command, Host, MountEntry } from '../../ports/host.ts';
import { createPoolWatch } from './pool-watch.ts';

const signal = new AbortController().signal;
const POOL = { name: 'default', path: '/pool' };
const XFS: MountEntry = { source: '/dev/vdb', target: '/pool', fsType: 'xfs', options: ['rw'] };

/** A host with one pool folder, whose mount table a test changes; it counts the programs that are run. */
function hostWith(mounts: MountEntry[]): { host: Host; commands: Command[] } {
  const commands: Command[] = [];
  const never = async () => Promise.reject(new Error('not used here'));
  const host: Host = {
    name: 'kube1',
    run: async (command) => {
      commands.push(command);
      return { stdout: command.file === 'xfs_info' ? 'reflink=1' : 'xfs\n', stderr: '', code: 0 };
    },
    files: {
      readText: never,
      readBytes: never,
      writeText: never,
      makeDirectory: never,
      remove: never,
      list: never,
      stat: async () => ({ type: 'directory', sizeBytes: 0, mode: 0o755, deviceId: 1, inode: 2 }),
      usage: async () => ({ capacityBytes: 100, freeBytes: 60 - commands.length }),
    },
    mounts: { list: async () => mounts, mount: never, unmount: never },
  };
  return { host, commands };
}

it('runs programs for the first look only, and tells the free space at each', async () => {
  const { host, commands } = hostWith([XFS]);
  const lookAt = createPoolWatch(host);
  expect(await lookAt(POOL, signal)).toMatchObject({ isReady: true, fsType: 'xfs', hasReflink: true });
  const before = commands.length;
  expect(before).toBeGreaterThan(0);
  expect(await lookAt(POOL, signal)).toMatchObject({ isReady: true, freeBytes: 60 - before });
  expect(commands.length).toBe(before);
});

it('does not take the folder below for the pool when its mount is gone, and the mount again when it is back', async () => {
  const mounts = [XFS];
  const lookAt = createPoolWatch(hostWith(mounts).host);
  await lookAt(POOL, signal);
  mounts.splice(0, 1, { ...XFS, source: '/dev/vda', target: '/' });
  for (let look = 0; look < 2; look++) {
    expect(await lookAt(POOL, signal)).toMatchObject({ isReady: false, reason: 'PoolUnmounted', freeBytes: 0 });
  }
  mounts.splice(0, 1, XFS);
  expect(await lookAt(POOL, signal)).toMatchObject({ isReady: true });
});

it('proves the pool anew when its mount is replaced, hidden or read-only', async () => {
  const changes: MountEntry[][] = [
    [{ ...XFS, source: '/dev/vdc' }],
    [XFS, { ...XFS, source: 'tmpfs', fsType: 'tmpfs' }],
    [{ ...XFS, options: ['ro'] }],
  ];
  for (const change of changes) {
    const mounts = [XFS];
    const { host, commands } = hostWith(mounts);
    const lookAt = createPoolWatch(host);
    await lookAt(POOL, signal);
    const before = commands.length;
    mounts.splice(0, 1, ...change);
    await lookAt(POOL, signal);
    expect(commands.length).toBeGreaterThan(before);
  }
});
