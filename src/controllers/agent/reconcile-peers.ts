/**
 * Joins the cluster's nodes to the engine's own cluster, and takes out who is no member any more; only the agent of the
 * cluster's anchor does either.
 */
import { isLeftBehind } from '../../domain/cluster/decide-tls.ts';
import { messageOf } from '../../domain/errors.ts';
import { isUsable } from '../../domain/node/is-usable.ts';
import type { ObservedPeers } from '../../ports/engine.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { StorageClusterStatus } from '../../schemas/storage-cluster.ts';
import { mergeDiff } from '../runtime/merge-diff.ts';
import { createReconcileLoop, type ReconcileLoop, watchKeys } from '../runtime/reconcile-loop.ts';
import { isOfRoomOnly } from '../runtime/room-changes.ts';
import { AGENT_BACKOFF, type AgentDeps } from './agent-deps.ts';
import { formerMembers, type Holdings, withoutHoldings } from './leaving-peers.ts';
import { runSteps } from './run-steps.ts';

type Peers = NonNullable<StorageClusterStatus['peers']>;
type StoredCluster = Resource<'StorageCluster'>;

const SETTLED_PERIOD_MS = 10_000;
const SETTLING_PERIOD_MS = 500;

/** The loop for StorageCluster as far as this node has a part in it. */
export function createPeerLoop(deps: AgentDeps): ReconcileLoop {
  const { informers, node: self } = deps;

  const reconcile = async (name: string, signal: AbortSignal) => {
    const cluster = informers.StorageCluster.get(name);
    const anchor = cluster?.status?.anchor;
    if (cluster === undefined || anchor === undefined) return undefined;
    if (!cluster.spec.nodes.includes(self)) return undefined;
    if (anchor !== self) return knowAnchorByName(deps, cluster, anchor, signal);
    if (await isStranger(deps, cluster, signal)) return undefined;

    const others = cluster.spec.nodes.filter((node) => node !== self);
    if (cluster.status?.peers === undefined) return beginPool(deps, cluster, others, signal);
    const { observed, message } = await joinReachable(deps, cluster, others, signal);
    const ids = describeIds(cluster, self, observed);
    const peers = { ...describePeers(self, others, observed, message), ids, ...describeLeaving(cluster, observed) };
    await writePeers(deps, cluster, peers, signal);
    const isSettled = peers.missing.length === 0 && peers.disconnected.length === 0;
    return { requeueAfterMs: isSettled ? SETTLED_PERIOD_MS : SETTLING_PERIOD_MS };
  };

  const clusters = () => informers.StorageCluster.list().map((cluster) => cluster.metadata.name);
  return createReconcileLoop(deps, {
    name: 'agent-peers',
    watches: [
      watchKeys(informers.StorageCluster, (cluster) => [cluster.metadata.name]),
      watchKeys(informers.StorageNode, clusters, isOfRoomOnly),
    ],
    reconcile,
    backoff: AGENT_BACKOFF,
  });
}

/**
 * Says that this node begins the pool, before it joins anybody: should it be lost in between, no outsider becomes the
 * anchor and begins a second pool that could never be joined with what this one has done (domain/cluster/decide-anchor.ts).
 */
async function beginPool(deps: AgentDeps, cluster: StoredCluster, others: readonly string[], signal: AbortSignal) {
  const peers = { observedBy: deps.node, connected: [], disconnected: [], missing: [...others] };
  await writePeers(deps, cluster, peers, signal);
  return undefined;
}

/** What has become of the pool, and what went wrong about it. */
async function joinReachable(
  deps: AgentDeps,
  cluster: StoredCluster,
  others: readonly string[],
  signal: AbortSignal,
): Promise<{ readonly observed: ObservedPeers; readonly message?: string }> {
  const { informers, log, node: self } = deps;
  const engine = deps.engines.gluster;
  const members = others.filter((node) => {
    const found = informers.StorageNode.get(node);
    // A node whose daemon speaks the other way would seem to belong to another pool.
    return found !== undefined && isUsable(found, engine.name) && !isLeftBehind(cluster.status?.tls, found);
  });
  // With all of the others there: one that misses it would know the machine as a member for ever.
  const leaving = members.length < others.length ? [] : withoutHoldings(formerMembers(cluster), heldIn(deps));
  try {
    const mayGoOn = async () =>
      (await isStillAnchor(deps, cluster, signal)) && (await areStillLeaving(deps, cluster, leaving, signal));
    const desired = { subject: 'peers', self, members, leaving } as const;
    const { observed } = await runSteps(engine, desired, { log, signal, mayGoOn });
    return { observed };
  } catch (error) {
    signal.throwIfAborted();
    const observed = await engine.observe<'peers'>({ subject: 'peers', self, members: [] }, signal);
    return { observed, message: messageOf(error) };
  }
}

