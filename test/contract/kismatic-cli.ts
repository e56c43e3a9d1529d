/** Runs command lines of `kismatic` and `holdfast` in this process, over a cluster in memory. */
import { createPlanReader } from '../../src/adapters/plan-file/plan-reader.ts';
import { createSeededRandom } from '../../src/ports/random.fake.ts';
import type { CliContext } from '../../src/shells/cli/context.ts';
import { runKismatic } from '../../src/shells/cli/kismatic/program.ts';
import { runCli } from '../../src/shells/cli/program.ts';
import type { FakeCluster } from '../../src/usecases/cluster.fake.ts';

export interface CliRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cluster: FakeCluster;
  readonly input?: string;
  readonly signal?: AbortSignal;
  /** Of the names that it makes up. */
  readonly seed?: number;
}

async function* inputOf(text: string) {
  yield text;
}

/** Runs one command line. */
export async function runAs(
  program: 'kismatic' | 'holdfast',
  args: readonly string[],
  { cluster, input = '', signal = new AbortController().signal, seed = 7 }: CliOptions,
): Promise<CliRun> {
  const written = { stdout: '', stderr: '' };
  const stdin = inputOf(input);
  const context: CliContext = {
    stdin,
    stdout: { write: (text) => (written.stdout += text) },
    stderr: { write: (text) => (written.stderr += text) },
    env: {},
    signal,
    clock: cluster.clock,
    random: createSeededRandom(seed),
    version: '1.2.3',
    connect: async () => ({ client: cluster.client, close: () => undefined }),
    plans: createPlanReader({ stdin }),
  };
  const code = await (program === 'kismatic' ? runKismatic(args, context) : runCli(args, context));
  return { code, ...written };
}

/** Lets a command that waits for a volume go on, by what controller and agents would report. */
export async function makeReadyWhenStored(cluster: FakeCluster, name: string): Promise<void> {
  while ((await cluster.client.get('Volume', name)) === undefined) await cluster.clock.settle();
  await cluster.makeReady(name);
}
