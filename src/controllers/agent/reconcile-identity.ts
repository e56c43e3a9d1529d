/** Lets the engine of a machine that was installed anew take its place in the engine's own cluster again, when a person asked. */
import { AppError } from '../../domain/errors.ts';
import { engineNameOf } from '../../domain/volume/engine-name.ts';
import type { DesiredIdentity, ObservedIdentity } from '../../ports/engine.ts';
import { createReconcileLoop, type ReconcileLoop, watchKeys } from '../runtime/reconcile-loop.ts';
import { AGENT_BACKOFF, type AgentDeps } from './agent-deps.ts';
import { runSteps } from './run-steps.ts';

/** While it is under way somebody waits for it, and the engine tells nobody when it has learned of the volumes. */
const SETTLING_PERIOD_MS = 500;

/** The loop for the engineId of this node's own StorageNode. `onChanged`: the engine is another one than it was. */
export function createIdentityLoop(deps: AgentDeps, onChanged: () => void): ReconcileLoop {
  const { informers, log, node: self } = deps;
  const engine = deps.engines.gluster;

  const reconcile = async (_name: string, signal: AbortSignal) => {
    const desired = desiredIdentity(deps);
    if (desired === undefined) return undefined;
    return deps.restarts.take(signal, async () => {
      const before = await engine.observe<'identity'>(desired, signal);
      if (!isMeant(desired, before)) return undefined;
      if (!(await isUnderstood(deps, before, signal))) return { requeueAfterMs: SETTLING_PERIOD_MS };
      const mayGoOn = async () => {
        if (before.id !== desired.id) await assertGone(deps, desired, signal);
        return true;
      };
      const { observed, applied } = await runSteps<'identity'>(engine, desired, { log, signal, mayGoOn });
      if (applied.length > 0) onChanged();
      return isMeant(desired, observed) ? { requeueAfterMs: SETTLING_PERIOD_MS } : undefined;
    });
  };

  return createReconcileLoop(deps, {
    name: 'agent-identity',
    watches: [
      watchKeys(informers.StorageNode, (node) => (node.metadata.name === self ? [self] : [])),
      watchKeys(informers.StorageCluster, () => [self]),
    ],
    reconcile,
    backoff: AGENT_BACKOFF,
  });
}

/** Undefined while nobody has asked for it. */
function desiredIdentity({ informers, node: self }: AgentDeps): DesiredIdentity | undefined {
  const { engineId, blankEngineId } = informers.StorageNode.get(self)?.spec ?? {};
  const cluster = informers.StorageCluster.list().find(({ spec }) => spec.nodes.includes(self));
  if (engineId === undefined || blankEngineId === undefined || cluster === undefined) return undefined;
  const others = cluster.spec.nodes.filter((node) => node !== self);
  const volumes = informers.Volume.list().filter(({ metadata, status }) => {
    const { state = 'Absent', observedBy, engineId: known } = status?.engine ?? {};
    // That it is absent this very engine may have said while it had not learned of it yet.
    const isThere = ['Created', 'Started', 'Stopped'].includes(state) || (observedBy === self && state === 'Absent');
    return isThere && known !== undefined && metadata.deletionTimestamp === undefined;
  });
  return {
    ...{ subject: 'identity', self, id: engineId, blankId: blankEngineId },
    // A member without an identity has never joined, so no volume has a brick there.
    peers: others.flatMap((node) => {
      const id = cluster.status?.peers?.ids?.[node];
      return id === undefined ? [] : [{ node, id }];
    }),
    volumes: volumes.map(engineNameOf),
  };
}

/**
 * The daemon speaks what those that it learns from speak. A machine that was installed anew comes up plain; were it
 * restarted for that in the middle, a handshake that is under way then would not be taken up again (README.md).
 */
async function isUnderstood(
  { informers, encryption, node: self }: AgentDeps,
  { isUnderWay }: ObservedIdentity,
  signal: AbortSignal,
): Promise<boolean> {
  const tls = informers.StorageCluster.list().find(({ spec }) => spec.nodes.includes(self))?.status?.tls;
  if (tls === undefined) return true;
  if (await encryption.isRestartUnderWay()) return false;
  const mode = await encryption.mode(signal);
  // Stopped by an earlier try that was cut short, which this one ends: it spoke as wanted then.
  if (mode === 'unknown') return isUnderWay;
  return mode === (tls.isEncrypted ? 'encrypted' : 'plain');
}

/** There is something to do: it is the blank engine that was asked about, or it is that no more and not finished yet. */
function isMeant(desired: DesiredIdentity, observed: ObservedIdentity): boolean {
  return observed.id === desired.id ? observed.isUnderWay : observed.id === desired.blankId;
}

/**
 * Invariant: no two machines carry the same identity. Asked of the API, not of the cache: the anchor must not see the
 * machine that had it, and the wish must still be the one that is about to be carried out.
 *
 * @throws {AppError} precondition
 */
async function assertGone({ client, node }: AgentDeps, desired: DesiredIdentity, signal: AbortSignal): Promise<void> {
  const [stored, clusters] = await Promise.all([
    client.get('StorageNode', node, { signal }),
    client.list('StorageCluster', { signal }),
  ]);
  const peers = clusters.items.find(({ spec }) => spec.nodes.includes(node))?.status?.peers;
  const isAsked = stored?.spec.engineId === desired.id && stored.spec.blankEngineId === desired.blankId;
  const isGone = peers?.ids?.[node] === desired.id && peers.observedBy !== node && !peers.connected.includes(node);
  if (isAsked && isGone) return;
  throw new AppError('precondition', `the identity ${desired.id} cannot be taken by this machine now`, {
    resource: `node ${node}`,
    reason: 'IdentityInUse',
    hint: `the anchor of the cluster must not see the machine that had it any more; see: holdfast node show ${node}`,
  });
}
