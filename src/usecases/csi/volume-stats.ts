/** CSI NodeGetVolumeStats: how full a volume is where a pod has it, and how it is. */
import { kindOf } from '../../domain/csi/access.ts';
import { isCsiAttachment } from '../../domain/csi/attachments.ts';
import { hasStoppedWriting } from '../../domain/csi/mount-state.ts';
import { parseCsiId } from '../../domain/csi/names.ts';
import { volumeCondition } from '../../domain/csi/volume-condition.ts';
import { AppError, isAppError, messageOf } from '../../domain/errors.ts';
import { isRunError } from '../../ports/run-error.ts';
import { findTarget, mountAt } from './bind-mounts.ts';
import type { CsiNodeDeps } from './node-deps.ts';

export interface Usage {
  readonly total: number;
  /** Left out of a device. */
  readonly used?: number;
  readonly available?: number;
}

export interface VolumeStats {
  /** Left out where the mount does not answer. */
  readonly bytes?: Usage;
  readonly inodes?: Usage;
  readonly isAbnormal: boolean;
  readonly message: string;
}

/** A look at a mount that is served is answered in milliseconds. */
const LOOK_MS = 5_000;

/** @throws {AppError} notFound, for a volume that there is not, or that is not at the path */
export async function readStats(
  deps: CsiNodeDeps,
  request: { readonly volumeId: string; readonly volumePath: string },
  signal: AbortSignal,
): Promise<VolumeStats> {
  const volume = parseCsiId('volume_id', request.volumeId);
  if (request.volumePath === '') throw new AppError('invalid', 'the call has no volume_path');
  const stored = await deps.client.get('Volume', volume, { signal });
  if (stored === undefined) throw new AppError('notFound', `there is no volume ${volume}`);
  const path = await findPath(deps, request.volumePath);
  const entry = path === undefined ? undefined : await mountAt(deps.host, path);
  if (path === undefined || entry === undefined) {
    throw new AppError('notFound', `volume ${volume} is not at ${JSON.stringify(request.volumePath.slice(0, 200))}`);
  }
  const usage = await (kindOf(stored.spec).isBlock ? lookAtDevice : look)(deps, path, signal);
  if ('failure' in usage) {
    return { isAbnormal: true, message: `the mount does not answer: ${usage.failure}` };
  }
  if (hasStoppedWriting(entry.options)) {
    return { ...usage, isAbnormal: true, message: 'its file system is read-only: the kernel stopped writing to it' };
  }
  const [mount, whole] = [await readCondition(deps, volume, signal), volumeCondition(stored)];
  // Of a mount that is fine, what is wrong with the volume behind it.
  return { ...usage, ...(whole.isAbnormal && !mount.isAbnormal ? whole : mount) };
}

/** Undefined for what can be no path of a volume: the CSI text asks for NOT_FOUND there too. */
async function findPath(deps: CsiNodeDeps, path: string): Promise<string | undefined> {
  try {
    return await findTarget(deps, 'volume_path', path);
  } catch (error) {
    if (isAppError(error, 'invalid')) return undefined;
    throw error;
  }
}

type Look = Pick<VolumeStats, 'bytes' | 'inodes'> | { readonly failure: string };

/** Of a device nobody but its user knows what of it is used. */
async function lookAtDevice({ host }: CsiNodeDeps, path: string, signal: AbortSignal): Promise<Look> {
  try {
    const { stdout } = await host.run({ file: 'blockdev', args: ['--getsize64', path], timeoutMs: LOOK_MS, signal });
    return { bytes: { total: Number(stdout) } };
  } catch (error) {
    signal.throwIfAborted();
    if (!isRunError(error)) throw error;
    return { failure: messageOf(error) };
  }
}

async function look({ host }: CsiNodeDeps, path: string, signal: AbortSignal): Promise<Look> {
  try {
    // Blocks, free ones, those for users, their size; inodes and free ones.
    const args = ['--file-system', '--format=%b %f %a %S %c %d', '--', path];
    const { stdout } = await host.run({ file: 'stat', args, timeoutMs: LOOK_MS, signal });
    const [blocks = 0, free = 0, available = 0, size = 0, inodes = 0, freeInodes = 0] = stdout.split(' ').map(Number);
    return {
      bytes: { total: blocks * size, used: (blocks - free) * size, available: available * size },
      inodes: { total: inodes, used: inodes - freeInodes, available: freeInodes },
    };
  } catch (error) {
    signal.throwIfAborted();
    if (!isRunError(error)) throw error;
    return { failure: messageOf(error) };
  }
}

/** What the agent sees of the mount behind all binds. */
async function readCondition(
  { client, node }: CsiNodeDeps,
  volume: string,
  signal: AbortSignal,
): Promise<Pick<VolumeStats, 'isAbnormal' | 'message'>> {
  const { items } = await client.list('VolumeAttachmentRecord', { signal });
  const record = items.find((each) => each.spec.volume === volume && each.spec.node === node && isCsiAttachment(each));
  const { state, message, connectedCopies, copies } = record?.status ?? {};
  if (state !== 'Mounted') return { isAbnormal: true, message: message ?? 'the agent of the node has not mounted it' };
  if (connectedCopies !== undefined && copies !== undefined && connectedCopies < copies) {
    return { isAbnormal: true, message: `the mount reaches ${connectedCopies} of ${copies} copies` };
  }
  return { isAbnormal: false, message: message ?? 'the mount answers and reaches all copies' };
}
