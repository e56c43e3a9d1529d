/**
 * Recycles the PersistentVolumes of volumes that were added by hand: what to do is `domain/volume/decide-recycle.ts`, here it is
 * seen and done. Kubernetes does this for NFS and hostPath only.
 */
import { isAppError } from '../../domain/errors.ts';
import { VOLUME_FINALIZER } from '../../domain/finalizers.ts';
import { decideRecycle, isRecycled, type RecycleStep } from '../../domain/volume/decide-recycle.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { ControllerDeps } from '../deps.ts';
import { createInformer, type Informer } from '../runtime/informer.ts';
import { createReconcileLoop, type ReconcileLoop, watchKeys } from '../runtime/reconcile-loop.ts';
import { subjectOf } from './event-subject.ts';

type StoredPersistentVolume = Resource<'PersistentVolume'>;

/** Also without any change: a claim that goes, and a mount that ends, change nothing that is watched here. */
const LOOK_EVERY_MS = 10_000;

/** Runs until the signal aborts. */
export async function recycleVolumes(deps: ControllerDeps, signal: AbortSignal): Promise<void> {
  // Those that external-provisioner made have another label, or none.
  const labelSelector = 'app.kubernetes.io/managed-by=holdfast';
  const own = createInformer(deps, { kind: 'PersistentVolume', labelSelector });
  await Promise.all([own.run(signal), createRecycleLoop(deps, own).run(signal)]);
}

function createRecycleLoop(deps: ControllerDeps, own: Informer<'PersistentVolume'>): ReconcileLoop {
  /** What was said last of each, so that it is said once. */
  const refused = new Map<string, string>();

  const reconcile = async (name: string, signal: AbortSignal) => {
    const known = own.get(name);
    if (known === undefined || !mayNeedWork(known)) {
      refused.delete(name);
      return undefined;
    }
    // A decision to erase rests on what is true now.
    const persistentVolume = await deps.client.get('PersistentVolume', name, { signal });
    if (persistentVolume === undefined) return undefined;
    const decided = decideRecycle({ persistentVolume, ...(await look(deps, persistentVolume, signal)) });
    if (decided.step === 'refuse' && refused.get(name) !== decided.why) {
      refused.set(name, decided.why);
      deps.events.warning(
        subjectOf('PersistentVolume', persistentVolume),
        'RecycleRefused',
        `it is not recycled: ${decided.why}`,
      );
    }
    await act(deps, persistentVolume, decided, signal);
    return { requeueAfterMs: LOOK_EVERY_MS };
  };

  return createReconcileLoop(deps, {
    name: 'recycle',
    watches: [
      watchKeys(own, ({ metadata }) => [metadata.name]),
      watchKeys(deps.informers.Volume, ({ metadata }) => (own.get(metadata.name) === undefined ? [] : [metadata.name])),
    ],
    reconcile,
    backoff: { baseMs: 1_000, maxMs: 60_000 },
  });
}

function mayNeedWork(persistentVolume: StoredPersistentVolume): boolean {
  const { phase } = persistentVolume.status ?? {};
  return isRecycled(persistentVolume) && (phase === 'Released' || phase === 'Failed');
}

async function look({ client }: ControllerDeps, { metadata, spec }: StoredPersistentVolume, signal: AbortSignal) {
  const { namespace = '', name = '', uid } = spec.claimRef ?? {};
  const [volume, claim, records] = await Promise.all([
    client.get('Volume', metadata.name, { signal }),
    client.get('PersistentVolumeClaim', name, { namespace, signal }),
    client.list('VolumeAttachmentRecord', { signal }),
  ]);
  return {
    volume,
    isClaimGone: claim?.metadata.uid !== uid,
    isInUse: records.items.some((record) => record.spec.volume === metadata.name),
  };
}

async function act(
  { client, events }: ControllerDeps,
  persistentVolume: StoredPersistentVolume,
  decided: RecycleStep,
  signal: AbortSignal,
): Promise<void> {
  const { name, uid, resourceVersion } = persistentVolume.metadata;
  const { namespace, name: claim } = persistentVolume.spec.claimRef ?? {};
  switch (decided.step) {
    case 'none':
    case 'wait':
    case 'refuse':
      return;
    case 'note':
    case 'offer':
      await client.patch('PersistentVolume', name, decided.patch, { uid, resourceVersion, signal });
      if (decided.step === 'offer')
        events.normal(subjectOf('PersistentVolume', persistentVolume), 'Recycled', 'it is empty, and for any claim');
      return;
    case 'remove':
      await client.delete('Volume', name, { uid: decided.uid, signal });
      events.normal(
        subjectOf('PersistentVolume', persistentVolume),
        'RecycleStarted',
        `what claim ${namespace}/${claim} left is erased: volume ${name} is made anew`,
      );
      return;
    case 'make':
      await make(client, name, decided.volume, signal);
  }
}

async function make(
  client: ControllerDeps['client'],
  name: string,
  { metadata, spec }: Extract<RecycleStep, { step: 'make' }>['volume'],
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.create(
      'Volume',
      { metadata: { ...metadata, name, finalizers: [VOLUME_FINALIZER] }, spec },
      { signal },
    );
  } catch (error) {
    // By a try before whose answer was lost, or by somebody else: the next look tells which.
    if (!isAppError(error, 'exists')) throw error;
  }
}
