/** What an image needs before it is mounted: that nobody has it, and that its file system is in order. */
import { AppError } from '../../domain/errors.ts';
import type { Host } from '../../ports/host.ts';
import { isRunError } from '../../ports/run-error.ts';
import { type FileSystem, measureFileSystem } from './file-systems.ts';
import { loopDevicesOf } from './loop-devices.ts';
import type { CopyPaths } from './paths.ts';

/** A large file system that was not unmounted cleanly is looked through before it is mounted. */
const CHECK_MS = 3_600_000;

/**
 * Invariant: an image is checked, mounted or erased only while no loop device of the machine has it, in whatever mount
 * namespace: mounts elsewhere, and programs with open files below a mount that was detached, go on using it.
 *
 * @throws {AppError} unavailable, while something does
 */
export async function proveFree(host: Host, { image }: CopyPaths, signal: AbortSignal): Promise<void> {
  const devices = (await loopDevicesOf(host, image, signal)).map(({ path }) => path);
  if (devices.length === 0) return;
  throw new AppError('unavailable', `${image} on ${host.name} is still in use (${devices.join(', ')})`, {
    reason: 'ImageHeld',
    hint: `end what uses it: see "findmnt ${devices[0]}" and "fuser -vm ${devices[0]}"`,
  });
}

interface Order {
  readonly fileSystem: FileSystem;
  /** Or the device that it is open as. */
  readonly image: string;
  /** What of it the file system is to fill. */
  readonly sizeBytes: number;
  readonly signal: AbortSignal;
}

/** Checks what was not unmounted cleanly, and fills the image where its growth was cut short. The image is in no use. */
export async function bringIntoOrder(host: Host, { fileSystem, image, sizeBytes, signal }: Order): Promise<void> {
  const { check, fill } = fileSystem;
  if (check === undefined || fill === undefined) return;
  const run = async ([file, ...args]: readonly [string, ...string[]], okCodes: readonly number[]) => {
    try {
      await host.run({ file, args, okCodes, timeoutMs: CHECK_MS, signal });
    } catch (error) {
      if (!isRunError(error, 'exit')) throw error;
      throw new AppError(
        'dataLoss',
        `the file system in ${image} on ${host.name} is damaged: ${file} left with ${error.code}`,
        {
          reason: 'FileSystemDamaged',
          hint: `look at it by hand: ${check.thorough(image).join(' ').replace(' -p', ' -n')}; or clone a snapshot`,
          cause: error,
        },
      );
    }
  };
  await run(check.quick(image), check.okCodes);
  const filled = await measureFileSystem(host, fileSystem, { device: image, mountPoint: image, signal });
  if (filled >= sizeBytes - fileSystem.tailBytes) return;
  await run(check.thorough(image), check.okCodes);
  await run(fill(image), [0]);
}
