/** The program `holdfast`: every role and every command starts here. */
import { parse } from 'node:path';
import { createSystemClock } from '../adapters/system/clock.ts';
import { createSystemRandom } from '../adapters/system/random.ts';
import type { CliContext } from '../shells/cli/context.ts';
import { runCli } from '../shells/cli/program.ts';
import { COMMANDS } from './entries.ts';
import { VERSION } from './version.ts';

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort());

const context: CliContext = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal: stop.signal,
  clock: createSystemClock(),
  random: createSystemRandom(),
  version: VERSION,
  connect: async (kubeconfig) => (await import('./connect.ts')).connect(kubeconfig),
  plans: {
    read: async (path) => {
      const { createPlanReader } = await import('../adapters/plan-file/plan-reader.ts');
      return createPlanReader({ stdin: process.stdin, signal: stop.signal }).read(path);
    },
  },
};

const args = process.argv.slice(2);
// A link of this name to the program stands in for Kismatic's own (docs/how-to/kismatic.md).
const isKismatic = parse(process.argv[1] ?? '').name === 'kismatic';
process.exitCode = isKismatic
  ? await (await import('../shells/cli/kismatic/program.ts')).runKismatic(args, context, async (options) => {
      const { composeInstall } = await import('./compose-install.ts');
      return composeInstall(options);
    })
  : await runCli(args, context, COMMANDS);
