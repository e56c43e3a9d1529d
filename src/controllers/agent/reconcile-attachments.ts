/** Mounts the volumes wanted on this node, looks after the mounts, and unmounts what is no longer wanted. */
import { areMountsHeldBack as clusterHoldsBack } from '../../domain/cluster/decide-tls.ts';
import { AppError, isAppError, messageOf } from '../../domain/errors.ts';
import { ATTACHMENT_FINALIZER } from '../../domain/finalizers.ts';
import type { EngineVolumeName } from '../../domain/names.ts';
import { isByHand, ONE_WRITER_MOUNT_HINT, oneWriterFault } from '../../domain/nfs-export/beside-one-node.ts';
import { isExport } from '../../domain/nfs-export/names.ts';
import { isHolding } from '../../domain/volume/decide-restore.ts';
import { engineNameOf, ownEngineName } from '../../domain/volume/engine-name.ts';
import { profileOf } from '../../domain/volume/profile.ts';
import { keySecretName } from '../../domain/volume/volume-key.ts';
import type { DesiredAttachment, Engine, Step } from '../../ports/engine.ts';
import type { Resource } from '../../ports/resource-client.ts';
import { createReconcileLoop, type ReconcileLoop, watchKeys } from '../runtime/reconcile-loop.ts';
import { isOfRoomOnly } from '../runtime/room-changes.ts';
import type { StatusFields } from '../runtime/status-writer.ts';
import { AGENT_BACKOFF, type AgentDeps } from './agent-deps.ts';
import { describeMount } from './attachment-report.ts';
import { desiredShare } from './desired-share.ts';
import { nodesReadySince } from './nodes-ready-since.ts';
import { runSteps } from './run-steps.ts';

type StoredRecord = Resource<'VolumeAttachmentRecord'>;
type RecordStatus = StatusFields<'VolumeAttachmentRecord'>;

/** A mount can die without anybody telling (the client process is killed), so it is looked at this often. */
const CHECK_PERIOD_MS = 10_000;
const RECONNECTING_PERIOD_MS = 1_000;
const TLS_CHANGES = 'mounted again when the encryption of storage traffic has been changed';

/** The loop for the VolumeAttachmentRecords of this node. */
export function createAttachmentLoop(deps: AgentDeps): ReconcileLoop {
  const { informers, node: self } = deps;

  // What is exported is served by NFS, and has a loop of its own.
  const isMountHere = (record: StoredRecord) => record.spec.node === self && !isExport(record);
  const reconcile = async (name: string, signal: AbortSignal) => {
    const record = informers.VolumeAttachmentRecord.get(name);
    if (record === undefined || !isMountHere(record)) return undefined;
    if (record.metadata.deletionTimestamp !== undefined) return unmount(deps, record, signal);
    const reason = whyHeldBack(deps, record);
    if (reason !== undefined) return holdBack(deps, record, reason, signal);
    // Said before it is tried: who reads HeldBack relies on no attempt being under way.
    if (record.status?.state === 'HeldBack') await report(deps, record, { state: 'Waiting' }, signal);
    return mount(deps, record, signal);
  };

  const namesHere = () =>
    informers.VolumeAttachmentRecord.list()
      .filter(isMountHere)
      .map((record) => record.metadata.name);
  const namesOfVolume = (volume: string) =>
    informers.VolumeAttachmentRecord.byIndex('volume', volume)
      .filter(isMountHere)
      .map((record) => record.metadata.name);
  return createReconcileLoop(deps, {
    name: 'agent-attachments',
    watches: [
      watchKeys(informers.VolumeAttachmentRecord, (record) => (isMountHere(record) ? [record.metadata.name] : [])),
      watchKeys(informers.Volume, (volume) => namesOfVolume(volume.metadata.name)),
      // A node that comes back has copies that the mounts here have to find again.
      watchKeys(informers.StorageNode, namesHere, isOfRoomOnly),
      watchKeys(informers.StorageCluster, namesHere),
      watchKeys(informers.FenceRecord, ({ spec }) => (spec.node === self ? namesHere() : [])),
    ],
    reconcile,
    workers: 2,
    backoff: AGENT_BACKOFF,
  });
}

