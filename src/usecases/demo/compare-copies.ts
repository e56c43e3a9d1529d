/** Compares what the copies of a volume hold, on the hosts' own disks, not through the volume. */
import type { Host } from '../../ports/host.ts';

export interface CopyOnHost {
  readonly host: Host;
  /** The brick directory. */
  readonly path: string;
}

const TIMEOUT_MS = 60_000;

/** True when all copies hold the same files with the same contents. GlusterFS's own .glusterfs folder is left out. */
export async function areCopiesEqual(copies: readonly CopyOnHost[], signal: AbortSignal): Promise<boolean> {
  const listings = await Promise.all(copies.map((copy) => hashFiles(copy, signal)));
  return listings.every((listing) => listing !== '' && listing === listings[0]);
}

async function hashFiles({ host, path }: CopyOnHost, signal: AbortSignal): Promise<string> {
  const options = { cwd: path, timeoutMs: TIMEOUT_MS, signal };
  const args = ['.', '-path', './.glusterfs', '-prune', '-o', '-type', 'f', '-print'];
  const found = await host.run({ file: 'find', args, ...options });
  const files = found.stdout
    .split('\n')
    .filter((line) => line !== '')
    .toSorted();
  if (files.length === 0) return '';
  const hashed = await host.run({ file: 'sha256sum', args: ['--', ...files], ...options });
  return hashed.stdout;
}
