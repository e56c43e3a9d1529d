/** Writes to a client at the client's pace: what it has not taken is not produced, and who takes nothing is cut off. */
import type { ServerResponse } from 'node:http';
import type { Clock } from '../../ports/clock.ts';

/** A client that takes nothing for this long is gone or hopelessly slow. */
export const STALL_MS = 30_000;

/** Writes a piece and waits until there is room for the next. False: the client is gone, or was dropped as too slow. */
export async function writePaced(clock: Clock, response: ServerResponse, text: string): Promise<boolean> {
  if (response.destroyed) return false;
  if (response.write(text)) return true;
  const stop = new AbortController();
  const drained = new Promise<void>((resolve) => {
    const settle = () => {
      response.off('drain', settle);
      response.off('close', settle);
      resolve();
    };
    response.on('drain', settle);
    response.on('close', settle);
  });
  const stalled = clock.sleep(STALL_MS, stop.signal).then(
    () => response.destroy(),
    // Aborted: the client took what was written.
    () => undefined,
  );
  await Promise.race([drained, stalled]);
  stop.abort();
  return !response.destroyed;
}
