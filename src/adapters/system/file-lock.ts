/** A lock that one process of a machine holds, and that ends with it however it ends. */
import { DatabaseSync } from 'node:sqlite';
import type { Clock, Millis } from '../../ports/clock.ts';

const POLL_MS = 5;
const SQLITE_BUSY = 5;

/**
 * Takes the lock. Node offers no flock(2), but SQLite locks its file with the kernel's own locks; nothing is ever stored
 * in the file.
 *
 * @param path - of a file in a folder that is there; it is made when missing, and stays
 * @returns releases it; undefined when another process, or another caller in this one, held it for all of `waitMs`
 */
export async function lockFile(
  clock: Pick<Clock, 'monotonic' | 'sleep'>,
  path: string,
  { waitMs }: { readonly waitMs: Millis },
): Promise<(() => void) | undefined> {
  const database = new DatabaseSync(path, { timeout: 0 });
  for (const end = clock.monotonic() + waitMs; ; await clock.sleep(POLL_MS)) {
    try {
      database.exec('BEGIN EXCLUSIVE');
      return () => database.close();
    } catch (error) {
      const isTaken = error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
      if (isTaken && clock.monotonic() < end) continue;
      database.close();
      if (isTaken) return undefined;
      throw error;
    }
  }
}