async function mount(deps: AgentDeps, record: StoredRecord, signal: AbortSignal) {
  const { informers, events } = deps;
  const volume = informers.Volume.get(record.spec.volume);
  if (volume?.status?.engine?.state !== 'Started' || isHolding(volume.status)) {
    const message = describeWait(record.spec.volume, volume);
    await report(deps, record, { state: 'Waiting', message }, signal);
    return undefined;
  }
  try {
    const { seen, applied } = await mountAndLook(deps, record, volume, signal);
    await report(deps, record, { state: 'Mounted', ...seen, ...namedOtherwise(volume) }, signal);
    for (const step of applied) events.normal(record, 'Mounted', step.about);
    // A copy came back and this mount has not found it yet: a matter of seconds, and somebody waits for it.
    const isComplete = seen.connectedCopies === seen.copies;
    return { requeueAfterMs: isComplete ? CHECK_PERIOD_MS : RECONNECTING_PERIOD_MS };
  } catch (error) {
    signal.throwIfAborted();
    await report(deps, record, { state: 'Failed', message: messageOf(error) }, signal);
    throw error;
  }
}

/** Kept after the end of the volume: the mount has to go by that name. */
function namedOtherwise(volume: Resource<'Volume'>): Pick<RecordStatus, 'engineName'> {
  const engineName = engineNameOf(volume);
  return engineName === volume.metadata.name ? {} : { engineName };
}

function describeWait(name: string, volume: Resource<'Volume'> | undefined): string {
  if (volume === undefined) return `there is no volume ${name}`;
  if (isHolding(volume.status))
    return `snapshot ${volume.status?.restore?.snapshot} is being put in the place of ${name}`;
  return `volume ${name} is not ready yet`;
}

/**
 * Asked of the API, not of the cache: when a volume is about to get other copies, nobody may mount the old ones any more
 * whose record was not seen by then.
 */
async function mayMount(
  { client, node }: AgentDeps,
  { volume, record }: { readonly volume: Resource<'Volume'>; readonly record: StoredRecord },
  signal: AbortSignal,
): Promise<boolean> {
  const [now, fence] = await Promise.all([
    client.get('Volume', volume.metadata.name, { signal }),
    client.get('FenceRecord', node, { signal }),
  ]);
  if (now?.metadata.uid !== volume.metadata.uid || isHolding(now.status) || fence !== undefined) return false;
  if (!isByHand(record) || record.spec.isReadOnly) return true;
  // Who publishes it for one node looks for this record after he has written his own: one of the two sees the other.
  const { items } = await client.list('VolumeAttachmentRecord', { signal });
  return oneWriterFault(items, record.spec.volume, node) === undefined;
}

interface MountLook {
  readonly seen: ReturnType<typeof describeMount>;
  readonly applied: readonly Step[];
}

async function mountAndLook(
  deps: AgentDeps,
  record: StoredRecord,
  volume: Resource<'Volume'>,
  signal: AbortSignal,
): Promise<MountLook> {
  const { log } = deps;
  const engine = engineOf(deps, record);
  const placement = volume.status?.placement ?? [];
  // Taken before the look: what is seen afterwards is newer than this.
  const since = nodesReadySince(deps, placement);
  const mayGoOn = () => mayMount(deps, { volume, record }, signal);
  const desired = desiredAttachment(deps, record, true);
  const { observed, applied } = await runSteps(engine, desired, { log, signal, mayGoOn });
  if (observed.state !== 'mounted') {
    const why = observed.message ?? `what is at ${record.spec.mountPath} is ${observed.state}`;
    throw new AppError('unavailable', `volume ${record.spec.volume} is not mounted: ${why}`, { reason: 'NotMounted' });
  }
  return { seen: describeMount(observed, placement.length, since, profileOf(volume.spec)), applied };
}

