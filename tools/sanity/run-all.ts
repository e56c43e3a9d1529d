/** Runs csi-sanity for every kind of volume, at the same time in labs of their own, and tells what came of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { composeLab } from '../../src/main/compose-lab.ts';
import { ROOT } from '../project.ts';
import { type Counts, describeCounts, sumCounts } from '../test/totals.ts';
import { buildSanity } from './build-sanity.ts';
import { runSuite } from './run-suite.ts';
import { SUITES, type Suite } from './suites.ts';

/**
 * Runs the suites; a line of counts for each, and what was skipped or failed before it.
 *
 * @returns the sum
 */
export async function runAll(suites: readonly Suite[] = SUITES): Promise<Counts> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-sanity-'));
  const composed = composeLab(join(folder, 'labs'), ROOT);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  try {
    const program = await buildSanity();
    const common = { composed, program, signal: stop.signal };
    const runs = suites.map((suite) => judge({ ...common, folder: join(folder, suite.name) }, suite));
    return sumCounts(await Promise.all(runs));
  } catch (error) {
    console.log(`sanity: ${error instanceof Error ? error.message : String(error)}`);
    return { passed: 0, failed: 1, skipped: 0 };
  } finally {
    for (const each of await composed.labs.list()) await composed.labs.down(each.name);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function judge(run: Parameters<typeof runSuite>[0], suite: Suite): Promise<Counts> {
  try {
    const { passed, failed, skipped, output, seconds } = await runSuite(run, suite);
    if (failed.length > 0) console.log(output);
    const lines = [...skipped].map(([reason, count]) => `${suite.name}: skipped ${count}: ${reason}`);
    console.log([...lines, ...failed.map((failure) => `${suite.name}: failed: ${failure}`)].join('\n'));
    const skips = [...skipped.values()].reduce((sum, count) => sum + count, 0);
    const counts = { passed, failed: passed === 0 ? Math.max(1, failed.length) : failed.length, skipped: skips };
    console.log(`${suite.name}: ${describeCounts(counts)} (${Math.round(seconds)} s)`);
    return counts;
  } catch (error) {
    console.log(`${suite.name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
