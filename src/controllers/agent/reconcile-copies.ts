/** Prepares the copies placed on this node, keeps them mounted, and removes those that are released. */
import { AppError, isAppError, messageOf } from '../../domain/errors.ts';
import { COPY_FINALIZER } from '../../domain/finalizers.ts';
import { copyToReconnect } from '../../domain/volume/cut-off-copy.ts';
import { engineNameOf, ownEngineName } from '../../domain/volume/engine-name.ts';
import type { DesiredCopy, ObservedCopy } from '../../ports/engine.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { VolumeCopyStatus } from '../../schemas/volume-copy.ts';
import { createReconcileLoop, type ReconcileLoop, watchKeys } from '../runtime/reconcile-loop.ts';
import { AGENT_BACKOFF, type AgentDeps } from './agent-deps.ts';
import { isAwaited, isMember } from './desired-bricks.ts';
import { runSteps } from './run-steps.ts';

type StoredCopy = Resource<'VolumeCopy'>;

const CHECK_PERIOD_MS = 15_000;

/** The loop for the VolumeCopies of this node. */
export function createCopyLoop(deps: AgentDeps): ReconcileLoop {
  const { informers, node: self } = deps;

  const reconcile = async (name: string, signal: AbortSignal) => {
    const copy = informers.VolumeCopy.get(name);
    if (copy === undefined || copy.spec.node !== self) return undefined;
    if (isReleased(copy)) return removeCopy(deps, copy, signal);
    return prepareCopy(deps, copy, signal);
  };

  return createReconcileLoop(deps, {
    name: 'agent-copies',
    watches: [watchKeys(informers.VolumeCopy, (copy) => (copy.spec.node === self ? [copy.metadata.name] : []))],
    reconcile,
    workers: 2,
    backoff: AGENT_BACKOFF,
  });
}

/**
 * Invariant: data is removed only when the controller has released the copy, which it does only after the engine was seen
 * to hold the volume no more. A VolumeCopy that somebody else deletes keeps its data and its finalizer, and goes on being
 * looked after: the volume counts on it, also after the next restart of this node.
 */
function isReleased({ metadata, spec }: StoredCopy): boolean {
  return metadata.deletionTimestamp !== undefined && spec.isReleased === true;
}

async function prepareCopy(deps: AgentDeps, copy: StoredCopy, signal: AbortSignal) {
  const { log } = deps;
  const engine = deps.engines[copy.spec.engine];
  let first: ObservedCopy | undefined;
  const onFirstLook = async (seen: ObservedCopy) => void (first = seen);
  try {
    const { observed, applied } = await runSteps(engine, desiredCopy(deps, copy, true), { log, signal, onFirstLook });
    if (applied.length > 0) deps.onRoomChanged();
    await report(deps, copy, reportOf(copy, observed), signal);
    return { requeueAfterMs: CHECK_PERIOD_MS };
  } catch (error) {
    signal.throwIfAborted();
    if (isWholeButSmall(copy, first)) {
      await report(deps, copy, { ...reportOf(copy, first), message: messageOf(error) }, signal);
      throw error;
    }
    // A copy that was in use stays a member; one that never was is still being prepared.
    const state = copy.status?.state === 'Ready' || copy.status?.state === 'Suspect' ? 'Suspect' : 'Preparing';
    await report(deps, copy, { state, message: messageOf(error) }, signal);
    throw error;
  }
}

/** Only its growth has failed, and that leaves a copy as it was. */
function isWholeButSmall({ spec }: StoredCopy, seen: ObservedCopy | undefined): seen is ObservedCopy {
  return seen?.state === 'ready' && seen.sizeBytes !== undefined && seen.sizeBytes < spec.sizeBytes;
}

async function removeCopy(deps: AgentDeps, copy: StoredCopy, signal: AbortSignal) {
  const { log, client } = deps;
  const engine = deps.engines[copy.spec.engine];
  if (copy.metadata.finalizers?.includes(COPY_FINALIZER) !== true) return undefined;
  try {
    const mayGoOn = async () => {
      await assertUnused(deps, copy, signal);
      return true;
    };
    const { observed } = await runSteps(engine, desiredCopy(deps, copy, false), { log, signal, mayGoOn });
    // Once more: without the copy nothing can be made of it any more, so what is not there now never will be.
    await assertUnused(deps, copy, signal);
    if (observed.state !== 'absent') {
      throw new AppError('unavailable', `copy of ${copy.spec.volume} is not wholly removed yet`, {
        reason: 'CopyNotRemoved',
      });
    }
    deps.onRoomChanged();
  } catch (error) {
    signal.throwIfAborted();
    await report(deps, copy, { ...copy.status, state: 'Deleting', message: messageOf(error) }, signal);
    throw error;
  }
  const finalizers = copy.metadata.finalizers.filter((finalizer) => finalizer !== COPY_FINALIZER);
  try {
    const { name, uid } = copy.metadata;
    await client.patch('VolumeCopy', name, { metadata: { finalizers } }, { uid, signal });
  } catch (error) {
    if (!isAppError(error, 'notFound')) throw error; // gone is what was wanted
  }
  return undefined;
}

/**
 * The engine may carry out late what an agent had asked of it before it died: a volume can come to be after the anchor
 * has seen that there is none. As long as copies are left the anchor looks again and removes it.
 *
 * @throws {AppError} precondition, while a volume of the engine is made of this copy
 */
