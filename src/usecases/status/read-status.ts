/** Reads the state of everything for `holdfast status` and the dashboard. */
import { type ClusterStatus, describeStatus } from '../../domain/status/describe-status.ts';
import type { ResourceClient } from '../../ports/resource-client.ts';

/** The cluster's status now. */
export async function readStatus(deps: {
  readonly client: ResourceClient;
  readonly signal?: AbortSignal;
}): Promise<ClusterStatus> {
  const scope = deps.signal === undefined ? {} : { signal: deps.signal };
  const [nodes, volumes, clusters, fences] = await Promise.all([
    deps.client.list('StorageNode', scope),
    deps.client.list('Volume', scope),
    deps.client.list('StorageCluster', scope),
    deps.client.list('FenceRecord', scope),
  ]);
  return describeStatus(nodes.items, volumes.items, clusters.items, fences.items);
}
