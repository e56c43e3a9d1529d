/** Feeds the real linter, with the project's real configuration, one bad file per rule, and expects each to be caught. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LintReport, readLintReport } from '../check/lint-report.ts';
import { judge } from '../check/outcome.ts';
import { CHECK_TASKS } from '../check/tasks.ts';
import { ROOT, runTool } from '../project.ts';
import { ACCEPTED, REFUSED } from './samples.ts';

let outside: string;
let project: string;
let report: LintReport;

beforeAll(async () => {
  // Below folders of these names, as people keep their checkouts: they must not be taken for the project's own.
  outside = mkdtempSync(join(tmpdir(), 'holdfast-lint-'));
  project = join(outside, 'src', 'test', 'holdfast');
  mkdirSync(project, { recursive: true });
  for (const name of ['.oxlintrc.json', 'tsconfig.json', 'package.json', 'tools']) {
    cpSync(join(ROOT, name), join(project, name), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(project, 'node_modules'));
  for (const sample of [...REFUSED, ...ACCEPTED]) {
    mkdirSync(dirname(join(project, sample.path)), { recursive: true });
    writeFileSync(join(project, sample.path), `${sample.code}\n`);
  }
  report = await lint('src');
});

afterAll(() => rmSync(outside, { recursive: true, force: true }));

async function lint(folder: string): Promise<LintReport> {
  const call = { file: 'oxlint', args: ['--type-aware', '--format', 'json', folder], timeoutMs: 60_000 };
  const result = await runTool({ ...call, cwd: project, output: 'capture' });
  const read = readLintReport(result.output);
  if (read === undefined) throw new Error(`oxlint gave no report: ${result.output}`);
  return read;
}

function rulesFiringOn(path: string): readonly string[] {
  return report.faults.filter((fault) => fault.file.endsWith(path)).map((fault) => fault.rule);
}

describe('a file that breaks a rule is caught', () => {
  test.for(REFUSED)('$rule in $path', ({ path, rule }) => {
    expect(rulesFiringOn(path)).toContain(rule);
  });
});

describe('a file that follows the rules is left alone', () => {
  test.for(ACCEPTED)('$path', ({ path }) => {
    expect(rulesFiringOn(path)).toEqual([]);
  });
});

test('every rule of our own has a sample that it catches', async () => {
  const plugin = await import('./index.ts');
  const own = Object.keys(plugin.default.rules).map((name) => `own/${name}`);
  const sampled = new Set(REFUSED.map((sample) => sample.rule));
  expect(own.filter((rule) => !sampled.has(rule))).toEqual([]);
});

test('the linter says how many files it looked at, and each sample is among them', () => {
  expect(report.fileCount).toBeGreaterThanOrEqual(REFUSED.length + ACCEPTED.length);
});

test.for(CHECK_TASKS)('the check "$name" fails when its tool says it looked at nothing, or does not say', (task) => {
  expect(judge(task, { code: 0, output: '', seconds: 1 }).isOk).toBe(false);
});

test('linting a folder without files fails the check', async () => {
  mkdirSync(join(project, 'empty'));
  const script = join(project, 'tools', 'check', 'lint.ts');
  const call = { file: process.execPath, args: [script, join(project, 'empty')], timeoutMs: 60_000, cwd: project };
  const result = await runTool({ ...call, output: 'capture' });
  expect(result.code, result.output).not.toBe(0);
});
