/** Loop devices: which have an image, and what every one of ours is told. */
import { AppError, isAppError } from '../../domain/errors.ts';
import type { Host } from '../../ports/host.ts';

const SHORT_MS = 20_000;
/** Others may take a device between a look and its use. */
const TRIES = 8;

export interface LoopDevice {
  /** /dev/loop7 */
  readonly path: string;
  readonly isReadOnly: boolean;
  /** The kernel lets go of it when its last user does. */
  readonly isAutoclear: boolean;
}

/** The devices of this machine that have the image, in whatever mount namespace they were made. */
export async function loopDevicesOf(host: Host, image: string, signal?: AbortSignal): Promise<readonly LoopDevice[]> {
  if ((await host.files.stat(image)) === undefined) return [];
  const args = ['--associated', image, '--noheadings', '--raw', '--output', 'NAME,RO,AUTOCLEAR'];
  const asked = { file: 'losetup', args, timeoutMs: SHORT_MS } as const;
  const { stdout } = await host.run({ ...asked, ...(signal === undefined ? {} : { signal }) });
  return stdout.split('\n').flatMap((line) => {
    const [path = '', readOnly, autoclear] = line.trim().split(/\s+/);
    return path === '' ? [] : [{ path, isReadOnly: readOnly === '1', isAutoclear: autoclear === '1' }];
  });
}

/**
 * Lets no fstrim reach through the loop device: it would punch the free space out of the image, and with it the
 * reservation (measured: 400 MiB reserved, 64 MiB after one fstrim).
 */
export async function refuseDiscard(host: Host, device: string, signal: AbortSignal): Promise<void> {
  const limit = `/sys/block/${device.slice('/dev/'.length)}/queue/discard_max_bytes`;
  if ((await host.files.readText(limit)).trim() === '0') return;
  await host.run({ file: 'tee', args: ['--', limit], stdin: '0\n', timeoutMs: SHORT_MS, signal });
}

/**
 * Attaches an image as a device that lets discards through.
 *
 * A device that ever refused them ({@link refuseDiscard}) refuses them for the next image too: the kernel keeps the limit of 0, and
 * forgets the unit that any other limit has to be a multiple of. So one is taken that did not, or a new one is made.
 * Where the file system of the pool cannot make holes in files none lets them through, and any will do.
 *
 * @throws {AppError} unavailable, when others take each device that is chosen
 */
export async function attachForDiscard(host: Host, image: string, signal: AbortSignal): Promise<string> {
  const isOpen = await hasDevice(host, image, signal);
  const chosen = isOpen ? [] : await unspoilt(host);
  for (const device of chosen) {
    // losetup(8) of util-linux 2.38 takes no "--"; the path is an absolute one. 1: somebody has it.
    const args = [device, image];
    const { code } = await host.run({ file: 'losetup', args, okCodes: [0, 1], timeoutMs: SHORT_MS, signal });
    if (code === 0) return device;
  }
  throw new AppError('unavailable', `no loop device of ${host.name} could be had for ${image}`, {
    reason: isOpen ? 'ImageHeld' : 'NoLoopDevice',
    hint: 'it is tried again by itself; see "losetup --list"',
  });
}

async function hasDevice(host: Host, image: string, signal: AbortSignal): Promise<boolean> {
  return (await loopDevicesOf(host, image, signal)).length > 0;
}

/** Devices that nobody has and that never refused discards, then numbers that no device has yet. */
async function unspoilt(host: Host): Promise<readonly string[]> {
  const numbers = (await host.files.list('/sys/block'))
    .flatMap((name) => /^loop(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number);
  const free: number[] = [];
  for (const number of numbers.toSorted((a, b) => a - b)) {
    if (free.length < TRIES / 2 && (await isUnspoilt(host, `/sys/block/loop${number}`))) free.push(number);
  }
  const next = Math.max(-1, ...numbers) + 1;
  const fresh = Array.from({ length: TRIES - free.length }, (_, at) => next + at);
  return [...free, ...fresh].map((number) => `/dev/loop${number}`);
}

async function isUnspoilt(host: Host, device: string): Promise<boolean> {
  if ((await host.files.stat(`${device}/loop`)) !== undefined) return false;
  const read = async (name: string) => (await host.files.readText(`${device}/queue/${name}`)).trim();
  try {
    // One that never had an image has no limit of its own, and lets nothing through yet.
    return (await read('discard_max_bytes')) !== '0' || (await read('discard_max_hw_bytes')) === '0';
  } catch (error) {
    if (isAppError(error, 'notFound')) return false; // it has just gone
    throw error;
  }
}

/**
 * Has an image that nobody uses as such a device: file systems and mappings ask for discards only at their beginning, when
 * mount(8) and cryptsetup(8) would have taken any device. It goes with its last user.
 */
export async function withDiscardingDevice<T>(
  host: Host,
  image: string,
  signal: AbortSignal,
  act: (device: string) => Promise<T>,
): Promise<T> {
  const device = await attachForDiscard(host, image, signal);
  try {
    return await act(device);
  } finally {
    await detach(host, device);
  }
}

/**
 * Takes away devices that an agent has left behind before anybody used them, see {@link withDiscardingDevice}. One that is in
 * use stays for as long as it is. One that would go by itself is left alone: by the time it is detached its number could be that of
 * another image's.
 */
export async function detachLeftBehind(host: Host, image: string, signal?: AbortSignal): Promise<void> {
  const left = (await loopDevicesOf(host, image, signal)).filter(({ isAutoclear }) => !isAutoclear);
  for (const { path } of left) await detach(host, path);
}

/** One that is open is only marked: the kernel lets go of it when it is closed. 1: it has just gone. */
async function detach(host: Host, device: string): Promise<void> {
  await host.run({ file: 'losetup', args: ['--detach', device], okCodes: [0, 1], timeoutMs: SHORT_MS });
}

/** Makes a device as large as its image has become. */
export async function refreshDevice(host: Host, device: string, signal: AbortSignal): Promise<void> {
  // losetup(8) of util-linux 2.38 takes no "--"; the name is one of the kernel's.
  await host.run({ file: 'losetup', args: ['--set-capacity', device], timeoutMs: SHORT_MS, signal });
}
