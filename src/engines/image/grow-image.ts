/**
 * Makes the image of a mounted copy larger, while it is in use.
 *
 * Invariant: the file system never counts on bytes that are not reserved (of a thin image: not there), and on disk, below it.
 * So: reserve, sync, tell the loop device, and only then grow the file system. Wherever it is cut short, what is there is
 * whole, and the same again ends it. Nothing in here makes anything smaller.
 */
import { describeAvailable, describeNeed } from '../../domain/bytes.ts';
import { AppError } from '../../domain/errors.ts';
import type { Host } from '../../ports/host.ts';
import { isRunError } from '../../ports/run-error.ts';
import { findMount, statAs } from './copy-folder.ts';
import type { FileSystem } from './file-systems.ts';
import { loopDevicesOf, refreshDevice } from './loop-devices.ts';
import { findMapping, isMappingDevice, type LuksTools, resizeLuks } from './luks.ts';
import type { CopyIdentity, CopyPaths } from './paths.ts';

/** Reserving is metadata only on XFS and ext4, but a slow disk with a full journal takes its time. */
const GROW_MS = 300_000;

export interface GrowRequest {
  readonly copy: CopyIdentity;
  readonly fileSystem: FileSystem;
  /** Size of the image's file in the end; one that is larger stays as it is. */
  readonly imageBytes: number;
  readonly signal: AbortSignal;
}

/**
 * Grows image, loop device and file system.
 *
 * @throws {AppError} capacity, when the pool has too little room: the copy is then as it was
 */
export async function growImage(tools: LuksTools, paths: CopyPaths, request: GrowRequest): Promise<void> {
  const { host } = tools;
  const { imageBytes, fileSystem, signal } = request;
  const [image, mount] = await Promise.all([statAs(host, paths.image, 'file'), findMount(host, paths)]);
  const device = findDevice(mount?.source);
  if (image === undefined || mount === undefined || device === undefined) {
    throw new AppError('precondition', `the image ${paths.image} on ${host.name} is not mounted, so it cannot grow`, {
      reason: 'ImageNotMounted',
      hint: 'observe the copy again and plan anew',
    });
  }
  const run = (file: string, ...args: readonly string[]) => host.run({ file, args, timeoutMs: GROW_MS, signal });
  if (image.sizeBytes < imageBytes) await reserveMore(host, paths, { ...request, hadBytes: image.sizeBytes });
  // A power cut that took the reservation back would leave a file system that is larger than its device: XFS mounts none.
  await run('sync', '--', paths.image);
  await refreshDevices(tools, paths, request);
  try {
    await run(...fileSystem.grow(device, mount.target));
  } catch (error) {
    if (fileSystem.fill === undefined || !isRunError(error, 'exit')) throw error;
    throw new AppError(
      'precondition',
      `${fileSystem.type} on ${host.name} does not grow while it is mounted: ${error.stderr.trim()}`,
      {
        reason: 'GrowsAtNextMount',
        hint: 'its room is reserved; it is grown when its image is mounted again, as after a restart of the node',
        cause: error,
      },
    );
  }
}

/**
 * Grows an image without a file system, and its device where it has one: whoever uses that sees the new size at once.
 *
 * @throws {AppError} capacity, when the pool has too little room: the copy is then as it was
 */
export async function growBlock(
  tools: LuksTools,
  paths: CopyPaths,
  request: Omit<GrowRequest, 'fileSystem'>,
): Promise<void> {
  const { host } = tools;
  const { imageBytes, signal } = request;
  const image = await statAs(host, paths.image, 'file');
  if (image === undefined) {
    throw new AppError('precondition', `the image ${paths.image} is not there on ${host.name}, so it cannot grow`, {
      reason: 'ImageMissing',
      hint: 'observe the copy again and plan anew',
    });
  }
  if (image.sizeBytes < imageBytes) {
    await reserveMore(host, paths, { ...request, hadBytes: image.sizeBytes });
  }
  await host.run({ file: 'sync', args: ['--', paths.image], timeoutMs: GROW_MS, signal });
  await refreshDevices(tools, paths, request);
}

/** Makes an image as large as that, its room reserved or, of a thin one, not; never smaller. */
export function enlarge(
  { thinProvision }: Pick<CopyIdentity, 'thinProvision'>,
  image: string,
  bytes: number,
): readonly [program: string, ...args: string[]] {
  if (thinProvision === true) return ['truncate', `--size=>${bytes}`, '--', image];
  return ['fallocate', '--length', String(bytes), '--', image];
}

/** The device that is mounted, if it is one of ours. */
function findDevice(source = ''): string | undefined {
  return /^\/dev\/loop\d+$/.test(source) || isMappingDevice(source) ? source : undefined;
}

/** The image's devices, and the mapping over one of an encrypted copy. */
async function refreshDevices(
  tools: LuksTools,
  { image }: CopyPaths,
  { copy, signal }: Pick<GrowRequest, 'copy' | 'signal'>,
): Promise<void> {
  const { host } = tools;
  const { copyUid, keySecret } = copy;
  for (const device of await loopDevicesOf(host, image, signal)) await refreshDevice(host, device.path, signal);
  if (keySecret === undefined || (await findMapping(host, copyUid)) === undefined) return;
  await resizeLuks(tools, { copyUid, keySecret, signal });
}

async function reserveMore(
  host: Host,
  paths: CopyPaths,
  { copy, imageBytes, hadBytes, signal }: Omit<GrowRequest, 'fileSystem'> & { readonly hadBytes: number },
): Promise<void> {
  const [pool] = paths.parents;
  const need = imageBytes - hadBytes;
  const { freeBytes } = await host.files.usage(pool);
  const full = (cause?: unknown): AppError =>
    new AppError(
      'capacity',
      `the pool ${pool} on ${host.name} has ${describeAvailable(freeBytes)} free; to grow, the copy needs ${describeNeed(need)} more`,
      { reason: 'PoolFull', hint: 'free space in the pool; the copy grows as soon as there is room', cause },
    );
  if (freeBytes < need) throw full();
  try {
    const [file, ...args] = enlarge(copy, paths.image, imageBytes);
    await host.run({ file, args, timeoutMs: GROW_MS, signal });
  } catch (error) {
    if (!isRunError(error, 'exit') || !error.stderr.includes('No space left')) throw error;
    // What it had reserved behind the end of the file until then is given back; ">" never makes a file smaller.
    const args = ['--no-create', `--size=>${hadBytes}`, '--', paths.image];
    await host.run({ file: 'truncate', args, timeoutMs: GROW_MS, signal });
    throw full(error);
  }
}
