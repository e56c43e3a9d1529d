/**
 * `npm run check`: everything that can be said about the code without a storage host, in under a minute.
 *
 * All checks run side by side; a line comes when one ends, and the words of those that failed come last.
 * `--without NAME` leaves one out, `--only NAME` runs just that one (both repeatable).
 */
import { parseArgs, styleText } from 'node:util';
import { runTool } from '../project.ts';
import { type CheckOutcome, judge } from './outcome.ts';
import { CHECK_TASKS, type CheckTask } from './tasks.ts';

const { values } = parseArgs({
  options: { without: { type: 'string', multiple: true }, only: { type: 'string', multiple: true } },
});

async function run(task: CheckTask): Promise<CheckOutcome> {
  const result = await runTool({ ...task.call, output: 'capture', env: { NO_COLOR: '1' } });
  const outcome = judge(task, result);
  const mark = outcome.isOk ? styleText('green', 'ok  ') : styleText('red', 'FAIL');
  console.log(`${mark} ${task.name.padEnd(10)} ${outcome.summary.padEnd(16)} ${result.seconds.toFixed(1)} s`);
  return outcome;
}

function chosenTasks(): readonly CheckTask[] {
  const names = new Set(CHECK_TASKS.map((task) => task.name));
  for (const name of [...(values.only ?? []), ...(values.without ?? [])]) {
    if (!names.has(name)) throw new Error(`there is no check "${name}"; the checks are ${[...names].join(', ')}`);
  }
  const wanted = values.only === undefined ? names : new Set(values.only);
  return CHECK_TASKS.filter((task) => wanted.has(task.name) && values.without?.includes(task.name) !== true);
}

const outcomes = await Promise.all(chosenTasks().map(run));
const failed = outcomes.filter((outcome) => !outcome.isOk);
for (const outcome of failed) {
  console.log(`\n--- ${outcome.name}\n${outcome.details}`);
}
console.log(
  failed.length === 0
    ? `\ncheck: all ${outcomes.length} passed`
    : `\ncheck: ${failed.length} of ${outcomes.length} failed: ${failed.map((outcome) => outcome.name).join(', ')}`,
);
process.exitCode = failed.length === 0 && outcomes.length > 0 ? 0 : 1;
