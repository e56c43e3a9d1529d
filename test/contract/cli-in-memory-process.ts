/** A whole CLI process over a cluster in memory, for tests of what only a real process shows: pipes, signals, exit codes. */
import { createPlanReader } from '../../src/adapters/plan-file/plan-reader.ts';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { createSystemRandom } from '../../src/adapters/system/random.ts';
import { runCli } from '../../src/shells/cli/program.ts';
import { createFakeCluster } from '../../src/usecases/cluster.fake.ts';

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
const cluster = await createFakeCluster(['kube1', 'kube2', 'kube3']);
for (let at = 0; at < Number(process.env['VOLUMES'] ?? 0); at += 1) {
  const spec = { size: '1Gi', replicas: 3 };
  await cluster.client.create('Volume', { metadata: { name: `volume-${at}` }, spec });
}
process.exitCode = await runCli(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal: stop.signal,
  clock: createSystemClock(),
  random: createSystemRandom(),
  version: '0.0.0',
  connect: async () => ({ client: cluster.client, close: () => undefined }),
  plans: createPlanReader({ stdin: process.stdin }),
});
