/**
 * Sums up for each FenceRecord what the agents have proven, and takes a fence away when that does no harm. What is proven is
 * judged in domain/fence, and brought about by the anchors of the volumes (agent/prove-fences.ts).
 */
import { type Claim, claim } from '../../domain/claim.ts';
import { isAppError } from '../../domain/errors.ts';
import { judgeFence } from '../../domain/fence/judge-fence.ts';
import { mayRelease } from '../../domain/fence/may-release.ts';
import { FENCE_FINALIZER } from '../../domain/finalizers.ts';
import { findCondition } from '../../domain/find-condition.ts';
import { kubernetesTime } from '../../domain/kubernetes-time.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { ControllerDeps } from '../deps.ts';
import { setCondition } from '../runtime/conditions.ts';
import { createReconcileLoop, type ReconcileLoop, watchKeys } from '../runtime/reconcile-loop.ts';

type StoredFence = Resource<'FenceRecord'>;

/** The loop for all FenceRecords. */
export function createFenceLoop(deps: ControllerDeps): ReconcileLoop {
  const { informers } = deps;

  const reconcile = async (name: string, signal: AbortSignal) => {
    const record = informers.FenceRecord.get(name);
    if (record === undefined) return undefined;
    if (record.metadata.deletionTimestamp === undefined && !hasFinalizer(record)) {
      await setFinalizers(deps, record, [...(record.metadata.finalizers ?? []), FENCE_FINALIZER], signal);
      return undefined;
    }
    if (record.status?.phase === 'Releasing') return release(deps, record, signal);
    return stand(deps, record, signal);
  };

  const all = () => informers.FenceRecord.list().map(({ metadata }) => metadata.name);
  return createReconcileLoop(deps, {
    name: 'fence',
    watches: [
      watchKeys(informers.FenceRecord, ({ metadata }) => [metadata.name]),
      watchKeys(informers.Volume, all),
      watchKeys(informers.VolumeAttachmentRecord, all),
      watchKeys(informers.StorageNode, all),
    ],
    reconcile,
  });
}

/** Whether it is held, and whether it may go where that is asked for. */
async function stand(deps: ControllerDeps, record: StoredFence, signal: AbortSignal) {
  const { statusWriter, events } = deps;
  const release = record.metadata.deletionTimestamp === undefined ? undefined : mayReleaseNow(deps, record);
  if (release?.ok === true) {
    const message = 'the volumes are told to let the node in again';
    await statusWriter.write('FenceRecord', record, { phase: 'Releasing', message }, { signal });
    events.normal(record, 'FenceReleased', `${record.spec.node} may use volumes again`);
    return undefined;
  }
  const kept = release === undefined ? '' : `; it stays fenced: ${release.reason}`;
  await tell(deps, record, kept, signal);
  return undefined;
}

async function tell(deps: ControllerDeps, record: StoredFence, kept: string, signal: AbortSignal): Promise<void> {
  const { informers, clock, statusWriter } = deps;
  const { uid, generation } = record.metadata;
  const { isHeld, volumes, message } = judgeFence({
    uid,
    spec: record.spec,
    volumes: informers.Volume.list(),
    attachments: informers.VolumeAttachmentRecord.list(),
  });
  const held = claim('Held', isHeld ? 'True' : 'False', isHeld ? 'Proven' : 'NotProven', message);
  const now = clock.now();
  await statusWriter.write(
    'FenceRecord',
    record,
    {
      phase: isHeld ? 'Held' : 'Fencing',
      message: `${message}${kept}`,
      heldSince: isHeld ? (record.status?.heldSince ?? kubernetesTime(now)) : undefined,
      volumes: { ...volumes },
      conditions: [...setCondition(record.status?.conditions, { ...held, observedGeneration: generation }, now)],
    },
    { signal },
  );
  announce(deps, record, held);
}

/** Only when it is proven, or is so no more. */
function announce({ events }: ControllerDeps, record: StoredFence, { status, message }: Claim): void {
  const wasHeld = findCondition(record, 'Held')?.status === 'True';
  if (wasHeld === (status === 'True')) return;
  if (wasHeld) events.warning(record, 'FenceNotProven', message);
  else events.normal(record, 'FenceHeld', message);
}

function mayReleaseNow({ informers }: ControllerDeps, { metadata, spec }: StoredFence) {
  return mayRelease({ uid: metadata.uid, spec }, informers.StorageNode.get(spec.node));
}

/** Once begun it goes on to its end: the record is there as long as a volume refuses the node. */
async function release({ informers, ...deps }: ControllerDeps, record: StoredFence, signal: AbortSignal) {
  const { spec, metadata } = record;
  const refusing = informers.Volume.list().filter(({ status }) =>
    status?.engine?.refused?.some((address) => spec.addresses.includes(address)),
  );
  const node = informers.StorageNode.get(spec.node);
  const isGone = node === undefined || node.metadata.uid !== spec.nodeUid;
  const fence = node?.status?.fence;
  const isBack = isGone || (fence?.record === metadata.uid && fence.isReturned === true);
  if (refusing.length === 0 && isBack) {
    const rest = (metadata.finalizers ?? []).filter((finalizer) => finalizer !== FENCE_FINALIZER);
    await setFinalizers(deps, record, rest, signal);
    return undefined;
  }
  const names = refusing.map((volume) => volume.metadata.name).toSorted();
  const message =
    names.length > 0
      ? `still refused by ${names.slice(0, 5).join(', ')}${names.length > 5 ? ' and others' : ''}`
      : `waits for the agent of ${spec.node}`;
  await deps.statusWriter.write('FenceRecord', record, { phase: 'Releasing', message }, { signal });
  return undefined;
}

function hasFinalizer({ metadata }: StoredFence): boolean {
  return metadata.finalizers?.includes(FENCE_FINALIZER) === true;
}

async function setFinalizers(
  { client }: Pick<ControllerDeps, 'client'>,
  { metadata: { name, resourceVersion } }: StoredFence,
  finalizers: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.patch('FenceRecord', name, { metadata: { finalizers } }, { resourceVersion, signal });
  } catch (error) {
    if (!isAppError(error, 'notFound')) throw error; // gone is what was wanted
  }
}
