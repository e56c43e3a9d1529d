/** `holdfast lab ...` for the labs of a folder, as a program of its own that can be killed. */
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { createSystemRandom } from '../../src/adapters/system/random.ts';
import { composeLab, composePackages } from '../../src/main/compose-lab.ts';
import { composeLabRun } from '../../src/main/compose-lab-run.ts';
import { createLabCommand } from '../../src/shells/cli/commands/lab.ts';
import { runCli } from '../../src/shells/cli/program.ts';

const [labsFolder = '', ...line] = process.argv.slice(2);
const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort());
const composed = composeLab(labsFolder);
const command = createLabCommand({
  ...composed,
  packages: composePackages(composed.machine),
  composeRun: async () => composeLabRun(composed.controllerFolder, labsFolder),
});
process.exitCode = await runCli(
  line,
  {
    ...{ stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, env: process.env },
    ...{ signal: stop.signal, clock: createSystemClock(), random: createSystemRandom(), version: '0.0.0' },
    connect: () => Promise.reject(new Error('the lab needs no cluster')),
    plans: { read: () => Promise.reject(new Error('the lab needs no plan')) },
  },
  [{ name: 'lab', summary: 'Hosts on this machine', load: async () => command }],
);
