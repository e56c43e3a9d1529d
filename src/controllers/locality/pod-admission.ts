/**
 * Which new pods are to be scheduled by a scheduler that asks Holdfast: those with volumes of Holdfast, in clusters whose own
 * scheduler cannot be told to ask.
 *
 * Invariant: no pod is given to a scheduler that is not at work. It shows that by renewing its Lease; one whose Lease stands
 * still, or was not seen to move yet, is given none.
 */
import { localityOfPod } from '../../domain/locality/locality.ts';
import { type ClaimUser, claimsOf } from '../../domain/pod-claims.ts';
import { CSI_DRIVER } from '../../domain/volume/persistent-volume.ts';
import type { Clock, Millis } from '../../ports/clock.ts';
import { ALL_NAMESPACES, type Resource } from '../../ports/resource-client.ts';
import { SYSTEM_NAMESPACE } from '../../schemas/kinds.ts';
import { withDeadline } from '../runtime/cancellation.ts';
import { createInformer, type Informer, type InformerDeps } from '../runtime/informer.ts';
import { waitForSources } from '../runtime/reconcile-loop.ts';
import type { LocalityIndex } from './locality-index.ts';

export interface PodAdmission {
  /** Lists and watches until the signal aborts. Call it once. */
  run(signal: AbortSignal): Promise<void>;
  isReady(): boolean;
  /** The scheduler for a pod; undefined leaves it as it is. */
  schedulerFor(pod: ClaimUser): Promise<string | undefined>;
}

/** What pods have that name no scheduler: the API server fills it in before anybody is asked. */
const DEFAULT_SCHEDULER = 'default-scheduler';
/** kube-scheduler renews its Lease every 2 s, and another takes over after 15 s. */
const ALIVE_MS = 20_000;
/** The API server waits for an answer, so the question about a claim that is not heard of yet is a short one. */
const ASK_MS = 1_000;
const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class';

/** @param scheduler - its name, in pods and of its Lease in Holdfast's namespace */
export function createPodAdmission(
  deps: InformerDeps,
  { idleMs, scheduler, index }: { readonly idleMs: Millis; readonly scheduler: string; readonly index: LocalityIndex },
): PodAdmission {
  const claims = createInformer(deps, {
    ...{ kind: 'PersistentVolumeClaim', idleMs, namespace: ALL_NAMESPACES, trim: trimClaim },
  });
  const classes = createInformer(deps, { kind: 'StorageClass', idleMs });
  const leases = createInformer(deps, {
    ...{ kind: 'Lease', idleMs, namespace: SYSTEM_NAMESPACE, fieldSelector: `metadata.name=${scheduler}` },
  });
  const sources = [claims, classes, leases];
  const isAlive = watchLease(leases, deps.clock);

  const isOurs = async (key: string): Promise<boolean> => {
    const claim = claims.get(key) ?? (await askForClaim(deps, key));
    if (claim === undefined) return false;
    const { volumeName, storageClassName } = claim.spec;
    if (volumeName !== undefined && volumeName !== '') return index.isOurs(volumeName);
    return isOurClass(classes, claim.metadata.annotations?.[CLASS_ANNOTATION] ?? storageClassName);
  };

  return {
    run: async (signal) => {
      await Promise.all([...sources.map((source) => source.run(signal)), waitForSources(sources, deps.log, signal)]);
    },
    isReady: () => sources.every((source) => source.isSynced()),
    schedulerFor: async (pod) => {
      const { schedulerName = DEFAULT_SCHEDULER, volumes } = pod.spec;
      if (schedulerName !== DEFAULT_SCHEDULER || localityOfPod(pod.metadata) === 'off' || !isAlive()) return undefined;
      const made = volumes?.map(({ ephemeral }) => ephemeral?.volumeClaimTemplate?.spec?.storageClassName);
      if (made?.some((name) => isOurClass(classes, name)) === true) return scheduler;
      for (const key of claimsOf(pod)) if (await isOurs(key)) return scheduler;
      return undefined;
    },
  };
}

/** Whether the Lease was seen to move lately, by this process's own clock: those of machines differ. */
function watchLease(leases: Informer<'Lease'>, clock: Clock): () => boolean {
  let movedAt: Millis | undefined;
  leases.onChange((change) => {
    if (change.type === 'deleted') movedAt = undefined;
    if (change.type === 'updated' && change.before.spec.renewTime !== change.after.spec.renewTime) {
      movedAt = clock.monotonic();
    }
  });
  return () => movedAt !== undefined && clock.monotonic() - movedAt < ALIVE_MS;
}

function isOurClass(classes: Informer<'StorageClass'>, name: string | undefined): boolean {
  return name !== undefined && classes.get(name)?.provisioner === CSI_DRIVER;
}

/** A StatefulSet makes a claim and its pod at once, so the watch may be behind. */
async function askForClaim(
  { client, clock }: InformerDeps,
  key: string,
): Promise<Resource<'PersistentVolumeClaim'> | undefined> {
  const [namespace = '', name = ''] = key.split('/');
  const deadline = { ms: ASK_MS, what: `get of claim ${key}`, signal: undefined };
  return withDeadline(clock, deadline, (signal) => client.get('PersistentVolumeClaim', name, { namespace, signal }));
}

function trimClaim(claim: Resource<'PersistentVolumeClaim'>): Resource<'PersistentVolumeClaim'> {
  const { name, namespace, uid, resourceVersion, generation, creationTimestamp, annotations } = claim.metadata;
  const said = annotations?.[CLASS_ANNOTATION];
  const metadata = { name, namespace, uid, resourceVersion, generation, creationTimestamp };
  const { volumeName, storageClassName } = claim.spec;
  return {
    ...{ apiVersion: claim.apiVersion, kind: claim.kind },
    metadata: said === undefined ? metadata : { ...metadata, annotations: { [CLASS_ANNOTATION]: said } },
    spec: { volumeName, storageClassName },
  };
}
