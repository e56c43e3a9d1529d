/** The certificate of an agent, made on the controller's machine. */
import { join } from 'node:path';
import { createSystemClock } from '../adapters/system/clock.ts';
import { loadOrCreateAuthority } from '../adapters/tls/authority-files.ts';
import type { NodeKubeconfigRequest } from '../shells/cli/commands/controller.ts';
import { NODES, nodeUser } from '../shells/kube-api/authorize.ts';
import { issueKubeconfig } from './issue-kubeconfig.ts';

const DAYS = 365;

/** The text of the kubeconfig; it holds a private key. */
export async function issueNodeKubeconfig({ dataDir, node, server }: NodeKubeconfigRequest): Promise<string> {
  const authority = await loadOrCreateAuthority({ clock: createSystemClock() }, join(dataDir, 'pki'));
  return issueKubeconfig(authority, { server, user: nodeUser(node), group: NODES, days: DAYS });
}
