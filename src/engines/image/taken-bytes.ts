/** What sparse images take of their pools now. Looks only. */
import type { Host } from '../../ports/host.ts';
import { type CopyIdentity, copyPaths } from './paths.ts';

const SHORT_MS = 20_000;
/** Images that one program is asked about; its arguments are limited. */
const AT_ONCE = 200;

/** Bytes by the UID of the copy; one whose image is not there, or cannot be read, is left out. */
export async function takenBytes(
  host: Host,
  copies: readonly CopyIdentity[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const taken = new Map<string, number>();
  const uids = new Map(copies.map((copy) => [copyPaths(copy).image, copy.copyUid]));
  const images = [...uids.keys()];
  for (let from = 0; from < images.length; from += AT_ONCE) {
    const args = ['--format=%b %B %n', '--', ...images.slice(from, from + AT_ONCE)];
    // 1: some of them are not there.
    const { stdout } = await host.run({ file: 'stat', args, okCodes: [0, 1], timeoutMs: SHORT_MS, signal });
    for (const line of stdout.split('\n')) {
      const found = /^(\d+) (\d+) (\/.+)$/.exec(line);
      const uid = uids.get(found?.[3] ?? '');
      if (uid !== undefined) taken.set(uid, Number(found?.[1]) * Number(found?.[2]));
    }
  }
  return taken;
}
