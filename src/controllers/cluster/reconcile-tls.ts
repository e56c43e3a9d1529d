/** Takes the cluster from plain to encrypted storage traffic and back: what to do is domain/cluster/decide-tls.ts. */
import { AWAY_MS, decideTls, type TlsLook } from '../../domain/cluster/decide-tls.ts';
import { findCondition } from '../../domain/find-condition.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { ControllerDeps } from '../deps.ts';
import { createReconcileLoop, type ReconcileLoop, watchKeys } from '../runtime/reconcile-loop.ts';

const ENGINE = 'gluster';
const LOOK_AGAIN_MS = 5_000;

/** The loop behind StorageCluster.status.tls. */
export function createTlsLoop(deps: ControllerDeps, options: Pick<TlsLook, 'hasAuthority'>): ReconcileLoop {
  const { informers, events, statusWriter } = deps;

  const reconcile = async (name: string, signal: AbortSignal) => {
    const cluster = informers.StorageCluster.get(name);
    if (cluster === undefined) return undefined;
    const look = await see(deps, cluster, { ...options, signal });
    const tls = decideTls(look);
    if (tls === undefined) return undefined;
    await statusWriter.write('StorageCluster', cluster, { tls }, { signal });
    if (cluster.status?.tls?.phase !== tls.phase) {
      events.normal(
        cluster,
        'StorageTraffic',
        `encryption: ${tls.phase}${tls.message === undefined ? '' : `, ${tls.message}`}`,
      );
    }
    return isAnySilent(deps, cluster) ? { requeueAfterMs: LOOK_AGAIN_MS } : undefined;
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
  { client, informers, clock }: ControllerDeps,
  cluster: Resource<'StorageCluster'>,
  { hasAuthority, signal }: { readonly hasAuthority: boolean; readonly signal: AbortSignal },
): Promise<TlsLook> {
  const current = cluster.status?.tls;
  const isAsking = current?.phase === 'Unmounting' || current?.phase === 'Stopping';
  const [records, volumes] = isAsking
    ? [(await client.list('VolumeAttachmentRecord', { signal })).items, (await client.list('Volume', { signal })).items]
    : [[], []];
  const nodes = cluster.spec.nodes.map((name) => seeNode(name, informers.StorageNode.get(name), clock.now()));
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

function seeNode(name: string, node: Resource<'StorageNode'> | undefined, now: number): TlsLook['nodes'][number] {
  const { tls, engines } = node?.status ?? {};
  const isInstalled = engines?.some((engine) => engine.name === ENGINE && engine.isInstalled) === true;
  return {
    name,
    isThere: isInstalled && silenceOf(node, now) < AWAY_MS,
    hasCertificate: tls?.notAfter !== undefined,
    mode: tls?.mode ?? 'unknown',
  };
}

/** One is silent and not away yet: nothing tells when it is. */
function isAnySilent({ informers, clock }: ControllerDeps, cluster: Resource<'StorageCluster'>): boolean {
  const silences = cluster.spec.nodes.map((node) => silenceOf(informers.StorageNode.get(node), clock.now()));
  return silences.some((ms) => ms > 0 && ms < AWAY_MS);
}

/** Milliseconds since the node was called silent; 0 while it is heard. */
function silenceOf(node: Resource<'StorageNode'> | undefined, now: number): number {
  const ready = findCondition(node, 'Ready');
  if (ready === undefined) return Number.POSITIVE_INFINITY;
  return ready.status === 'True' ? 0 : Math.max(1, now - Date.parse(ready.lastTransitionTime));
}
