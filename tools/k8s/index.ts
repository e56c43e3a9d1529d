/** `npm run e2e:k8s`: Holdfast on a real Kubernetes on this machine. Says what is missing where it cannot run. */
import { runTool } from '../project.ts';
import { buildPrograms, whyNotBuilt } from './build.ts';
import { installForKit } from './install.ts';

const RUN_MS = 40 * 60_000;

const say = (line: string): void => console.log(line);
const reason = (await installForKit(say)) ?? (await whyNotBuilt());
if (reason !== undefined) {
  console.error(reason);
  process.exitCode = 1;
} else {
  await buildPrograms(say);
  const args = ['run', '--project', 'k8s', ...process.argv.slice(2)];
  process.exitCode = (await runTool({ file: 'vitest', args, timeoutMs: RUN_MS, output: 'show' })).code;
}
