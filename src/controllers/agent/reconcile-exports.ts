/** Serves the volumes that are exported from this node by NFS, all by one server, and reports on each. */
import { areMountsHeldBack } from '../../domain/cluster/decide-tls.ts';
import { isAppError, messageOf } from '../../domain/errors.ts';
import { ATTACHMENT_FINALIZER } from '../../domain/finalizers.ts';
import { oneWriterFault } from '../../domain/nfs-export/beside-one-node.ts';
import { decideExports, type ExportDecision, type SeenExport } from '../../domain/nfs-export/decide-exports.ts';
import { isExport } from '../../domain/nfs-export/names.ts';
import { addressesOf } from '../../domain/node/addresses-of.ts';
import { isHolding } from '../../domain/volume/decide-restore.ts';
import { engineNameOf } from '../../domain/volume/engine-name.ts';
import { profileOf } from '../../domain/volume/profile.ts';
import type { ExportLook } from '../../ports/nfs-server.ts';
import type { Resource } from '../../ports/resource-client.ts';
import { createReconcileLoop, type ReconcileLoop, watchKeys } from '../runtime/reconcile-loop.ts';
import type { StatusFields } from '../runtime/status-writer.ts';
import { AGENT_BACKOFF, type AgentDeps } from './agent-deps.ts';
import { nodesReadySince } from './nodes-ready-since.ts';

type StoredRecord = Resource<'VolumeAttachmentRecord'>;
type RecordStatus = StatusFields<'VolumeAttachmentRecord'>;

/** The server can end without anybody telling, and clients wait then. */
const CHECK_PERIOD_MS = 3_000;
const RECONNECTING_PERIOD_MS = 1_000;

/** The loop for the exports of this node. */
export function createExportLoop(deps: AgentDeps): ReconcileLoop {
  const { informers, node: self } = deps;
  const state = { hasLooked: false };

  const reconcile = async (_key: string, signal: AbortSignal) => {
    const records = informers.VolumeAttachmentRecord.byIndex('node', self).filter(isExport);
    // What an agent before this one has left running is looked for once.
    if (records.length === 0 && state.hasLooked) return undefined;
    const isComplete = await serveAll(deps, records, signal);
    state.hasLooked = records.length === 0;
    if (records.length === 0) return undefined;
    return { requeueAfterMs: isComplete ? CHECK_PERIOD_MS : RECONNECTING_PERIOD_MS };
  };

  const isHere = (volume: string) =>
    informers.VolumeAttachmentRecord.byIndex('volume', volume).some(
      (record) => isExport(record) && record.spec.node === self,
    );
  return createReconcileLoop(deps, {
    name: 'agent-exports',
    watches: [
      watchKeys(informers.VolumeAttachmentRecord, (record) =>
        isExport(record) && record.spec.node === self ? [self] : [],
      ),
      watchKeys(informers.Volume, (volume) => (isHere(volume.metadata.name) ? [self] : [])),
      watchKeys(informers.StorageNode, () => [self]),
      watchKeys(informers.StorageCluster, () => [self]),
      watchKeys(informers.FenceRecord, ({ spec }) => (spec.node === self ? [self] : [])),
    ],
    reconcile,
    backoff: AGENT_BACKOFF,
  });
}

type Decided = ExportDecision<StoredRecord>;
type Served = Extract<Decided, { action: 'serve' }>;

async function serveAll(deps: AgentDeps, records: readonly StoredRecord[], signal: AbortSignal): Promise<boolean> {
  const seen = await Promise.all(records.map((record) => see(deps, record, signal)));
  const decided = decideExports(seen);
  const served = decided.filter((each) => each.action === 'serve');
  // Taken before the look: what is seen afterwards is newer than this.
  const since = served.map(({ record }) =>
    nodesReadySince(deps, deps.informers.Volume.get(record.spec.volume)?.status?.placement ?? []),
  );
  // Said before it is tried: who reads HeldBack relies on no attempt being under way.
  for (const { record } of served) {
    if (record.status?.state === 'HeldBack') await report(deps, record, { state: 'Waiting' }, signal);
  }
  try {
    const wanted = served.map((each) => each.wanted);
    const looks = await deps.nfs.serve(wanted, signal);
    let isComplete = true;
    for (const [at, each] of served.entries()) {
      const look = looks[at];
      if (look === undefined) continue;
      const status = describe(deps, each, look, since[at] ?? {});
      await report(deps, each.record, status, signal);
      isComplete &&= status.state === 'Mounted' && status.connectedCopies === status.copies;
    }
    for (const each of decided) await settle(deps, each, signal);
    return isComplete;
  } catch (error) {
    signal.throwIfAborted();
    await reportFailure(deps, decided, { error, signal });
    throw error;
  }
}

async function reportFailure(
  deps: AgentDeps,
  decided: readonly Decided[],
  { error, signal }: { readonly error: unknown; readonly signal: AbortSignal },
): Promise<void> {
  const reason = isAppError(error) ? error.reason : undefined;
  // Where no server runs nothing is served any more, whatever keeps it from running.
  const isNoneRunning = reason === 'NfsServerMissing' || reason === 'NfsServerEnded';
  const hint = isAppError(error) && error.hint !== undefined ? `; ${error.hint}` : '';
  const message = `${messageOf(error)}${hint}`;
  for (const each of decided) {
    if (isNoneRunning && each.action !== 'serve') await settle(deps, each, signal);
    else await report(deps, each.record, { state: each.action === 'end' ? 'Unmounting' : 'Failed', message }, signal);
  }
}

