/**
 * This node's part in groups of snapshots: all images of a group, taken together. What is done is written down before it is
 * begun and tried once: an agent that starts and finds its own beginning knows that the one before it died over that.
 */
import { messageOf } from '../../domain/errors.ts';
import { kubernetesTime } from '../../domain/kubernetes-time.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { SnapshotImage } from '../../ports/snapshot-engine.ts';
import type { SnapshotGroupImages } from '../../schemas/volume-group-snapshot-record.ts';
import { createReconcileLoop, type ReconcileLoop, type ReconcileResult, watchKeys } from '../runtime/reconcile-loop.ts';
import { AGENT_BACKOFF, type AgentDeps } from './agent-deps.ts';

type StoredGroup = Resource<'VolumeGroupSnapshotRecord'>;

interface Work {
  readonly deps: AgentDeps;
  readonly group: StoredGroup;
  readonly signal: AbortSignal;
}

/** A snapshot that was not heard of yet, or a pool that is not mounted, is looked for again so often. */
const RETRY_MS = 1_000;

export interface SnapshotGroups {
  readonly loop: ReconcileLoop;
  /** Whether this process is taking the images of the group of that UID now: nobody erases them meanwhile. */
  readonly isTaking: (uid: string) => boolean;
}

/** Creates the loop for the groups whose volumes are on this node. */
export function createSnapshotGroupPart(deps: AgentDeps): SnapshotGroups {
  const { informers, node: self } = deps;
  /** What this process has begun, by UID. */
  const begun = new Set<string>();
  const taking = new Set<string>();

  const reconcile = async (name: string, signal: AbortSignal): Promise<ReconcileResult | undefined> => {
    const group = informers.VolumeGroupSnapshotRecord.get(name);
    if (group?.status?.node !== self) return undefined;
    const { uid, deletionTimestamp } = group.metadata;
    const work: Work = { deps, group, signal };
    const state = group.status.images?.state;
    if (state === 'Taking' && !begun.has(uid)) return giveUp(work);
    const isWanted = group.status.phase === 'Freezing' && deletionTimestamp === undefined;
    if (!isWanted || state !== undefined || begun.has(uid)) return undefined;
    const images = imagesOf(work);
    if (images === undefined) return { requeueAfterMs: RETRY_MS };
    const since = kubernetesTime(deps.clock.now());
    // On the very record that was read: it may have been given up.
    await write(work, { state: 'Taking', since }, group.metadata.resourceVersion);
    begun.add(uid);
    taking.add(uid);
    const outcome = await take(work, images, since).finally(() => taking.delete(uid));
    await write(work, outcome);
    return undefined;
  };

  const loop = createReconcileLoop(deps, {
    name: 'agent-snapshot-groups',
    watches: [watchKeys(informers.VolumeGroupSnapshotRecord, ({ metadata }) => [metadata.name])],
    reconcile,
    backoff: AGENT_BACKOFF,
  });
  return { loop, isTaking: (uid) => taking.has(uid) };
}

async function take(
  { deps, group, signal }: Work,
  images: readonly SnapshotImage[],
  since: string,
): Promise<SnapshotGroupImages> {
  try {
    const taken = await deps.snapshots.local.takeImages(images, signal);
    const bytes = group.spec.members.map(({ snapshot }, at) => [snapshot, taken[at] ?? 0] as const);
    return { state: 'Taken', since, bytes: Object.fromEntries(bytes) };
  } catch (error) {
    signal.throwIfAborted();
    return { state: 'Failed', since, message: `${deps.node}: ${messageOf(error)}` };
  }
}

/** Whoever began is dead, and may have left file systems frozen; the images are erased with their snapshots. */
async function giveUp(work: Work): Promise<ReconcileResult | undefined> {
  const { deps, signal } = work;
  const images = imagesOf(work);
  if (images === undefined) return { requeueAfterMs: RETRY_MS };
  for (const image of images) await deps.snapshots.local.thaw(image, signal);
  await write(work, { state: 'Failed', message: `the agent on ${deps.node} died while it took the images` });
  return undefined;
}

/** One for each member, in their order; undefined while one of them, or its pool, is not known here yet. */
function imagesOf({ deps, group }: Work): readonly SnapshotImage[] | undefined {
  const images = group.spec.members.flatMap(({ snapshot: name }) => {
    const snapshot = deps.informers.VolumeSnapshotRecord.get(name);
    if (snapshot?.spec.group?.uid !== group.metadata.uid) return [];
    const copies = Object.values(snapshot.status?.copies ?? {});
    const copy = copies.length === 1 ? copies[0] : undefined;
    const poolPath = copy?.node === deps.node ? deps.readyPools.get(copy.pool) : undefined;
    if (copy === undefined || poolPath === undefined) return [];
    return [{ poolPath, snapshotUid: snapshot.metadata.uid, copyUid: copy.uid }];
  });
  return images.length === group.spec.members.length ? images : undefined;
}

async function write(
  { deps, group, signal }: Work,
  images: SnapshotGroupImages,
  resourceVersion?: string,
): Promise<void> {
  const { name, uid } = group.metadata;
  const options = {
    subresource: 'status',
    uid,
    signal,
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  } as const;
  await deps.client.patch('VolumeGroupSnapshotRecord', name, { status: { images } }, options);
}
