/** Names of services and of their pods: CoreDNS, as in a cluster, but as a process beside the API server. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ControlPlaneOptions } from './control-plane.ts';

export const CLUSTER_DOMAIN = 'cluster.local';

/** Starts it at the lab's own address, where kubelet tells pods to ask; names of nothing else are known there. */
export async function startDns({ lab, programs, pki, folder }: ControlPlaneOptions): Promise<void> {
  const kubeconfig = await pki.kubeconfig('coredns', 'system:masters');
  const config = join(folder, 'Corefile');
  const zone = `kubernetes ${CLUSTER_DOMAIN} {\n    kubeconfig ${kubeconfig}\n    ttl 1\n  }`;
  await writeFile(config, `.:53 {\n  bind ${lab.gateway}\n  errors\n  ${zone}\n}\n`);
  await lab.startMachineDaemon({ name: 'coredns', argv: [programs.coredns, '-conf', config] });
}
