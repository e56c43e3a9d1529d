/** Connects a CLI command to the API server that a kubeconfig names. */
import { createKubeClient } from '../adapters/kube/client.ts';
import { loadKubeconfig } from '../adapters/kube/kubeconfig.ts';
import type { Connection } from '../shells/cli/context.ts';
import { VERSION } from './version.ts';

/** @throws {AppError} notFound or invalid, when the kubeconfig is missing or wrong */
export async function connect(kubeconfig: string | readonly string[], context?: string): Promise<Connection> {
  const client = createKubeClient(await loadKubeconfig(kubeconfig, context), { userAgent: `holdfast/${VERSION}` });
  return { client, close: () => client.close() };
}
