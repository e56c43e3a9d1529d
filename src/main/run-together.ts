/** Parts of one process that live and end together. */

/**
 * Runs all until the signal aborts; when one ends before, or fails, the others are ended too.
 *
 * @throws what the first that failed threw
 */
export async function runTogether(
  runs: readonly ((signal: AbortSignal) => Promise<void>)[],
  signal: AbortSignal,
): Promise<void> {
  const ending = new AbortController();
  const both = AbortSignal.any([signal, ending.signal]);
  const results = await Promise.allSettled(runs.map((run) => run(both).finally(() => ending.abort())));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
