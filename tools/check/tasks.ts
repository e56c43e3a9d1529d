/** What `npm run check` looks at. Each task also proves that it looked at something: a check of no file is a failure. */
import type { ToolCall } from '../project.ts';

export interface CheckTask {
  readonly name: string;
  readonly call: Omit<ToolCall, 'output'>;
  /** Finds in the tool's output how many things it looked at. */
  readonly lookedAt: RegExp;
  /** What it counts: "files", "tests". */
  readonly unit: string;
}

/** Ends what hangs. Under a minute on two cores with nothing else to do; four and more where ten others share them. */
const TIMEOUT_MS = 900_000;
/** In the last lines of vitest. */
const TESTS_PASSED = /Tests\s+(?:.*\|\s+)?(\d+) passed/;

/** Every check, in the order of the report. */
export const CHECK_TASKS: readonly CheckTask[] = [
  {
    name: 'types',
    call: { file: 'tsc', args: ['--diagnostics'], timeoutMs: TIMEOUT_MS },
    lookedAt: /^Files:\s+(\d+)$/m,
    unit: 'files',
  },
  {
    name: 'lint',
    call: { file: process.execPath, args: ['tools/check/lint.ts'], timeoutMs: TIMEOUT_MS },
    lookedAt: /linted (\d+) files with [1-9]\d* rules/,
    unit: 'files',
  },
  {
    name: 'format',
    call: { file: 'biome', args: ['ci', '--colors=off', '.'], timeoutMs: TIMEOUT_MS },
    lookedAt: /Checked (\d+) files?/,
    unit: 'files',
  },
  {
    name: 'erasable',
    call: { file: process.execPath, args: ['tools/check/erasable.ts'], timeoutMs: TIMEOUT_MS },
    lookedAt: /stripped (\d+) files/,
    unit: 'files',
  },
  {
    name: 'dead code',
    call: {
      file: 'knip',
      args: ['--no-progress', '--reporter', 'compact', '--reporter', './tools/check/file-count-reporter.ts'],
      timeoutMs: TIMEOUT_MS,
    },
    lookedAt: /looked at (\d+) files/,
    unit: 'files',
  },
  {
    name: 'unit',
    call: { file: 'vitest', args: ['run', '--project', 'unit', '--reporter', 'dot'], timeoutMs: TIMEOUT_MS },
    lookedAt: TESTS_PASSED,
    unit: 'tests',
  },
  {
    name: 'tools',
    call: { file: 'vitest', args: ['run', '--project', 'tools', '--reporter', 'dot'], timeoutMs: TIMEOUT_MS },
    lookedAt: TESTS_PASSED,
    unit: 'tests',
  },
];
