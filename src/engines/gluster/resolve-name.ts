/** Names of machines, as the node's own resolver knows them. */
import type { Host } from '../../ports/host.ts';

const RESOLVE_MS = 10_000;

/** The addresses that this machine resolves a name to; none for a name that it does not know. */
export async function resolveName(host: Host, name: string, signal: AbortSignal): Promise<readonly string[]> {
  // getent(1) leaves with 2 when the name is not known.
  const found = await host.run({
    file: 'getent',
    args: ['--', 'ahosts', name],
    okCodes: [0, 2],
    timeoutMs: RESOLVE_MS,
    signal,
  });
  const addresses = found.stdout.split('\n').map((line) => line.split(/\s+/)[0] ?? '');
  return [...new Set(addresses)].filter((address) => address !== '');
}
