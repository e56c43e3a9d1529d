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

// The name that it was called by: links to the program are other command lines.
const calledAs = parse(process.argv[1] ?? '').name;

const context: CliContext = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal: stop.signal,
  clock: createSystemClock(),
  random: createSystemRandom(),
  version: VERSION,
  connect: async (kubeconfig, name) => (await import('./connect.ts')).connect(kubeconfig, name),
  plans: {
    read: async (path) => {
      const { createPlanReader } = await import('../adapters/plan-file/plan-reader.ts');
      return createPlanReader({ stdin: process.stdin, signal: stop.signal }).read(path);
    },
  },
};

const args = process.argv.slice(2);

async function run(): Promise<number> {
  switch (calledAs) {
    // Stands in for Kismatic's own (docs/how-to/kismatic.md).
    case 'kismatic': {
      const { runKismatic } = await import('../shells/cli/kismatic/program.ts');
      return runKismatic(args, context, async (options) => {
        const { composeInstall } = await import('./compose-install.ts');
        return composeInstall(options);
      });
    }
    // `kubectl holdfast`, and what kubectl asks to complete a line of it (docs/how-to/use-kubectl.md).
    case 'kubectl-holdfast':
      return runCli(args, { ...context, isKubectlPlugin: true }, COMMANDS);
    case 'kubectl_complete-holdfast': {
      const { completeLine } = await import('../shells/cli/complete-line.ts');
      return completeLine(args, { ...context, isKubectlPlugin: true }, COMMANDS);
    }
    default:
      return runCli(args, context, COMMANDS);
  }
}

process.exitCode = await run();