interface HeldBack {
  readonly message: string;
  /** UID of the FenceRecord. */
  readonly fence?: string;
}

/** Why the volume is not to be mounted here for the time being. */
function whyHeldBack(deps: AgentDeps, record: StoredRecord): HeldBack | undefined {
  const fence = deps.informers.FenceRecord.get(deps.node);
  if (fence !== undefined && !isLocalInUse(deps, record)) {
    return { message: `node ${deps.node} is fenced`, fence: fence.metadata.uid };
  }
  if (areMountsHeldBack(deps, record)) return { message: TLS_CHANGES };
  const oneWriter = claimBeside(deps, record);
  return oneWriter === undefined ? undefined : { message: `${oneWriter}; ${ONE_WRITER_MOUNT_HINT}` };
}

/** A claim that has the volume for one writing node, beside a mount by hand that is not there yet; see beside-one-node.ts. */
function claimBeside({ informers, node, bootId }: AgentDeps, record: StoredRecord): string | undefined {
  const { spec, status } = record;
  if (!isByHand(record) || spec.isReadOnly) return undefined;
  if (status?.state === 'Mounted' && status.bootId === bootId) return undefined;
  return oneWriterFault(informers.VolumeAttachmentRecord.byIndex('volume', spec.volume), spec.volume, node);
}

/** What never leaves its node harms nobody else, and what is mounted already stays. */
function isLocalInUse(deps: AgentDeps, { spec, status }: StoredRecord): boolean {
  const isLocal = deps.informers.Volume.get(spec.volume)?.spec.engine === 'local';
  return isLocal && status?.state === 'Mounted' && status.bootId === deps.bootId;
}

/** The mounts of this node are to be away while the engine's traffic is being changed; they return by themselves. */
function areMountsHeldBack(deps: AgentDeps, record: StoredRecord): boolean {
  const { informers, node: self } = deps;
  if (!engineOf(deps, record).capabilities().isClustered) return false;
  return clusterHoldsBack(clusterOf(deps), informers.StorageNode.get(self));
}

function clusterOf({ informers, node: self }: AgentDeps): Resource<'StorageCluster'> | undefined {
  return informers.StorageCluster.list().find(({ spec }) => spec.nodes.includes(self));
}

async function holdBack(deps: AgentDeps, record: StoredRecord, reason: HeldBack, signal: AbortSignal) {
  await takeAway(deps, record, signal);
  await report(deps, record, { state: 'HeldBack', ...reason }, signal);
  // What an agent that was killed had begun may still come to its end.
  return { requeueAfterMs: CHECK_PERIOD_MS };
}

async function unmount(deps: AgentDeps, record: StoredRecord, signal: AbortSignal) {
  const { client } = deps;
  const finalizers = record.metadata.finalizers ?? [];
  if (!finalizers.includes(ATTACHMENT_FINALIZER)) return undefined;
  await takeAway(deps, record, signal);
  if (record.spec.accessMode !== undefined) await removeFolder(deps, record.spec.mountPath);
  const patch = { metadata: { finalizers: finalizers.filter((finalizer) => finalizer !== ATTACHMENT_FINALIZER) } };
  try {
    // By its UID: a record made anew under the same name keeps its finalizer, or its mount would be left behind.
    const { name, uid } = record.metadata;
    await client.patch('VolumeAttachmentRecord', name, patch, { uid, signal });
  } catch (error) {
    if (!isAppError(error, 'notFound')) throw error; // gone is what was wanted
  }
  return undefined;
}

/** The folder of a mount that a CSI call asked for is nobody else's, and each volume has another. */
async function removeFolder({ host, log }: AgentDeps, path: string): Promise<void> {
  try {
    await host.files.remove(path);
  } catch (error) {
    // Somebody has put something into it; that is no reason to say that the volume is still mounted.
    log.warn('the folder of a mount stays', { path, err: error });
  }
}

