/** Test files that run in a guest, with its kernel: what came of them. */
import { type GuestOptions, runInGuest } from './guest-machine.ts';

export interface GuestTests {
  readonly passed: number;
  /** Of each that failed, what it is called and why. */
  readonly failures: readonly string[];
}

interface Report {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

const UNHANDLED = /Vitest caught \d+ unhandled error[^]{0,4000}/;

/** @throws {Error} with the console of the guest, where it came to no report */
export async function runGuestTests(file: string, options: GuestOptions = {}): Promise<GuestTests> {
  const vitest = `node node_modules/vitest/vitest.mjs run --project guest ${file}`;
  const run = `${vitest} --reporter verbose --reporter json --outputFile.json=report`;
  const { console: said, report } = await runInGuest(`${run}\n`, options);
  if (!report.startsWith('{')) throw new Error(`the guest came to no report; its console:\n${said}`);
  const { numPassedTests, testResults } = JSON.parse(report) as Report;
  const failures = testResults.flatMap(({ message, assertionResults }) => [
    ...(assertionResults.length === 0 ? [message] : []),
    ...assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName, failureMessages }) => `${fullName}: ${failureMessages.join('\n')}`),
  ]);
  // What nobody waited for fails no test, and stands on the console alone.
  const unhandled = UNHANDLED.exec(said)?.[0];
  return { passed: numPassedTests, failures: unhandled === undefined ? failures : [...failures, unhandled] };
}
