/** Everything stored that a plan speaks about. */
import type { StoredObjects } from '../../domain/plan/diff-plan.ts';
import { STORAGE_SERVICE_NAMESPACE, type StoredServiceObjects } from '../../domain/plan/storage-service.ts';
import type { ResourceClient } from '../../ports/resource-client.ts';

/** Reads it, kind by kind: what changes meanwhile shows when it is written. */
export async function readStored(
  client: ResourceClient,
  signal: AbortSignal | undefined,
): Promise<StoredObjects & StoredServiceObjects> {
  const options = signal === undefined ? {} : { signal };
  const inService = { ...options, namespace: STORAGE_SERVICE_NAMESPACE };
  const [clusters, nodes, volumes, copies, attachments, namespaces, services, slices] = await Promise.all([
    client.list('StorageCluster', options),
    client.list('StorageNode', options),
    client.list('Volume', options),
    client.list('VolumeCopy', options),
    client.list('VolumeAttachmentRecord', options),
    client.list('Namespace', options),
    client.list('Service', inService),
    client.list('EndpointSlice', inService),
  ]);
  return {
    clusters: clusters.items,
    nodes: nodes.items,
    volumes: volumes.items,
    copies: copies.items,
    attachments: attachments.items,
    namespaces: namespaces.items,
    services: services.items,
    slices: slices.items,
  };
}
