import { describe, expect, test } from 'vitest';
import { countLevel, describeCounts, sumCounts, type VitestReport } from './totals.ts';

const report = (changes: Partial<VitestReport>): VitestReport => ({
  numPassedTests: 0,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults: [],
  ...changes,
});

describe('countLevel', () => {
  test('takes the counts of vitest', () => {
    const seen = report({ numPassedTests: 5, numFailedTests: 2, numPendingTests: 1, numTodoTests: 1 });
    expect(countLevel(seen, 1)).toEqual({ passed: 5, failed: 2, skipped: 2 });
  });

  test('counts a file that failed without a failed test', () => {
    const testResults = [
      { status: 'failed', assertionResults: [] },
      { status: 'failed', assertionResults: [{ status: 'failed' }] },
      { status: 'passed', assertionResults: [{ status: 'passed' }] },
    ];
    expect(countLevel(report({ numPassedTests: 1, numFailedTests: 1, testResults }), 1).failed).toBe(2);
  });

  test('a bad exit without a failed test is a failure', () => {
    expect(countLevel(report({ numPassedTests: 3 }), 1)).toEqual({ passed: 3, failed: 1, skipped: 0 });
  });

  test('a level that ran nothing, or gave no report, is a failure', () => {
    expect(countLevel(report({ numPendingTests: 4 }), 0)).toEqual({ passed: 0, failed: 1, skipped: 4 });
    expect(countLevel(undefined, 0).failed).toBe(1);
  });
});

test('the closing line sums all levels', () => {
  const sum = sumCounts([
    { passed: 1, failed: 0, skipped: 2 },
    { passed: 10, failed: 3, skipped: 0 },
  ]);
  expect(describeCounts(sum)).toBe('11 passed, 3 failed, 2 skipped');
});
