/**
 * What leads from one node's pods to another's, and to the API server: what a network plugin and kube-proxy do elsewhere. Of
 * services only `kubernetes` has its address; the others are reached by the names of their pods.
 */
import type { Lab } from '../../src/usecases/lab/labs.ts';
import { API_SERVER_PORT, API_SERVICE_ADDRESS } from './control-plane.ts';

const ALL_PODS = '10.244.0.0/16';
const TIMEOUT_MS = 10_000;

/** Addresses of the pods of a node. @param index - from 1 */
export function podRange(index: number): string {
  return `10.244.${index}.0/24`;
}

/** Lets pods of all nodes reach each other by their own addresses, and everything else by that of their node. */
export async function joinPodNetworks(lab: Lab): Promise<void> {
  for (const [at, name] of lab.hostNames.entries()) {
    const run = (file: string, ...args: string[]) => lab.host(name).run({ file, args, timeoutMs: TIMEOUT_MS });
    for (const [of, other] of lab.hostNames.entries()) {
      if (of !== at) await run('ip', 'route', 'replace', podRange(of + 1), 'via', lab.addressOf(other));
    }
    await run('sysctl', '-q', '-w', 'net.ipv4.ip_forward=1');
    const toOthers = ['-s', podRange(at + 1), '!', '-d', ALL_PODS];
    await run('iptables', '-t', 'nat', '-A', 'POSTROUTING', ...toOthers, '-j', 'MASQUERADE');
    const toService = ['-d', API_SERVICE_ADDRESS, '-p', 'tcp', '--dport', '443'];
    // A host has no way to addresses that are not of the lab; of what it sends itself that is asked first.
    await run('ip', 'route', 'replace', API_SERVICE_ADDRESS, 'via', lab.gateway);
    const server = ['-j', 'DNAT', '--to-destination', `${lab.gateway}:${API_SERVER_PORT}`];
    // Of pods, and of what shares the network of its node.
    for (const chain of ['PREROUTING', 'OUTPUT'])
      await run('iptables', '-t', 'nat', '-A', chain, ...toService, ...server);
  }
}
