/**
 * `npm run e2e:k8s`: Holdfast on a real Kubernetes on this machine. Where that cannot run it says what is missing, and runs what
 * needs no more than a cluster with Holdfast on it, if KUBECONFIG leads to one.
 */
import { runTool } from '../project.ts';
import { buildPrograms, whyNotBuilt } from './build.ts';
import { installForKit } from './install.ts';

const RUN_MS = 40 * 60_000;
/** The tests that know nothing of the kit. */
const FOR_ANY_CLUSTER = 'test/k8s/given-cluster.test.ts';

const say = (line: string): void => console.log(line);

async function run(files: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<void> {
  const args = ['run', '--project', 'k8s', ...files];
  process.exitCode = (await runTool({ file: 'vitest', args, env, timeoutMs: RUN_MS, output: 'show' })).code;
}

const given = process.env['KUBECONFIG'] ?? '';
const reason = (await installForKit(say)) ?? (await whyNotBuilt());
if (reason === undefined) {
  await buildPrograms(say);
  await run(process.argv.slice(2));
} else if (given === '') {
  console.error(`${reason}: no Kubernetes can be made here`);
  console.error(`with KUBECONFIG, of a cluster that has Holdfast on it, ${FOR_ANY_CLUSTER} runs there`);
  process.exitCode = 1;
} else {
  say(`${reason}: no Kubernetes can be made here, so only ${FOR_ANY_CLUSTER} runs, on the cluster of ${given}`);
  await run([FOR_ANY_CLUSTER], { HOLDFAST_GIVEN_CLUSTER: given });
}
