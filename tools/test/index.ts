/**
 * `npm test`: installs what is missing, builds, checks, and runs every level of test in order.
 *
 * Nothing is left out in silence: a level that can't run here is named with the reason, and where CI=true it fails the
 * run. Ends with one plain line, the sum over all levels; the exit code is 0 only if everything that should run passed.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, runTool } from '../project.ts';
import { whyNoSanity } from '../sanity/build-sanity.ts';
import { runAll } from '../sanity/run-all.ts';
import { SUITES } from '../sanity/suites.ts';
import { TEST_LEVELS, type TestLevel } from './levels.ts';
import { prepareHost } from './prepare-host.ts';
import { type Counts, countLevel, describeCounts, sumCounts, type VitestReport } from './totals.ts';

const failures: string[] = [];
const skips: string[] = [];
const withoutGo: string[] = [];

function heading(text: string): void {
  console.log(`\n=== ${text}`);
}

async function step(name: string, file: string, args: readonly string[]): Promise<void> {
  heading(name);
  const result = await runTool({ file, args, timeoutMs: 300_000, output: 'show' });
  if (result.code !== 0) failures.push(name);
}

async function runLevel(level: TestLevel, reportFolder: string): Promise<Counts> {
  heading(`${level.name}: ${level.about}`);
  const reportFile = join(reportFolder, `${level.name}.json`);
  const result = await runTool({
    file: 'vitest',
    args: [
      'run',
      '--project',
      level.name,
      '--reporter',
      'default',
      '--reporter',
      'json',
      `--outputFile.json=${reportFile}`,
    ],
    timeoutMs: level.timeoutMs,
    output: 'show',
  });
  const report = existsSync(reportFile) ? (JSON.parse(readFileSync(reportFile, 'utf8')) as VitestReport) : undefined;
  const counts = countLevel(report, result.code);
  if (counts.failed > 0) failures.push(level.name);
  return counts;
}

async function runLevels(hostProblem: string | undefined): Promise<readonly Counts[]> {
  const all: Counts[] = [];
  const reportFolder = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
  try {
    for (const level of TEST_LEVELS) {
      if (level.needsHost && hostProblem !== undefined) {
        skips.push(`${level.name} (${hostProblem})`);
        console.log(`\n!!! ${level.name} IS NOT RUN: ${hostProblem}`);
      } else {
        all.push(await runLevel(level, reportFolder));
      }
    }
  } finally {
    rmSync(reportFolder, { recursive: true, force: true });
  }
  return all;
}

/** The real csi-sanity. Go is nothing that a machine must have: without it this is left out, in CI too, and said. */
async function runSanity(hostProblem: string | undefined): Promise<Counts> {
  heading('sanity: csi-sanity against the CSI driver, without GlusterFS (npm run test:sanity has all)');
  const problem = hostProblem ?? (await whyNoSanity());
  if (problem !== undefined) {
    console.log(`!!! sanity IS NOT RUN: ${problem}`);
    withoutGo.push(`sanity (${problem})`);
    return { passed: 0, failed: 0, skipped: 0 };
  }
  const counts = await runAll(SUITES.filter(({ isLong }) => isLong !== true));
  if (counts.failed > 0) failures.push('sanity');
  return counts;
}

console.log(`Holdfast tests in ${ROOT}, Node ${process.version}`);
heading('packages');
const hostProblem = await prepareHost();
await step('build', process.execPath, ['tools/build.mjs']);
// The tests among the checks come with their own counts below.
await step('check', process.execPath, ['tools/check/index.ts', '--without', 'unit', '--without', 'tools']);
const total = sumCounts([...(await runLevels(hostProblem)), await runSanity(hostProblem)]);

if (process.env['CI'] === 'true') failures.push(...skips.map((skip) => `${skip} in CI`));
heading(failures.length === 0 ? 'all passed' : `failed: ${failures.join(', ')}`);
if (skips.length + withoutGo.length > 0) console.log(`not run: ${[...skips, ...withoutGo].join(', ')}`);
console.log(describeCounts(total));
process.exitCode = failures.length === 0 ? 0 : 1;
