/** Who is in the trusted pool, as this node's glusterd says. */
import type { DesiredPeers, ObservedPeer, ObservedPeers } from '../../ports/engine.ts';
import type { Host } from '../../ports/host.ts';
import type { GlusterCli } from './cli.ts';
import { poolListArgv } from './command.ts';
import { parsePeers } from './parse.ts';

const RESOLVE_MS = 10_000;

/** The other members of the pool, without this node itself. */
export async function listPeers(cli: GlusterCli, signal: AbortSignal): Promise<readonly ObservedPeer[]> {
  const reply = await cli.demand(poolListArgv(), { about: 'cannot list the pool', resource: 'pool', signal });
  return parsePeers(reply)
    .filter((peer) => !peer.isSelf)
    .map(({ uuid, names, isConnected, isMember }) => ({ uuid, names, isConnected, isMember }));
}

/** Observes the pool; members that no peer is named after are resolved, so that they can be told by address. */
export async function observePeers(
  { host, cli }: { readonly host: Host; readonly cli: GlusterCli },
  desired: DesiredPeers,
  signal: AbortSignal,
): Promise<ObservedPeers> {
  const peers = await listPeers(cli, signal);
  const named = new Set(peers.flatMap((peer) => peer.names));
  const unnamed = desired.members.filter((member) => member !== desired.self && !named.has(member));
  const addresses: Record<string, readonly string[]> = {};
  for (const member of peers.length === 0 ? [] : unnamed) {
    const found = await resolve(host, member, signal);
    if (found.length > 0) addresses[member] = found;
  }
  return { subject: 'peers', peers, addresses };
}

async function resolve(host: Host, name: string, signal: AbortSignal): Promise<readonly string[]> {
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
