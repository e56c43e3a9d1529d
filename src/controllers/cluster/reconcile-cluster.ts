/** Names the node that joins the others to the engine's cluster, and says whether all of them are in. */
import { type Claim, claim } from '../../domain/claim.ts';
import { decideAnchor } from '../../domain/cluster/decide-anchor.ts';
import { isUsable } from '../../domain/node/is-usable.ts';
import type { StorageCluster } from '../../schemas/storage-cluster.ts';
import type { ControllerDeps } from '../deps.ts';
import { setCondition } from '../runtime/conditions.ts';
import { createReconcileLoop, type ReconcileLoop, watchKeys } from '../runtime/reconcile-loop.ts';

const ENGINE = 'gluster';

/**
 * The loop behind StorageCluster.status.anchor, its condition Ready, and who says so.
 *
 * @param version - of this program
 */
export function createClusterLoop(deps: ControllerDeps, { version }: { readonly version: string }): ReconcileLoop {
  const { informers, clock, events, statusWriter } = deps;

  const reconcile = async (name: string, signal: AbortSignal) => {
    const cluster = informers.StorageCluster.get(name);
    if (cluster === undefined) return undefined;
    const candidates = cluster.spec.nodes.map((node) => {
      const found = informers.StorageNode.get(node);
      return { name: node, isUsable: found !== undefined && isUsable(found, ENGINE) };
    });
    const peers = cluster.status?.peers;
    // A peer that is away is still a member: leaving it out would let an outsider become the anchor.
    const established = peers === undefined ? [] : [peers.observedBy, ...peers.connected, ...peers.disconnected];
    const current = cluster.status?.anchor;
    const decision = decideAnchor(candidates, current, established);
    const ready = decision.ok ? judge(cluster, decision.anchor) : claim('Ready', 'False', 'NoAnchor', decision.reason);
    const conditions = [
      ...setCondition(
        cluster.status?.conditions,
        { ...ready, observedGeneration: cluster.metadata.generation },
        clock.now(),
      ),
    ];
    await statusWriter.write(
      'StorageCluster',
      cluster,
      { conditions, controllerVersion: version, ...(decision.ok ? { anchor: decision.anchor } : {}) },
      { signal },
    );
    if (decision.ok && current !== undefined && decision.anchor !== current) {
      events.warning(cluster, 'AnchorMoved', `from ${current} to ${decision.anchor}`);
    }
    return undefined;
  };

  return createReconcileLoop(deps, {
    name: 'cluster',
    watches: [
      watchKeys(informers.StorageCluster, (cluster) => [cluster.metadata.name]),
      watchKeys(informers.StorageNode, () => informers.StorageCluster.list().map((cluster) => cluster.metadata.name)),
    ],
    reconcile,
  });
}

function judge(cluster: StorageCluster, anchor: string): Claim {
  const peers = cluster.status?.peers;
  const joined = new Set(peers === undefined ? [] : [peers.observedBy, ...peers.connected]);
  const missing = cluster.spec.nodes.filter((node) => !joined.has(node));
  if (missing.length === 0) {
    const leaving = peers?.leaving ?? [];
    const also = leaving.length === 0 ? '' : `; to be taken out of the pool: ${leaving.join(', ')}`;
    return claim('Ready', 'True', 'AllJoined', `all ${cluster.spec.nodes.length} nodes are joined${also}`);
  }
  const why = peers?.message === undefined ? '' : `: ${peers.message}`;
  return claim('Ready', 'False', 'NodesMissing', `${anchor} waits for ${missing.join(', ')}${why}`);
}
