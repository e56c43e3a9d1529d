/** Loop devices: which have an image, and what every one of ours is told. */
import type { Host } from '../../ports/host.ts';

const SHORT_MS = 20_000;

export interface LoopDevice {
  /** /dev/loop7 */
  readonly path: string;
  readonly isReadOnly: boolean;
}

/** The devices of this machine that have the image, in whatever mount namespace they were made. */
export async function loopDevicesOf(host: Host, image: string, signal?: AbortSignal): Promise<readonly LoopDevice[]> {
  if ((await host.files.stat(image)) === undefined) return [];
  const args = ['--associated', image, '--noheadings', '--raw', '--output', 'NAME,RO'];
  const asked = { file: 'losetup', args, timeoutMs: SHORT_MS } as const;
  const { stdout } = await host.run({ ...asked, ...(signal === undefined ? {} : { signal }) });
  return stdout.split('\n').flatMap((line) => {
    const [path = '', readOnly] = line.trim().split(/\s+/);
    return path === '' ? [] : [{ path, isReadOnly: readOnly === '1' }];
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

/** Makes a device as large as its image has become. */
export async function refreshDevice(host: Host, device: string, signal: AbortSignal): Promise<void> {
  // losetup(8) of util-linux 2.38 takes no "--"; the name is one of the kernel's.
  await host.run({ file: 'losetup', args: ['--set-capacity', device], timeoutMs: SHORT_MS, signal });
}
