/** What a block device holds and who uses it, for whoever decides whether it may become a pool. Reads only. */
import { AppError } from '../../domain/errors.ts';
import { EMPTY_PROOF_BYTES, type ObservedDevice } from '../../domain/pool/decide-device.ts';
import type { Host } from '../../ports/host.ts';

const COMMAND_TIMEOUT_MS = 20_000;
/** lsblk(8): none of the specified devices found. */
const NOT_LISTED = 32;

/** A device, and the file system on it. */
export interface SeenDevice extends ObservedDevice {
  readonly signature?: Signature;
}

/** What blkid says of a device. */
export type Signature = NonNullable<ObservedDevice['signature']> & { readonly uuid?: string };

/** Looks at a device as a pool at `path`; changes nothing. @throws {AppError} notFound or precondition, when there is no such device */
export async function observeDevice(
  host: Host,
  device: string,
  path: string,
  signal: AbortSignal,
): Promise<SeenDevice> {
  const info = await host.files.stat(device);
  if (info === undefined) {
    throw new AppError('notFound', `device ${device} does not exist on ${host.name}`, {
      reason: 'DeviceMissing',
      hint: 'list the block devices with lsblk and correct the plan',
    });
  }
  const run = (file: string, args: string[], okCodes = [0]) =>
    host.run({ file, args, okCodes, timeoutMs: COMMAND_TIMEOUT_MS, signal });

  const listed = await run('lsblk', ['--noheadings', '--nodeps', '--output', 'MAJ:MIN', '--', device], [0, NOT_LISTED]);
  const number = listed.stdout.trim();
  if (number === '') throw notABlockDevice(device, host.name);
  // findmnt leaves with 1 when nothing is mounted there.
  const table = await run('findmnt', ['--noheadings', '--raw', '--output', 'MAJ:MIN,TARGET,SOURCE'], [0, 1]);
  const mounts = table.stdout
    .split('\n')
    .map((line) => line.trim().split(' '))
    .filter((fields) => fields.length >= 3)
    .map(([majorMinor, target, source]) => ({ majorMinor, target: target ?? '', source: source ?? '' }));
  const mountedAt = mounts.filter((mount) => mount.majorMinor === number).map((mount) => mount.target);
  const onPath = mounts.findLast((mount) => mount.target === path);
  const signature = await readSignature(host, device, signal);
  const holders = (await run('lsblk', ['--noheadings', '--list', '--paths', '--output', 'NAME', '--', device])).stdout
    .split('\n')
    .map((name) => name.trim())
    .filter((name) => name !== '')
    .slice(1);
  const start = await host.files.readBytes(device, 0, EMPTY_PROOF_BYTES);
  return {
    device,
    mountedAt,
    ...(onPath !== undefined && onPath.majorMinor !== number ? { pathOccupiedBy: onPath.source } : {}),
    ...(signature === undefined ? {} : { signature }),
    holders,
    // A short read proves nothing about the rest, so it does not count as empty.
    isZeroed: start.length === EMPTY_PROOF_BYTES && start.every((byte) => byte === 0),
  };
}

function notABlockDevice(device: string, host: string): AppError {
  return new AppError('precondition', `${device} on ${host} is not a block device, and was not touched`, {
    reason: 'NotABlockDevice',
    hint: 'list the block devices with lsblk and correct the plan; a pool without a device uses the folder at its path',
  });
}

/** What is on a device; undefined when blkid finds nothing at all. */
export async function readSignature(host: Host, device: string, signal: AbortSignal): Promise<Signature | undefined> {
  // blkid(8): -p probes the device itself, not a cache; exit code 2 means that nothing was found, 8 that several were.
  const probe = await host.run({
    file: 'blkid',
    args: ['-p', '-o', 'export', '--', device],
    okCodes: [0, 2, 8],
    timeoutMs: COMMAND_TIMEOUT_MS,
    signal,
  });
  if (probe.code === 2) return undefined;
  if (probe.code === 8) return { type: 'several file system signatures' };
  const values = new Map<string, string>();
  for (const line of probe.stdout.split('\n')) {
    const at = line.indexOf('=');
    if (at > 0) values.set(line.slice(0, at), line.slice(at + 1));
  }
  const label = values.get('LABEL');
  const type = values.get('TYPE') ?? values.get('PTTYPE') ?? 'something unknown';
  const uuid = values.get('UUID');
  return { type, ...(label === undefined ? {} : { label }), ...(uuid === undefined ? {} : { uuid }) };
}
