/** Runs oxlint and prints one line per fault, then how many files it looked at. Arguments are passed on to oxlint. */
import { runTool } from '../project.ts';
import { describeLint, readLintReport } from './lint-report.ts';

const result = await runTool({
  file: 'oxlint',
  args: ['--type-aware', '--format', 'json', ...process.argv.slice(2)],
  timeoutMs: 900_000,
  output: 'capture',
});
const report = readLintReport(result.output);
if (report === undefined) {
  console.error(result.output);
  process.exitCode = 1;
} else {
  for (const line of describeLint(report)) console.log(line);
  const isClean = result.code === 0 && report.faults.length === 0 && report.fileCount > 0;
  process.exitCode = isClean ? 0 : 1;
}
