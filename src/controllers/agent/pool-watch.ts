/** Looks at pools again and again at little cost: one that was found ready is proven anew only when its mount has changed. */
import type { Host, MountEntry } from '../../ports/host.ts';
import type { PoolSpec, PoolStatus } from '../../schemas/storage-node.ts';
import { type PoolOwner, preparePool } from './prepare-pool.ts';

interface Known {
  readonly pool: PoolSpec;
  readonly status: PoolStatus;
  readonly mount: MountEntry | undefined;
}

/** A look at one pool; like {@link preparePool}, which it calls when there is anything to prove. */
export type PoolWatch = (pool: PoolSpec, signal: AbortSignal) => Promise<PoolStatus>;

/** Creates the watch over the pools of a host. It remembers what it found, so one per host and process. */
export function createPoolWatch(host: Host, ownerOf?: PoolOwner): PoolWatch {
  const known = new Map<string, Known>();

  return async (pool, signal) => {
    const last = known.get(pool.name);
    const mount = mountOf(await host.mounts.list(), pool.path);
    if (last !== undefined && isSamePool(last.pool, pool) && isSameMount(last.mount, mount)) {
      return { ...last.status, ...(await host.files.usage(pool.path)) };
    }
    const lost = last === undefined ? undefined : lostMount(last, pool, mount);
    // Kept in mind: the folder below does not become the pool by being there longer.
    if (last !== undefined && lost !== undefined) return unmounted(host, last.status, lost);
    known.delete(pool.name);
    const status = await preparePool(host, pool, signal, ownerOf);
    if (status.isReady) {
      known.set(pool.name, { pool, status, mount: mountOf(await host.mounts.list(), pool.path) });
    }
    return status;
  };
}

/** The mount that a path is on: the longest target that leads to it, and of equal ones the last, which hides the others. */
function mountOf(mounts: readonly MountEntry[], path: string): MountEntry | undefined {
  let found: MountEntry | undefined;
  for (const mount of mounts) {
    const isAbove = mount.target === '/' || path === mount.target || path.startsWith(`${mount.target}/`);
    if (isAbove && mount.target.length >= (found?.target.length ?? 0)) found = mount;
  }
  return found;
}

/**
 * The pool was a mount of its own and now is a folder of what is below. A device that the pool names is mounted again;
 * without one it cannot be told what belongs there, and copies made in the folder would vanish below the next mount.
 */
function lostMount({ mount: before }: Known, pool: PoolSpec, now: MountEntry | undefined): MountEntry | undefined {
  const isOurs = pool.device === undefined && before?.target === pool.path;
  return isOurs && now?.target !== pool.path ? before : undefined;
}

function unmounted(host: Host, { name, path }: PoolStatus, { source }: MountEntry): PoolStatus {
  return {
    name,
    path,
    isReady: false,
    capacityBytes: 0,
    freeBytes: 0,
    reason: 'PoolUnmounted',
    message: `${source} is not mounted at ${path} on ${host.name} any more; mount it again, or restart the agent if the folder itself is to be the pool from now on`,
  };
}

function isSamePool(a: PoolSpec, b: PoolSpec): boolean {
  return a.path === b.path && a.device === b.device;
}

function isSameMount(a: MountEntry | undefined, b: MountEntry | undefined): boolean {
  return a?.target === b?.target && a?.source === b?.source && a?.options.join() === b?.options.join();
}
