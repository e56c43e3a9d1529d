/** Everything stored that a plan speaks about. */
import type { StoredObjects } from '../../domain/plan/diff-plan.ts';
import { STORAGE_SERVICE_NAMESPACE, type StoredServiceObjects } from '../../domain/plan/storage-service.ts';
import type { ResourceClient } from '../../ports/resource-client.ts';
import type { PersistentVolume } from '../../schemas/kubernetes.ts';
import { readCluster } from '../simulate/read-cluster.ts';

/** Reads it, kind by kind: what changes meanwhile shows when it is written. */
export async function readStored(
  client: ResourceClient,
  signal: AbortSignal | undefined,
): Promise<StoredObjects & StoredServiceObjects> {
  const options = signal === undefined ? {} : { signal };
  const inService = { ...options, namespace: STORAGE_SERVICE_NAMESPACE };
  const [cluster, namespaces, services, slices] = await Promise.all([
    readCluster({ client, ...options }),
    client.list('Namespace', options),
    client.list('Service', inService),
    client.list('EndpointSlice', inService),
  ]);
  return { ...cluster, namespaces: namespaces.items, services: services.items, slices: slices.items };
}

/** All PersistentVolumes, whosever they are: their names are taken. */
export async function readPersistentVolumes(
  client: ResourceClient,
  signal: AbortSignal | undefined,
): Promise<readonly PersistentVolume[]> {
  return (await client.list('PersistentVolume', signal === undefined ? {} : { signal })).items;
}
