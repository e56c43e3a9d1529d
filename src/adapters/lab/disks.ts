/** The two disks of a host: images on this machine's file system, the data disk on a loop device. */
import { AppError } from '../../domain/errors.ts';
import type { Host, ProcessId } from '../../ports/host.ts';
import { isRunError } from '../../ports/run-error.ts';
import type { LabHostRecord } from '../../schemas/lab-record.ts';
import { parseMountInfo } from '../host/parse-mountinfo.ts';
import type { HostLayout } from './layout.ts';
import { listLoops } from './leftovers.ts';

const COMMAND_TIMEOUT_MS = 20_000;
const FORMAT_TIMEOUT_MS = 120_000;
const SYSTEM_DISK_BYTES = 2 * 1024 ** 3;

/** Makes the images that are missing. Both are sparse: they take the room that is written to them. */
export async function makeDisks(machine: Host, layout: HostLayout, host: LabHostRecord): Promise<void> {
  if ((await machine.files.stat(layout.dataImage)) === undefined) {
    await truncate(machine, layout.dataImage, host.dataDiskBytes);
  }
  if ((await machine.files.stat(layout.systemImage)) !== undefined) return;
  // Formatted beside its place: an image with its own name is always a whole file system.
  const beside = `${layout.systemImage}.new`;
  await machine.files.remove(beside);
  await truncate(machine, beside, SYSTEM_DISK_BYTES);
  await machine.run({ file: 'mkfs.xfs', args: ['-q', '--', beside], timeoutMs: FORMAT_TIMEOUT_MS });
  await machine.run({ file: 'mv', args: ['--', beside, layout.systemImage], timeoutMs: COMMAND_TIMEOUT_MS });
}

async function truncate(machine: Host, path: string, sizeBytes: number): Promise<void> {
  const args = ['--size', String(sizeBytes), '--', path];
  await machine.run({ file: 'truncate', args, timeoutMs: COMMAND_TIMEOUT_MS });
}

/** Attaches the data disk; found again by its image, so nothing needs to be remembered. */
export async function attachDataDisk(machine: Host, layout: HostLayout): Promise<{ major: string; minor: string }> {
  const args = ['--find', '--show', '--', layout.dataImage];
  const { stdout } = await machine.run({ file: 'losetup', args, timeoutMs: COMMAND_TIMEOUT_MS });
  const name = stdout.trim();
  const [major, minor] = (await listLoops(machine)).find((loop) => loop.name === name)?.device.split(':') ?? [];
  if (major === undefined || minor === undefined) {
    throw new AppError('unavailable', `${layout.dataImage} was attached as "${name}", but losetup does not list that`);
  }
  return { major, minor };
}

/**
 * Shuts the file systems on a host's disks down without writing anything back, as if the disks had lost power.
 * What is stacked on them (images in a pool) loses its way to the disk with them.
 */
export async function cutDisks(
  machine: Host,
  layout: HostLayout,
  { init, inside }: { readonly init: ProcessId; readonly inside: Host },
): Promise<void> {
  const images = await Promise.all([layout.dataImage, layout.systemImage].map((path) => machine.files.stat(path)));
  const inodes = new Set(images.map((image) => image?.inode));
  const devices = (await listLoops(machine)).filter((loop) => inodes.has(loop.backInode)).map((loop) => loop.device);
  const mounts = parseMountInfo(await machine.files.readText(`/proc/${init.pid}/mountinfo`));
  const targets = devices.flatMap(
    (device) => mounts.find((mount) => mount.fsType === 'xfs' && mount.device === device)?.target ?? [],
  );
  await Promise.all(targets.map((target) => shutDown(inside, target)));
}

async function shutDown(inside: Host, target: string): Promise<void> {
  try {
    const args = ['-x', '-c', 'shutdown', target];
    await inside.run({ file: 'xfs_io', args, timeoutMs: COMMAND_TIMEOUT_MS });
  } catch (error) {
    // EIO: it has shut itself down already, after an earlier cut or a failing disk.
    if (isRunError(error, 'exit') && error.stderr.includes('Input/output error')) return;
    throw error;
  }
}
