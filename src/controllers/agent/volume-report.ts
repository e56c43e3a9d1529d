/** What the agent of a volume's anchor reports about it: the field status.engine, and nothing else of the status. */
import { AppError, isAppError } from '../../domain/errors.ts';
import { profileOf } from '../../domain/volume/profile.ts';
import type { ObservedVolume } from '../../ports/engine.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { PlacedCopy, VolumeEngineStatus } from '../../schemas/volume.ts';
import { mergeDiff } from '../runtime/merge-diff.ts';
import type { AgentDeps } from './agent-deps.ts';

type StoredVolume = Resource<'Volume'>;

export interface VolumeReport {
  /** What was reported last, or an empty report of this node. */
  last(): VolumeEngineStatus;
  /** Replaces the report; calls the API only when it says something new. */
  write(engine: VolumeEngineStatus): Promise<void>;
  /** Leaves what was seen as it is and adds what went wrong about it. */
  addMessage(message: string): Promise<void>;
}

/** Begins the report of one pass over a volume, from what the API holds. */
export function createVolumeReport(deps: AgentDeps, volume: StoredVolume, signal: AbortSignal): VolumeReport {
  const { name, uid } = volume.metadata;
  let stored = volume.status?.engine;
  const last = (): VolumeEngineStatus => ({
    state: 'Absent',
    bricks: [],
    ...stored,
    observedBy: deps.node,
    epoch: volume.status?.epoch ?? 0,
  });

  const write = async (engine: VolumeEngineStatus): Promise<void> => {
    // Against what this pass wrote itself: the cache does not know of that yet.
    const patch = mergeDiff({ engine: stored ?? null }, { engine });
    if (patch === undefined) return;
    // "Removed" of a volume that is gone must not reach its successor of the same name, nor what was seen of copies that
    // have been exchanged meanwhile (decide-restore.ts) the volume that is made of others.
    const now = await deps.client.get('Volume', name, { signal });
    if (now?.metadata.uid !== uid || now.status?.epoch !== volume.status?.epoch) throw outdated(name);
    const { resourceVersion } = now.metadata;
    await deps.client.patch('Volume', name, { status: patch }, { subresource: 'status', uid, resourceVersion, signal });
    stored = engine;
  };

  return { last, write, addMessage: (message) => write({ ...last(), message }) };
}

/** Somebody else has written meanwhile, which says nothing about the volume. What the engine calls a conflict does. */
export function isOutdated(error: unknown): boolean {
  return isAppError(error, 'conflict') && (error.reason === 'Conflict' || error.reason === 'ReportOutdated');
}

function outdated(name: string): AppError {
  return new AppError('conflict', `what was seen of volume ${name} is of before its anchor changed`, {
    resource: `volume ${name}`,
    reason: 'ReportOutdated',
    hint: 'its anchor looks again',
  });
}

/** One look of the anchor's agent at a volume. */
export interface VolumeLook {
  readonly volume: StoredVolume;
  readonly placement: readonly PlacedCopy[];
  readonly observed: ObservedVolume;
  readonly since: Readonly<Record<string, string>>;
}

/** What was seen, as it is reported; a brick that the engine did not mention is neither online nor readable. */
export function describeVolume(
  deps: AgentDeps,
  { volume, placement, observed, since }: VolumeLook,
): VolumeEngineStatus {
  return {
    observedBy: deps.node,
    epoch: volume.status?.epoch ?? 0,
    state: observed.isStarted ? 'Started' : observed.isPresent ? unserved(volume) : 'Absent',
    ...describeKnown(volume, observed),
    ...(observed.lacks === undefined
      ? {}
      : { lacks: Object.entries(observed.lacks).map(([key, value]) => `${key} ${value}`) }),
    ...(observed.limitBytes === undefined ? {} : { limitBytes: observed.limitBytes }),
    ...describeShare(volume, observed),
    ...(observed.isPresent ? { members: observed.bricks.map((brick) => `${brick.node}:${brick.path}`) } : {}),
    bricks: withReplaced(deps, placement).map((placed) => {
      const path = deps.informers.VolumeCopy.get(placed.copy)?.status?.path;
      const brick = observed.bricks.find((candidate) => candidate.node === placed.node && candidate.path === path);
      return {
        copy: placed.copy,
        node: placed.node,
        isOnline: brick?.isOnline ?? false,
        isReadable: brick?.isReadable ?? false,
        ...(since[placed.node] === undefined ? {} : { nodeReadySince: since[placed.node] }),
        ...(brick?.pendingHeals === undefined ? {} : { pendingHeals: brick.pendingHeals }),
        ...(brick?.splitBrainEntries === undefined ? {} : { splitBrainEntries: brick.splitBrainEntries }),
      };
    }),
  };
}

/** What is free moves all the time: by less than one percent it is reported as before, so that an idle volume writes nothing. */
function describeShare(
  { status }: StoredVolume,
  { capacityBytes, freeBytes }: ObservedVolume,
): Pick<VolumeEngineStatus, 'capacityBytes' | 'freeBytes'> {
  if (capacityBytes === undefined || freeBytes === undefined) return {};
  const before = status?.engine;
  const isNear =
    before?.freeBytes !== undefined &&
    before.capacityBytes === capacityBytes &&
    Math.abs(before.freeBytes - freeBytes) < capacityBytes / 100;
  return { capacityBytes, freeBytes: isNear ? (before.freeBytes ?? freeBytes) : freeBytes };
}

/** Kept when the engine holds the volume no more: it has had data, so it must not be created again, empty. */
function describeKnown(
  { spec, status }: StoredVolume,
  observed: ObservedVolume,
): Pick<VolumeEngineStatus, 'engineId' | 'profile'> {
  const profile = observed.hasProfile === true ? profileOf(spec) : status?.engine?.profile;
  const engineId = observed.engineId ?? status?.engine?.engineId;
  return { ...(engineId === undefined ? {} : { engineId }), ...(profile === undefined ? {} : { profile }) };
}

/** One that was served once is kept as it is, whatever becomes of its copies meanwhile. */
function unserved({ status }: StoredVolume): 'Stopped' | 'Created' {
  const before = status?.engine?.state;
  return before === 'Started' || before === 'Stopped' ? 'Stopped' : 'Created';
}

/** The placement, and with it what a change under way puts other copies in the place of: until then those are members. */
export function withReplaced(
  { informers }: Pick<AgentDeps, 'informers'>,
  placement: readonly PlacedCopy[],
): readonly PlacedCopy[] {
  return placement.flatMap((placed) => {
    const old = placed.replaces === undefined ? undefined : informers.VolumeCopy.get(placed.replaces);
    return old === undefined ? [placed] : [placed, { ...placed, copy: old.metadata.name, node: old.spec.node }];
  });
}
