/** Composition root of the role `node`: one machine's agent. */
import { createLocalHost } from '../adapters/host/local-host.ts';
import { createKubeClient } from '../adapters/kube/client.ts';
import { loadKubeconfig } from '../adapters/kube/kubeconfig.ts';
import { createSystemClock } from '../adapters/system/clock.ts';
import { createLogger, type LoggerOptions } from '../adapters/system/logger.ts';
import { createSystemRandom } from '../adapters/system/random.ts';
import { runAgent } from '../controllers/agent/run-agent.ts';
import { createGlusterEngine } from '../engines/gluster/index.ts';
import type { StorageNodeSpec } from '../schemas/storage-node.ts';
import { VERSION } from './version.ts';

export interface NodeOptions {
  readonly name: string;
  /** Path of a kubeconfig whose user is this node. */
  readonly kubeconfig: string;
  /** What the node registers with when no plan has described it yet. */
  readonly initialSpec: StorageNodeSpec;
  /** Silence of the API server that is taken for a dead connection. */
  readonly watchIdleMs: number;
  readonly log: LoggerOptions;
}

/** Runs the agent until the signal aborts. */
export async function runNode(options: NodeOptions, signal: AbortSignal): Promise<void> {
  const clock = createSystemClock();
  const random = createSystemRandom();
  const log = createLogger({ clock }, options.log).child({ node: options.name });
  const endpoint = await loadKubeconfig(options.kubeconfig);
  const client = createKubeClient(endpoint, { userAgent: `holdfast-node/${VERSION}` });
  const host = createLocalHost({ clock }, { name: options.name });
  const engine = createGlusterEngine({ host, clock, random, log });
  const identity = { name: options.name, initialSpec: options.initialSpec, agentVersion: VERSION };
  try {
    const { watchIdleMs } = options;
    await runAgent({ client, clock, random, log, identity, host, engine, watchIdleMs }, signal);
  } finally {
    client.close();
  }
}
