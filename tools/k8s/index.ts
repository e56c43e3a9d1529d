/** `npm run e2e:k8s`: Holdfast's kinds on a real API server of Kubernetes. Says what is missing where it cannot run. */
import { runTool } from '../project.ts';
import { buildApiServer, missingForKit } from './build.ts';

const RUN_MS = 20 * 60_000;

const missing = await missingForKit();
if (missing.length > 0) {
  console.error(missing.join('\n'));
  process.exitCode = 1;
} else {
  console.log(`the API server: ${await buildApiServer()}`);
  const args = ['run', '--project', 'k8s', ...process.argv.slice(2)];
  process.exitCode = (await runTool({ file: 'vitest', args, timeoutMs: RUN_MS, output: 'show' })).code;
}