/** Unmounts. @throws {AppError} unavailable, while somebody uses the mount */
async function takeAway(deps: AgentDeps, record: StoredRecord, signal: AbortSignal): Promise<void> {
  const { log } = deps;
  const engine = engineOf(deps, record);
  try {
    const { observed } = await runSteps(engine, desiredAttachment(deps, record, false), { log, signal });
    if (observed.state === 'mounted' || observed.state === 'dead') {
      throw new AppError('unavailable', `${record.spec.mountPath} is still mounted on ${deps.node}`, {
        reason: 'StillMounted',
      });
    }
  } catch (error) {
    signal.throwIfAborted();
    await report(deps, record, { state: 'Unmounting', message: messageOf(error) }, signal);
    throw error;
  }
}

/** The engine of the volume; while it is gone, the one that what is mounted shows. */
function engineOf({ engines, informers }: AgentDeps, { spec }: StoredRecord): Engine {
  return engines[informers.Volume.get(spec.volume)?.spec.engine ?? 'gluster'];
}

/** Of a volume that is gone, as it was called when it was mounted. */
function nameInEngine({ spec, status }: StoredRecord, volume: Resource<'Volume'> | undefined): EngineVolumeName {
  return volume === undefined ? ownEngineName(status?.engineName ?? spec.volume) : engineNameOf(volume);
}

function desiredAttachment(deps: AgentDeps, record: StoredRecord, isPresent: boolean): DesiredAttachment {
  const volume = deps.informers.Volume.get(record.spec.volume);
  const placement = volume?.status?.placement ?? [];
  const profile = volume?.spec.profile;
  const members = placement.map((placed) => placed.node);
  // Its own copy first: no network needed to find the volume.
  const servers = [...members.filter((node) => node === deps.node), ...members.filter((node) => node !== deps.node)];
  return {
    subject: 'attachment',
    isPresent,
    volume: nameInEngine(record, volume),
    mountPath: record.spec.mountPath,
    isReadOnly: record.spec.isReadOnly,
    servers,
    ...copyHere(deps, volume),
    ...trafficOf(deps),
    ...(volume === undefined ? {} : desiredShare(volume)),
    ...(record.spec.mountOptions === undefined ? {} : { mountOptions: record.spec.mountOptions }),
    ...(profile === undefined ? {} : { profile }),
    isProfileSeen: record.status?.profile === (profile ?? 'none') && record.status.bootId === deps.bootId,
  };
}

function trafficOf(deps: AgentDeps): Pick<DesiredAttachment, 'isEncrypted'> {
  const tls = clusterOf(deps)?.status?.tls;
  return tls === undefined ? {} : { isEncrypted: tls.isEncrypted };
}

/** Where this node keeps a copy of the volume. */
function copyHere(
  { informers, node }: AgentDeps,
  volume: Resource<'Volume'> | undefined,
): Pick<DesiredAttachment, 'copyPath' | 'keySecret' | 'thinProvision'> {
  const placed = volume?.status?.placement?.find((each) => each.node === node);
  const path = placed === undefined ? undefined : informers.VolumeCopy.get(placed.copy)?.status?.path;
  if (volume === undefined || path === undefined) return {};
  const isEncrypted = volume.spec.encryption === true && volume.spec.brick === 'block';
  return {
    copyPath: path,
    ...(isEncrypted ? { keySecret: keySecretName(volume.metadata.uid) } : {}),
    ...(volume.spec.thinProvision === true ? { thinProvision: true } : {}),
  };
}

async function report(deps: AgentDeps, record: StoredRecord, status: RecordStatus, signal: AbortSignal): Promise<void> {
  const none = {
    message: undefined,
    connectedCopies: undefined,
    copies: undefined,
    nodesReadySince: undefined,
    fence: undefined,
  };
  const fields = { ...none, ...status, bootId: deps.bootId };
  await deps.statusWriter.write('VolumeAttachmentRecord', record, fields, { signal, isCompareAndSwap: false });
}