/** What is not served any more by now. */
async function settle(deps: AgentDeps, decided: Decided, signal: AbortSignal): Promise<void> {
  const { record } = decided;
  switch (decided.action) {
    case 'serve':
      return;
    case 'end':
      return removeFinalizer(deps, record, signal);
    case 'wait':
      return report(deps, record, { state: decided.state, message: decided.message }, signal);
  }
}

async function see(deps: AgentDeps, record: StoredRecord, signal: AbortSignal): Promise<SeenExport<StoredRecord>> {
  const { informers, client, node: self, bootId } = deps;
  const cached = informers.Volume.get(record.spec.volume);
  // Asked of the API before it is served first: when a volume is about to get other copies, nobody may begin with the old.
  const isServed = record.status?.state === 'Mounted' && record.status.bootId === bootId;
  const volume =
    isServed || cached === undefined ? cached : await client.get('Volume', cached.metadata.name, { signal });
  const cluster = informers.StorageCluster.list().find(({ spec }) => spec.nodes.includes(self));
  const isHeldBack = areMountsHeldBack(cluster, informers.StorageNode.get(self));
  const isFenced = informers.FenceRecord.get(self) !== undefined;
  const isEnding = record.metadata.deletionTimestamp !== undefined;
  const oneWriter = isEnding ? undefined : await seeOneWriter(deps, record, signal);
  const common = { record, isEnding, isHeldBack, isFenced, oneWriter };
  if (volume === undefined) return common;
  return { ...common, volume: seeVolume(volume, informers.StorageNode.list()) };
}

/**
 * Asked of the API, and after the record was written: who publishes the volume for one node looks for this record after he has
 * written his own, so one of the two sees the other. One that is served as it is said was seen to have no such claim beside it.
 */
async function seeOneWriter(
  { informers, client, bootId }: AgentDeps,
  { metadata, spec, status }: StoredRecord,
  signal: AbortSignal,
): Promise<string | undefined> {
  const isAsSaid = status?.observedGeneration === metadata.generation && status?.bootId === bootId;
  if (spec.isReadOnly || (status?.state === 'Mounted' && isAsSaid)) return undefined;
  const known = oneWriterFault(informers.VolumeAttachmentRecord.byIndex('volume', spec.volume), spec.volume);
  if (known !== undefined) return known;
  return oneWriterFault((await client.list('VolumeAttachmentRecord', { signal })).items, spec.volume);
}

function seeVolume(
  volume: Resource<'Volume'>,
  nodes: readonly Resource<'StorageNode'>[],
): NonNullable<SeenExport<StoredRecord>['volume']> {
  const { spec, status } = volume;
  const { engine, allowFrom = [] } = spec;
  const addresses = nodes.flatMap((node) => addressesOf(node.spec));
  return {
    engine,
    engineName: engineNameOf(volume),
    copies: status?.placement?.length ?? 0,
    isStarted: status?.engine?.state === 'Started',
    isHolding: isHolding(status),
    ...(allowFrom.length === 0 ? {} : { allowed: [...allowFrom, ...addresses] }),
  };
}

function describe(
  { informers, node: self }: AgentDeps,
  { record: { spec }, message: note }: Served,
  look: ExportLook,
  since: Readonly<Record<string, string>>,
): RecordStatus & { readonly state: NonNullable<RecordStatus['state']> } {
  const volume = informers.Volume.get(spec.volume);
  const copies = Math.max(look.copies, volume?.status?.placement?.length ?? 0);
  const seen = { connectedCopies: look.connectedCopies, copies, nodesReadySince: { ...since } };
  if (look.message !== undefined) return { state: 'Failed', message: look.message, ...seen };
  const ip = informers.StorageNode.get(self)?.spec.addresses.ip;
  return {
    state: 'Mounted',
    ...(note === undefined ? {} : { message: note }),
    ...(ip === undefined ? {} : { address: `${ip}:${spec.mountPath}` }),
    // Its connections take on the volume's options by themselves.
    ...(volume === undefined ? {} : { profile: profileOf(volume.spec) }),
    ...seen,
  };
}

async function removeFinalizer({ client }: AgentDeps, record: StoredRecord, signal: AbortSignal): Promise<void> {
  const { name, uid, finalizers = [] } = record.metadata;
  const patch = { metadata: { finalizers: finalizers.filter((finalizer) => finalizer !== ATTACHMENT_FINALIZER) } };
  try {
    await client.patch('VolumeAttachmentRecord', name, patch, { uid, signal });
  } catch (error) {
    if (!isAppError(error, 'notFound')) throw error; // gone is what was wanted
  }
}

async function report(deps: AgentDeps, record: StoredRecord, status: RecordStatus, signal: AbortSignal): Promise<void> {
  const none = {
    ...{ message: undefined, address: undefined, connectedCopies: undefined, copies: undefined },
    nodesReadySince: undefined,
  };
  const fields = { ...none, ...status, bootId: deps.bootId };
  await deps.statusWriter.write('VolumeAttachmentRecord', record, fields, { signal, isCompareAndSwap: false });
}
