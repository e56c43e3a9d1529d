/**
 * What the agent of a fenced node does about it: it says what is still mounted there, and when the fence is taken away it
 * brings the engine's own daemons back. That nothing is mounted meanwhile is reconcile-attachments.ts.
 */
import { messageOf } from '../../domain/errors.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { NodeFenceStatus } from '../../schemas/storage-node.ts';
import { createReconcileLoop, type ReconcileLoop, watchKeys } from '../runtime/reconcile-loop.ts';
import { AGENT_BACKOFF, type AgentDeps } from './agent-deps.ts';

/** Somebody may unmount without anybody telling. */
const LOOK_MS = 5_000;
const MAX_MOUNTS = 64;

/** The loop for the FenceRecord of this node. */
export function createOwnFenceLoop(deps: AgentDeps): ReconcileLoop {
  const { informers, node: self } = deps;

  const reconcile = async (_name: string, signal: AbortSignal) => {
    const node = informers.StorageNode.get(self);
    if (node === undefined) return undefined;
    const record = informers.FenceRecord.get(self);
    if (record?.spec.nodeUid !== node.metadata.uid) {
      if (node.status?.fence !== undefined) await report(deps, node, undefined, signal);
      return undefined;
    }
    await report(deps, node, await look(deps, { node, record }, signal), signal);
    return { requeueAfterMs: LOOK_MS };
  };

  return createReconcileLoop(deps, {
    name: 'agent-own-fence',
    watches: [
      watchKeys(informers.FenceRecord, ({ spec }) => (spec.node === self ? [self] : [])),
      watchKeys(informers.StorageNode, ({ metadata }) => (metadata.name === self ? [self] : [])),
    ],
    reconcile,
    backoff: AGENT_BACKOFF,
  });
}

async function look(
  deps: AgentDeps,
  { node, record }: { readonly node: Resource<'StorageNode'>; readonly record: Resource<'FenceRecord'> },
  signal: AbortSignal,
): Promise<NodeFenceStatus> {
  const { uid } = record.metadata;
  const before = node.status?.fence;
  const mounts = await volumeMounts(deps);
  const isDone = before?.record === uid && before.isReturned === true;
  const isReturned = isDone || (record.status?.phase === 'Releasing' && (await comeBack(deps, record, signal)));
  return { record: uid, bootId: deps.bootId, mounts: [...mounts], ...(isReturned ? { isReturned } : {}) };
}

/** Mounts of GlusterFS, whoever made them, and those of Holdfast's records but of local volumes, which stay on their node. */
async function volumeMounts({ host, informers, node: self }: AgentDeps): Promise<readonly string[]> {
  const isOwn = (target: string) =>
    informers.VolumeAttachmentRecord.list().some(
      ({ spec }) =>
        spec.node === self && spec.mountPath === target && informers.Volume.get(spec.volume)?.spec.engine !== 'local',
    );
  const found = (await host.mounts.list()).filter(({ fsType, target }) => fsType === 'fuse.glusterfs' || isOwn(target));
  return [...new Set(found.map(({ target }) => target))].toSorted().slice(0, MAX_MOUNTS);
}

/** False while a volume refuses this node still, or the engine does not answer. */
async function comeBack(
  { fencing, engines, log }: AgentDeps,
  { spec }: Resource<'FenceRecord'>,
  signal: AbortSignal,
): Promise<boolean> {
  if (!(await engines.gluster.probe(signal)).isInstalled) return true;
  try {
    await fencing.comeBack(spec.addresses, signal);
    return true;
  } catch (error) {
    signal.throwIfAborted();
    // Its anchors are at it; the next look tries again.
    log.info('not back from the fence yet', { why: messageOf(error) });
    return false;
  }
}

async function report(
  { statusWriter }: AgentDeps,
  node: Resource<'StorageNode'>,
  fence: NodeFenceStatus | undefined,
  signal: AbortSignal,
): Promise<void> {
  await statusWriter.write('StorageNode', node, { fence }, { signal, isCompareAndSwap: false });
}
