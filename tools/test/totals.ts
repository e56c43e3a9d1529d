/** Counts over all levels, from vitest's own JSON reports. */

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The part of vitest's JSON report that is read here. */
export interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/**
 * Counts of one level. A test file that failed before any of its tests did (it does not load, a hook threw) counts as
 * one failure, and so does a level that ended badly or ran nothing though no test failed.
 */
export function countLevel(report: VitestReport | undefined, exitCode: number): Counts {
  if (report === undefined) return { passed: 0, failed: 1, skipped: 0 };
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.every((each) => each.status !== 'failed'),
  ).length;
  const failed = report.numFailedTests + brokenFiles;
  const isEmpty = report.numPassedTests + failed === 0;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && (exitCode !== 0 || isEmpty) ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** Sums counts. */
export function sumCounts(all: readonly Counts[]): Counts {
  let [passed, failed, skipped] = [0, 0, 0];
  for (const each of all) {
    passed += each.passed;
    failed += each.failed;
    skipped += each.skipped;
  }
  return { passed, failed, skipped };
}

/** The closing line: "12 passed, 0 failed, 0 skipped". */
export function describeCounts(counts: Counts): string {
  return `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
}