/** Asked of the API, not of the cache: an agent that was cut off must join nobody to what may be another pool by now. */
async function isStillAnchor({ client, node }: AgentDeps, cluster: StoredCluster, signal: AbortSignal) {
  const now = await client.get('StorageCluster', cluster.metadata.name, { signal });
  return now !== undefined && now.metadata.uid === cluster.metadata.uid && now.status?.anchor === node;
}

function heldIn({ informers }: AgentDeps): Holdings {
  return {
    volumes: informers.Volume.list(),
    copies: informers.VolumeCopy.list(),
    attachments: informers.VolumeAttachmentRecord.list(),
  };
}

/** Asked of the API, not of the cache: a node that is a member again, or has got a copy, stays. */
async function areStillLeaving(
  { client }: AgentDeps,
  cluster: StoredCluster,
  leaving: readonly string[],
  signal: AbortSignal,
): Promise<boolean> {
  if (leaving.length === 0) return true;
  const [now, volumes, copies, attachments] = await Promise.all([
    client.get('StorageCluster', cluster.metadata.name, { signal }),
    client.list('Volume', { signal }),
    client.list('VolumeCopy', { signal }),
    client.list('VolumeAttachmentRecord', { signal }),
  ]);
  if (now === undefined) return false;
  const held = { volumes: volumes.items, copies: copies.items, attachments: attachments.items };
  const left = withoutHoldings(formerMembers(now), held);
  return leaving.every((node) => left.includes(node));
}

/**
 * A probe tells the probed node the address of the prober, not its name. Volumes name bricks by node name, so a member
 * that knows the anchor only by address probes it back (facts: "already in peer list" is harmless).
 */
async function knowAnchorByName(deps: AgentDeps, cluster: StoredCluster, anchor: string, signal: AbortSignal) {
  const { log, node: self } = deps;
  const engine = deps.engines.gluster;
  if (cluster.status?.peers?.connected.includes(self) !== true) return undefined;
  await runSteps(engine, { subject: 'peers', self, members: [anchor], mayInvite: false }, { log, signal });
  return undefined;
}

/**
 * An anchor that was installed anew before anybody missed it: it would begin a second pool, and call itself what the
 * others know another by. It is not usable any more, so another one becomes the anchor.
 */
async function isStranger(deps: AgentDeps, cluster: StoredCluster, signal: AbortSignal): Promise<boolean> {
  const known = cluster.status?.peers?.ids?.[deps.node];
  if (known === undefined) return false;
  const { selfId } = await deps.engines.gluster.observe<'peers'>(
    { subject: 'peers', self: deps.node, members: [] },
    signal,
  );
  return selfId !== undefined && selfId !== known;
}

/** By what the engines of the others know each node; of this node itself, what it was known by before, if it was. */
function describeIds(cluster: StoredCluster, self: string, observed: ObservedPeers): Readonly<Record<string, string>> {
  const before = cluster.status?.peers?.ids ?? {};
  const ids = cluster.spec.nodes.map((node) => {
    const seen = observed.peers.find((peer) => peer.isMember && peer.names.includes(node))?.uuid;
    return [node, seen ?? before[node] ?? (node === self ? observed.selfId : undefined)] as const;
  });
  return Object.fromEntries(ids.flatMap(([node, id]) => (id === undefined ? [] : [[node, id]])));
}

/** Members no more, and peers of the engine still. */
function describeLeaving(cluster: StoredCluster, { peers }: ObservedPeers): Pick<Peers, 'leaving'> {
  const leaving = formerMembers(cluster).filter((node) => peers.some((peer) => peer.names.includes(node)));
  return leaving.length === 0 ? {} : { leaving };
}

function describePeers(
  self: string,
  others: readonly string[],
  observed: ObservedPeers,
  message: string | undefined,
): Peers {
  const peerOf = (node: string) => observed.peers.find((peer) => peer.names.includes(node) && peer.isMember);
  const isConnected = (node: string) => peerOf(node)?.isConnected === true;
  return {
    observedBy: self,
    connected: others.filter(isConnected),
    disconnected: others.filter((node) => peerOf(node) !== undefined && !isConnected(node)),
    missing: others.filter((node) => peerOf(node) === undefined),
    ...(message === undefined ? {} : { message }),
  };
}

/** Only on the very state that was read: what a former anchor saw must not replace what its successor saw. */
async function writePeers(deps: AgentDeps, cluster: StoredCluster, peers: Peers, signal: AbortSignal): Promise<void> {
  const patch = mergeDiff({ peers: cluster.status?.peers ?? null }, { peers });
  if (patch === undefined) return;
  const { name, resourceVersion } = cluster.metadata;
  const options = { subresource: 'status', resourceVersion, signal } as const;
  await deps.client.patch('StorageCluster', name, { status: patch }, options);
}
