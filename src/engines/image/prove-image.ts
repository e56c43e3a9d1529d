/** Whether what is in an image, or in the device that it becomes with its key, is what the copy was made with. */
import { AppError } from '../../domain/errors.ts';
import type { Host } from '../../ports/host.ts';

const SHORT_MS = 20_000;

interface Expected {
  readonly path: string;
  /** As blkid(8) calls it: xfs, crypto_LUKS. */
  readonly type: string;
  readonly uuid: string;
  readonly signal: AbortSignal;
}

/** @throws {AppError} dataLoss, when the image is not this copy's: it is neither mounted nor formatted */
export async function proveContents(host: Host, { path, type, uuid, signal }: Expected): Promise<void> {
  // blkid(8): -p looks at the file itself, not at a cache; 2: nothing found, 8: several things found.
  const found = await host.run({
    file: 'blkid',
    args: ['-p', '-o', 'export', '--', path],
    okCodes: [0, 2, 8],
    timeoutMs: SHORT_MS,
    signal,
  });
  const lines = found.stdout.split('\n');
  if (lines.includes(`TYPE=${type}`) && lines.includes(`UUID=${uuid}`)) return;
  const seen = lines.find((line) => line.startsWith('TYPE='))?.slice(5) ?? 'nothing that is known';
  throw new AppError('dataLoss', `${path} on ${host.name} is not the image of this copy: it holds ${seen}`, {
    reason: 'ImageUnknown',
    hint: 'replace the copy; the image stays as it is, to be looked at',
  });
}
