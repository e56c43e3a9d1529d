/** Who is in the trusted pool, as this node's glusterd says. */
import type { DesiredPeers, ObservedPeer, ObservedPeers } from '../../ports/engine.ts';
import type { Host } from '../../ports/host.ts';
import { isCopyPath } from '../image/paths.ts';
import type { GlusterCli } from './cli.ts';
import { allVolumesArgv, poolListArgv } from './command.ts';
import { type InfoBrick, parsePeers, parseVolumeInfo } from './parse.ts';
import { resolveName } from './resolve-name.ts';

export interface Pool {
  /** What this node's glusterd calls itself; undefined in an answer that does not list it. */
  readonly selfId?: string;
  /** The other members, without this node itself. */
  readonly peers: readonly ObservedPeer[];
}

/** The pool as this node's glusterd knows it. */
export async function listPool(cli: GlusterCli, signal: AbortSignal): Promise<Pool> {
  const reply = await cli.demand(poolListArgv(), { about: 'cannot list the pool', resource: 'pool', signal });
  const all = parsePeers(reply);
  const selfId = all.find((peer) => peer.isSelf)?.uuid;
  const peers = all
    .filter((peer) => !peer.isSelf)
    .map(({ uuid, names, isConnected, isMember }) => ({ uuid, names, isConnected, isMember }));
  return { peers, ...(selfId === undefined ? {} : { selfId }) };
}

/** The other members of the pool, without this node itself. */
export async function listPeers(cli: GlusterCli, signal: AbortSignal): Promise<readonly ObservedPeer[]> {
  return (await listPool(cli, signal)).peers;
}

/** Observes the pool; members that no peer is named after are resolved, so that they can be told by address. */
export async function observePeers(
  { host, cli }: { readonly host: Host; readonly cli: GlusterCli },
  desired: DesiredPeers,
  signal: AbortSignal,
): Promise<ObservedPeers> {
  const { peers, selfId } = await listPool(cli, signal);
  const named = new Set(peers.flatMap((peer) => peer.names));
  const unnamed = desired.members.filter((member) => member !== desired.self && !named.has(member));
  const addresses: Record<string, readonly string[]> = {};
  for (const member of peers.length === 0 ? [] : unnamed) {
    const found = await resolveName(host, member, signal);
    if (found.length > 0) addresses[member] = found;
  }
  const leaving = peers.filter((peer) => peer.names.some((name) => desired.leaving?.includes(name)));
  return {
    ...{ subject: 'peers', peers, addresses },
    ...(leaving.length > 0 ? { brickHosts: await listBrickHosts(cli, leaving, signal) } : {}),
    ...(selfId === undefined ? {} : { selfId }),
  };
}

/**
 * Names and identities of all machines that a volume of the pool has a brick on, whoever made the volume. A volume of
 * Holdfast's that lies wholly on a leaving machine is left out: nobody wants it any more, and it goes with that.
 */
export async function listBrickHosts(
  cli: GlusterCli,
  leaving: readonly ObservedPeer[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const reply = await cli.demand(allVolumesArgv(), { about: 'cannot list the volumes', resource: 'pool', signal });
  const goesWith = (peer: ObservedPeer, bricks: readonly InfoBrick[]) =>
    bricks.every(
      ({ node, hostUuid, path }) => (peer.uuid === hostUuid || peer.names.includes(node)) && isCopyPath(path),
    );
  const staying = parseVolumeInfo(reply).filter(({ bricks }) => !leaving.some((peer) => goesWith(peer, bricks)));
  const bricks = staying.flatMap((volume) => volume.bricks);
  return [...new Set(bricks.flatMap(({ node, hostUuid }) => [node, hostUuid]))].filter((host) => host !== '');
}
