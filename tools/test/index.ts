/**
 * `npm test`: installs what is missing, builds, checks, and runs every level of test.
 *
 * Nothing is left out in silence: a level that can't run here is named with the reason, and where CI=true it fails the
 * run. Ends with one plain line, the sum over all levels; the exit code is 0 only if everything that should run passed.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { constants, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, runTool } from '../project.ts';
import { whyNoSanity } from '../sanity/build-sanity.ts';
import { runAll } from '../sanity/run-all.ts';
import { SUITES } from '../sanity/suites.ts';
import { BESIDE_LEVELS, ENGINE_LEVEL, FIRST_LEVELS, type TestLevel } from './levels.ts';
import { prepareHost } from './prepare-host.ts';
import { type Counts, countLevel, describeCounts, sumCounts, type VitestReport } from './totals.ts';

const NONE: Counts = { passed: 0, failed: 0, skipped: 0 };
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

interface LevelRun {
  readonly reportFolder: string;
  /** 'capture' shows it when it has ended, in one piece. */
  readonly output: 'show' | 'capture';
}

async function runLevel({ name, about, timeoutMs }: TestLevel, { reportFolder, output }: LevelRun): Promise<Counts> {
  const title = `${name}: ${about}`;
  if (output === 'show') heading(title);
  const reportFile = join(reportFolder, `${name}.json`);
  const reporters = ['--reporter', 'default', '--reporter', 'json', `--outputFile.json=${reportFile}`];
  const args = ['run', '--project', name, ...reporters];
  const result = await runTool({ file: 'vitest', args, timeoutMs, output });
  if (output === 'capture') heading(`${title}\n${result.output}`);
  const report = existsSync(reportFile) ? (JSON.parse(readFileSync(reportFile, 'utf8')) as VitestReport) : undefined;
  const counts = countLevel(report, result.code);
  if (counts.failed > 0) failures.push(name);
  return counts;
}

async function runLevels(hostProblem: string | undefined): Promise<Counts> {
  const reportFolder = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
  try {
    const first: Counts[] = [];
    for (const level of FIRST_LEVELS) first.push(await runLevel(level, { reportFolder, output: 'show' }));
    const engine = runEngine(hostProblem, reportFolder);
    // Whatever is started from here on gets what the engine level leaves of the processors.
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
    return sumCounts([...first, ...(await Promise.all([engine, runBeside(hostProblem, reportFolder)]))]);
  } finally {
    rmSync(reportFolder, { recursive: true, force: true });
  }
}

async function runEngine(hostProblem: string | undefined, reportFolder: string): Promise<Counts> {
  if (hostProblem === undefined) return runLevel(ENGINE_LEVEL, { reportFolder, output: 'show' });
  skips.push(`${ENGINE_LEVEL.name} (${hostProblem})`);
  console.log(`\n!!! ${ENGINE_LEVEL.name} IS NOT RUN: ${hostProblem}`);
  return NONE;
}

async function runBeside(hostProblem: string | undefined, reportFolder: string): Promise<Counts> {
  const counts: Counts[] = [];
  for (const level of BESIDE_LEVELS) counts.push(await runLevel(level, { reportFolder, output: 'capture' }));
  return sumCounts([...counts, await runSanity(hostProblem)]);
}

/** The real csi-sanity. Go is nothing that a machine must have: without it this is left out, in CI too, and said. */
async function runSanity(hostProblem: string | undefined): Promise<Counts> {
  heading('sanity: csi-sanity against the CSI driver, without GlusterFS (npm run test:sanity has all)');
  const problem = hostProblem ?? (await whyNoSanity());
  if (problem !== undefined) {
    console.log(`!!! sanity IS NOT RUN: ${problem}`);
    withoutGo.push(`sanity (${problem})`);
    return NONE;
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
const total = await runLevels(hostProblem);

if (process.env['CI'] === 'true') failures.push(...skips.map((skip) => `${skip} in CI`));
heading(failures.length === 0 ? 'all passed' : `failed: ${failures.join(', ')}`);
if (skips.length + withoutGo.length > 0) console.log(`not run: ${[...skips, ...withoutGo].join(', ')}`);
console.log(describeCounts(total));
process.exitCode = failures.length === 0 ? 0 : 1;