async function assertUnused({ engines, node }: AgentDeps, copy: StoredCopy, signal: AbortSignal): Promise<void> {
  const engine = engines[copy.spec.engine];
  const path = copy.status?.path;
  // Of what is only forgotten nothing is erased, whatever still uses it.
  if (copy.spec.adopted !== undefined) return;
  // A volume is only ever made of copies whose path was reported.
  if (path === undefined) return;
  const name = ownEngineName(copy.spec.volume);
  const any = { subject: 'volume', isPresent: false, name, layout: 'single', bricks: [], options: {} } as const;
  const { bricks } = await engine.observe<'volume'>(any, signal);
  if (!bricks.some((brick) => brick.node === node && brick.path === path)) return;
  throw new AppError('precondition', `${engine.name} still has volume ${name}, which uses this copy`, {
    reason: 'CopyInUse',
    hint: 'its anchor removes it; the copy is erased as soon as that is done',
  });
}

/** @throws {AppError} unavailable, while the pool is not ready */
function poolPathOf({ readyPools, node }: AgentDeps, { spec: { adopted, pool } }: StoredCopy): string {
  // What somebody else made lies in no pool.
  const path = adopted === undefined ? readyPools.get(pool) : adopted.path;
  if (path !== undefined) return path;
  throw new AppError('unavailable', `pool ${pool} of ${node} is not ready`, {
    reason: 'PoolNotReady',
    hint: `see kubectl describe storagenode ${node}`,
  });
}

/** The very volume that it is part of, not a later one of the same name. */
function volumeOf({ informers }: AgentDeps, { spec }: StoredCopy): Resource<'Volume'> | undefined {
  const found = informers.Volume.get(spec.volume);
  return found?.metadata.uid === spec.volumeUid ? found : undefined;
}

function desiredCopy(deps: AgentDeps, copy: StoredCopy, isPresent: boolean): DesiredCopy {
  const { adopted } = copy.spec;
  return {
    subject: 'copy',
    isPresent,
    copyUid: copy.metadata.uid,
    ...partOf(deps, volumeOf(deps, copy), copy),
    volumeUid: copy.spec.volumeUid,
    poolPath: poolPathOf(deps, copy),
    brick: copy.spec.brick,
    sizeBytes: copy.spec.sizeBytes,
    ...(adopted === undefined ? {} : { adopted }),
    ...contentsOf(copy),
    ...(copy.status?.sizeBytes === undefined ? {} : { seenSizeBytes: copy.status.sizeBytes }),
  };
}

/** What the copy is to the volume that is made of it. */
function partOf(
  { informers }: AgentDeps,
  volume: Resource<'Volume'> | undefined,
  copy: StoredCopy,
): Pick<DesiredCopy, 'volume' | 'isInUse' | 'isCutOff'> {
  if (volume === undefined) return { volume: ownEngineName(copy.spec.volume), isInUse: false };
  const engine = volume.status?.engine;
  // Volumes are made only of copies whose path was reported; once made, the engine's name for them stays in the report.
  const isMade = engine?.engineId !== undefined;
  // One that is to join is in the report, too, and one whose place another has taken: the engine has neither.
  const bricks = (engine?.bricks ?? []).filter((brick) => {
    const other = informers.VolumeCopy.get(brick.copy);
    return other === undefined || isMember(engine, other) !== false;
  });
  return {
    volume: engineNameOf(volume),
    isInUse: isMade && copy.status?.path !== undefined && !isAwaited(volume, copy),
    isCutOff: copyToReconnect(bricks) === copy.metadata.name,
  };
}

/** What the copy is made with, where it is not what every copy is. */
function contentsOf({ spec }: StoredCopy): Pick<DesiredCopy, 'fsType' | 'keySecret' | 'thinProvision' | 'source'> {
  const { fsType, keySecret, thinProvision, source } = spec;
  return {
    ...(fsType === undefined ? {} : { fsType }),
    ...(keySecret === undefined ? {} : { keySecret }),
    ...(thinProvision === undefined ? {} : { thinProvision }),
    ...(source === undefined ? {} : { source }),
  };
}

function reportOf({ metadata, spec }: StoredCopy, observed: ObservedCopy): VolumeCopyStatus {
  if (observed.state === 'ready') {
    const kept = `not deleted: volume ${spec.volume} still uses this copy; it goes when the volume is deleted`;
    const message = metadata.deletionTimestamp === undefined ? {} : { message: kept };
    const size = observed.sizeBytes === undefined ? {} : { sizeBytes: observed.sizeBytes };
    const capacity = observed.capacityBytes === undefined ? {} : { capacityBytes: observed.capacityBytes };
    const kind = observed.encryption === undefined ? {} : { encryption: observed.encryption };
    return { state: 'Ready', path: observed.brickPath, ...size, ...capacity, ...kind, ...message };
  }
  const message = observed.message ?? `the copy is ${observed.state}`;
  return { state: observed.state === 'broken' ? 'Suspect' : 'Preparing', message };
}

async function report(deps: AgentDeps, copy: StoredCopy, status: VolumeCopyStatus, signal: AbortSignal): Promise<void> {
  const { path, encryption } = { ...copy.status, ...status };
  const fields = { ...status, path, encryption, message: status.message, bootId: deps.bootId };
  await deps.statusWriter.write('VolumeCopy', copy, fields, { signal, isCompareAndSwap: false });
}
