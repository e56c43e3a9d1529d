/**
 * `npm run test:sanity [-- SUITE...]`: the real csi-sanity against the driver, for each kind of volume in a lab of its own. Needs
 * what a lab needs, and Go. Ends with "N passed, N failed, N skipped" for each, and for all.
 */
import { describeCounts } from '../test/totals.ts';
import { whyNoSanity } from './build-sanity.ts';
import { runAll } from './run-all.ts';
import { SUITES } from './suites.ts';

const names = process.argv.slice(2);
const unknown = names.find((name) => !SUITES.some((suite) => suite.name === name));
const problem =
  unknown === undefined
    ? await whyNoSanity()
    : `there is no ${unknown}; there are ${SUITES.map(({ name }) => name).join(', ')}`;
if (problem === undefined) {
  const counts = await runAll(names.length === 0 ? SUITES : SUITES.filter(({ name }) => names.includes(name)));
  console.log(describeCounts(counts));
  process.exitCode = counts.failed === 0 ? 0 : 1;
} else {
  console.error(problem);
  process.exitCode = 1;
}
