/**
 * A reporter of vitest: what came of a run, written as JSON into the file REPORT, for whoever runs tests elsewhere. The one that vitest has
 * says nothing of an error outside of a test, as in `beforeAll`, when the tests are merely skipped for it.
 */
import { writeFile } from 'node:fs/promises';
import type { Reporter, TestModule } from 'vitest/node';

/** In the folder that the tests are run in. */
export const REPORT = 'report';

export interface RunReport {
  readonly passed: number;
  /** Whatever failed, by what it is called and why: tests, what is around them, files that cannot be loaded, and what nobody waited for. */
  readonly failures: readonly string[];
}

interface Failure {
  readonly message: string;
  readonly stack?: string | undefined;
  readonly cause?: unknown;
}

function describe(where: string, errors: readonly Failure[]): readonly string[] {
  return errors.map((error) => `${where}: ${explain(error)}`);
}

/** With what it came of: a property that failed says in its cause alone why. */
function explain({ message, stack, cause }: Failure): string {
  const said = stack ?? message;
  if (typeof cause !== 'object' || cause === null || !('message' in cause)) return said;
  const { message: why } = cause;
  return `${said}\ncaused by: ${'stack' in cause ? String(cause.stack) : String(why)}`;
}

function failuresOf(module: TestModule): readonly string[] {
  const around = [...module.children.allSuites()].flatMap((suite) => describe(suite.fullName, suite.errors()));
  const tests = [...module.children.allTests()].flatMap((test) => describe(test.fullName, test.result().errors ?? []));
  return [...describe(module.relativeModuleId, module.errors()), ...around, ...tests];
}

class ReportFailures implements Reporter {
  async onTestRunEnd(modules: readonly TestModule[], unhandled: readonly Failure[]): Promise<void> {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const report: RunReport = {
      passed: tests.filter((test) => test.result().state === 'passed').length,
      failures: [...modules.flatMap(failuresOf), ...describe('outside of every test', unhandled)],
    };
    await writeFile(REPORT, JSON.stringify(report));
  }
}

// oxlint-disable-next-line import/no-default-export -- vitest takes the default of a reporter's file
export default ReportFailures;
