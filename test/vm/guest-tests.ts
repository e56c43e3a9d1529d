/** Test files that run in a guest, with its kernel: what came of them. */
import type { RunReport } from '../../tools/test/report-failures.ts';
import { type GuestOptions, runInGuest } from './guest-machine.ts';

/** @throws {Error} with the console of the guest, where it came to no report */
export async function runGuestTests(file: string, options: GuestOptions = {}): Promise<RunReport> {
  const vitest = `node node_modules/vitest/vitest.mjs run --project guest ${file}`;
  const run = `${vitest} --reporter verbose --reporter ./tools/test/report-failures.ts`;
  const { console: said, report } = await runInGuest(`${run}\n`, options);
  if (!report.startsWith('{')) throw new Error(`the guest came to no report; its console:\n${said}`);
  return JSON.parse(report) as RunReport;
}
