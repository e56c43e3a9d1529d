/** Takes the cluster from plain to encrypted storage traffic and back: what to do is domain/cluster/decide-tls.ts. */
import { decideTls, type TlsLook } from '../../domain/cluster/decide-tls.ts';
import { findCondition } from '../../domain/find-condition.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { ControllerDeps } from '../deps.ts';
import { createReconcileLoop, type ReconcileLoop, watchKeys } from '../runtime/reconcile-loop.ts';

const ENGINE = 'gluster';

/** The loop behind StorageCluster.status.tls. */
export function createTlsLoop(deps: ControllerDeps, options: Pick<TlsLook, 'hasAuthority'>): ReconcileLoop {
  const { informers, events, statusWriter } = deps;

  const reconcile = async (name: string, signal: AbortSignal) => {
    const cluster = informers.StorageCluster.get(name);
    if (cluster === undefined) return undefined;
    const tls = decideTls(await see(deps, cluster, { ...options, signal }));
    if (tls === undefined) return undefined;
    await statusWriter.write('StorageCluster', cluster, { tls }, { signal });
    if (cluster.status?.tls?.phase !== tls.phase) {
      events.normal(
        cluster,
        'StorageTraffic',
        `encryption: ${tls.phase}${tls.message === undefined ? '' : `, ${tls.message}`}`,
      );
    }
    return undefined;
  };

  const all = () => informers.StorageCluster.list().map((cluster) => cluster.metadata.name);
  return createReconcileLoop(deps, {
    name: 'tls',
    watches: [
      watchKeys(informers.StorageCluster, (cluster) => [cluster.metadata.name]),
      watchKeys(informers.StorageNode, all),
      watchKeys(informers.Volume, all),
      watchKeys(informers.VolumeAttachmentRecord, all),
    ],
    reconcile,
  });
}

/**
 * While the phase is one that asks whether everything is stopped, asked of the API: a mount that the cache has not heard
 * of yet would lose what is still in it.
 */
async function see(
  { client, informers }: ControllerDeps,
  cluster: Resource<'StorageCluster'>,
  { hasAuthority, signal }: { readonly hasAuthority: boolean; readonly signal: AbortSignal },
): Promise<TlsLook> {
  const current = cluster.status?.tls;
  const isAsking = current?.phase === 'Unmounting' || current?.phase === 'Stopping';
  const [records, volumes] = isAsking
    ? [(await client.list('VolumeAttachmentRecord', { signal })).items, (await client.list('Volume', { signal })).items]
    : [[], []];
  const nodes = cluster.spec.nodes.map((name) => seeNode(name, informers.StorageNode.get(name)));
  const isThere = (name: string | undefined) => nodes.some((node) => node.name === name && node.isThere);
  // Not being mounted is not enough: an agent that has not heard of the change may be about to mount.
  const isLocal = (name: string) =>
    volumes.some(({ metadata, spec }) => metadata.name === name && spec.engine !== ENGINE);
  const mounted = records.filter(
    ({ spec, status }) => isThere(spec.node) && status?.state !== 'HeldBack' && !isLocal(spec.volume),
  );
  const clustered = volumes.filter(({ spec }) => spec.engine === ENGINE);
  const served = clustered.filter(({ status }) => status?.engine?.state === 'Started' && isThere(status.anchor));
  return {
    ...{ isWanted: cluster.spec.tls?.isEnabled === true, current, nodes, hasAuthority },
    mounted: mounted.map(({ spec }) => `${spec.volume} on ${spec.node}`),
    served: served.map(({ metadata }) => metadata.name),
  };
}

function seeNode(name: string, node: Resource<'StorageNode'> | undefined): TlsLook['nodes'][number] {
  const { tls, engines } = node?.status ?? {};
  const isInstalled = engines?.some((engine) => engine.name === ENGINE && engine.isInstalled) === true;
  return {
    name,
    isThere: node !== undefined && findCondition(node, 'Ready')?.status === 'True' && isInstalled,
    hasCertificate: tls?.notAfter !== undefined,
    mode: tls?.mode ?? 'unknown',
  };
}
