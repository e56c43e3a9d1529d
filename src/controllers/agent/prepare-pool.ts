/**
 * Makes one pool of this node usable and reports on it: proves, formats and mounts its device, or checks its folder.
 * The decision is `domain/pool/decide-device.ts`; here is only what has to be seen and done for it.
 */
import { isAppError, messageOf } from '../../domain/errors.ts';
import { decideDevice, type ObservedDevice, POOL_LABEL } from '../../domain/pool/decide-device.ts';
import type { Host } from '../../ports/host.ts';
import type { PoolSpec, PoolStatus } from '../../schemas/storage-node.ts';
import { observeDevice, readSignature, type SeenDevice } from '../../usecases/pools/observe-device.ts';

const COMMAND_TIMEOUT_MS = 20_000;
/** mkfs writes a log and allocation groups; on a slow disk that is not done in seconds. */
const FORMAT_TIMEOUT_MS = 300_000;

/** Name of another node that reports the file system with this UUID as a pool of its own. */
export type PoolOwner = (fsUuid: string) => string | undefined;

/**
 * Prepares a pool as far as that is safe. Repeatable: a pool that is ready stays untouched.
 *
 * @returns what to report; a pool that cannot be used is `isReady: false` with the reason, never an exception
 */
export async function preparePool(
  host: Host,
  pool: PoolSpec,
  signal: AbortSignal,
  ownerOf: PoolOwner = () => undefined,
): Promise<PoolStatus> {
  const unusable = (reason: string, message: string): PoolStatus => ({
    name: pool.name,
    path: pool.path,
    isReady: false,
    capacityBytes: 0,
    freeBytes: 0,
    reason,
    message,
  });
  try {
    if (pool.device !== undefined) {
      const seen = await observeDevice(host, pool.device, pool.path, signal);
      const decision = decideDevice({ ...seen, ...findOwner(seen, ownerOf) }, pool.path);
      if (decision.action === 'refuse') return unusable(decision.reason, decision.message);
      if (decision.action === 'format') await format(host, pool.device, signal);
      if (decision.action !== 'none') await mountPool(host, pool.device, pool.path, signal);
    }
    const folder = await host.files.stat(pool.path);
    if (folder?.type !== 'directory') {
      return unusable(
        'PathMissing',
        `${pool.path} is not a folder on ${host.name}; create it or name a device for the pool`,
      );
    }
    return await report(host, pool, signal);
  } catch (error) {
    signal.throwIfAborted();
    const reason = isAppError(error) ? (error.reason ?? 'PoolFailed') : 'PoolFailed';
    return unusable(reason, messageOf(error));
  }
}

async function report(host: Host, pool: PoolSpec, signal: AbortSignal): Promise<PoolStatus> {
  const usage = await host.files.usage(pool.path);
  const found = await host.run({
    file: 'findmnt',
    args: ['--noheadings', '--output', 'FSTYPE', '--target', pool.path],
    timeoutMs: COMMAND_TIMEOUT_MS,
    signal,
  });
  const fsUuid = pool.device === undefined ? undefined : (await readSignature(host, pool.device, signal))?.uuid;
  const fsType = found.stdout.trim().split('\n').at(-1) ?? '';
  return {
    name: pool.name,
    path: pool.path,
    isReady: true,
    capacityBytes: usage.capacityBytes,
    freeBytes: usage.freeBytes,
    fsType,
    ...(fsUuid === undefined ? {} : { fsUuid }),
    hasReflink: fsType === 'xfs' && (await hasReflink(host, pool.path, signal)),
  };
}

async function hasReflink(host: Host, path: string, signal: AbortSignal): Promise<boolean> {
  // xfs_info wants a mount point; a pool in a folder of a larger file system is asked through its mount point.
  const found = await host.run({
    file: 'findmnt',
    args: ['--noheadings', '--output', 'TARGET', '--target', path],
    timeoutMs: COMMAND_TIMEOUT_MS,
    signal,
  });
  const mountPoint = found.stdout.trim().split('\n').at(-1) ?? path;
  const info = await host.run({ file: 'xfs_info', args: [mountPoint], timeoutMs: COMMAND_TIMEOUT_MS, signal });
  return info.stdout.includes('reflink=1');
}

function findOwner({ signature }: SeenDevice, ownerOf: PoolOwner): Pick<ObservedDevice, 'takenBy'> {
  const takenBy = signature?.uuid === undefined ? undefined : ownerOf(signature.uuid);
  return takenBy === undefined ? {} : { takenBy };
}

async function format(host: Host, device: string, signal: AbortSignal): Promise<void> {
  // No -f: mkfs.xfs then looks once more for a file system by itself, and refuses.
  await host.run({
    file: 'mkfs.xfs',
    args: ['-q', '-L', POOL_LABEL, '--', device],
    timeoutMs: FORMAT_TIMEOUT_MS,
    signal,
  });
}

async function mountPool(host: Host, device: string, path: string, signal: AbortSignal): Promise<void> {
  await host.files.makeDirectory(path);
  await host.mounts.mount({
    source: device,
    target: path,
    fsType: 'xfs',
    options: ['noatime', 'inode64'],
    timeoutMs: COMMAND_TIMEOUT_MS,
    signal,
  });
}
