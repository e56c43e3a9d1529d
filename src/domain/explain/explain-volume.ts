/** Everything that is decided about one volume, in the order in which it was decided. */
import type { BrickStatus, Volume } from '../../schemas/volume.ts';
import type { VolumeCopyStatus } from '../../schemas/volume-copy.ts';
import { mountSource } from '../nfs/share.ts';
import { strangersAmong, usableSince } from '../node/is-usable.ts';
import type { WantedCopy } from '../placement/model.ts';
import { judgeVolume, type Outcome } from '../simulate/judge-volume.ts';
import { type ServerQuorum, serverQuorum } from '../simulate/lose-nodes.ts';
import { copiesOfVolume } from '../simulate/see-volume.ts';
import { simulateLoss } from '../simulate/simulate-loss.ts';
import type { StoredCluster } from '../simulate/stored-cluster.ts';
import { describeCopiesOf } from '../volume/describe-layout.ts';
import { phaseOf, stateMessage } from '../volume/describe-volume.ts';
import { isServing } from '../volume/is-serving.ts';
import { replicaSets, wantedCopies } from '../volume/replica-sets.ts';
import { type ExplainedFence, explainFences } from './explain-fences.ts';
import { type NextStep, nextStep } from './next-step.ts';

export interface ExplainedCopy {
  readonly copy: string;
  readonly node: string;
  readonly pool: string;
  readonly role: 'data' | 'arbiter';
  /** The set that it belongs to; left out where the volume has one. */
  readonly set?: number;
  /** As its node reports it; undefined before it is recorded. */
  readonly state?: string;
  readonly message?: string;
  readonly isNodeReady: boolean;
  /** As the engine said when it was last looked at; undefined when it never was. */
  readonly isOnline?: boolean;
  readonly isReadable?: boolean;
  /** The engine was asked about it since its node is back. */
  readonly isSeenNow: boolean;
  readonly isServing: boolean;
  readonly pendingHeals?: number;
  readonly splitBrainEntries?: number;
}

export interface ExplainedCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly since: string;
}

/** What the loss of one node would do to the volume now. */
export interface ExplainedLoss {
  readonly node: string;
  readonly outcome: Outcome;
  readonly message: string;
  /** What cannot be known from counting copies. */
  readonly warning?: string;
}

/** How many copies of a set must serve, and how many do. */
export interface ExplainedSet {
  readonly set: number;
  readonly needed: number;
  readonly serving: number;
  readonly copies: number;
}

/** Where a volume is kept that no node keeps. */
export interface ExplainedShare {
  readonly server: string;
  /** What it exports: "/export". */
  readonly path: string;
  /** The folder of it; the whole when left out. */
  readonly subDir?: string;
  /** What becomes of what is in it when the volume is deleted. */
  readonly onDelete: 'delete' | 'retain' | 'archive';
  /** Nodes that can mount it now. */
  readonly usableOn: readonly string[];
}

export interface VolumeExplanation {
  readonly volume: string;
  readonly phase: NonNullable<NonNullable<Volume['status']>['phase']>;
  readonly message: string;
  readonly size: string;
  readonly layout: string;
  /** Of a share of a file server, which has no copies and no sets. */
  readonly share?: ExplainedShare;
  /** Every set must have what it needs for the volume to be served; a file lies in one set only. */
  readonly sets: readonly ExplainedSet[];
  readonly serverQuorum: ServerQuorum;
  readonly reasons: readonly string[];
  readonly anchor?: { readonly node: string; readonly epoch: number; readonly isReady: boolean };
  /** When the anchor's agent last spoke of an older epoch than the one in force. */
  readonly observedEpoch?: number;
  /** What the anchor's agent says is wrong or under way in the engine. What it saw of copies may be older than that. */
  readonly engineMessage?: string;
  /** Of an adopted volume: what the engine calls it, where that is another name. */
  readonly engineName?: string;
  /** Of an adopted volume: the safety options of Holdfast's own volumes that it does not have. */
  readonly lacks?: readonly string[];
  readonly conditions: readonly ExplainedCondition[];
  /** Nodes that are cut off from it, by a person's word. */
  readonly fences: readonly ExplainedFence[];
  /** `since` is an RFC 3339 time. */
  readonly waitsFor?: { readonly what: string; readonly since: string };
  readonly copies: readonly ExplainedCopy[];
  readonly mounts: readonly {
    readonly node: string;
    readonly path: string;
    readonly state?: string;
    /** Whom the node serves it to by NFS as that path; left out where it is mounted there. */
    readonly clients?: readonly string[];
  }[];
  readonly ifLost: readonly ExplainedLoss[];
  readonly next: NextStep;
}

function explainAdopted({ spec, status }: Volume): Pick<VolumeExplanation, 'lacks' | 'engineName'> {
  if (spec.adopted === undefined) return {};
  const { engineName } = spec.adopted;
  return { lacks: status?.engine?.lacks ?? [], ...(engineName === undefined ? {} : { engineName }) };
}

/** Answers `holdfast explain volume`. */
export function explainVolume(stored: StoredCluster, volume: Volume): VolumeExplanation {
  const { spec, status, metadata } = volume;
  const copies = explainCopies(stored, volume);
  const mounts = stored.attachments.filter((record) => record.spec.volume === metadata.name);
  const usable = usableSince(stored.nodes, spec.engine);
  const laggingMounts = mounts.filter((record) => {
    return usable.has(record.spec.node) && (record.status?.connectedCopies ?? 0) < (record.status?.copies ?? 0);
  });
  return {
    volume: metadata.name ?? '',
    phase: phaseOf(volume),
    message: stateMessage(volume),
    size: spec.share === undefined ? spec.size : (status?.size ?? spec.size),
    layout: spec.share === undefined ? `${spec.layout}, ${describeCopiesOf(spec)}` : mountSource(spec.share),
    ...explainShare(spec, usable),
    sets: spec.share === undefined ? explainSets(spec, copies) : [],
    serverQuorum: serverQuorum(stored),
    reasons: status?.reasons ?? [],
    ...explainEngine(volume, usable),
    ...explainAdopted(volume),
    conditions: (status?.conditions ?? []).map(({ lastTransitionTime, ...rest }) => ({
      type: rest.type,
      status: rest.status,
      reason: rest.reason,
      message: rest.message,
      since: lastTransitionTime,
    })),
    fences: explainFences(volume),
    ...waitsFor(volume),
    copies,
    mounts: mounts.map((record) => ({
      node: record.spec.node,
      path: record.spec.mountPath,
      ...(record.status === undefined ? {} : { state: record.status.state }),
      ...(record.spec.export === undefined ? {} : { clients: record.spec.export.clients }),
    })),
    ifLost: explainLosses(stored, volume),
    next: nextStep({
      volume,
      awayNodes: copies.filter((copy) => !copy.isNodeReady).map((copy) => copy.node),
      downNodes: copies.filter((copy) => !copy.isServing).map((copy) => copy.node),
      strangers: strangersAmong(
        stored.nodes,
        copies.map((copy) => copy.node),
      ),
      laggingMounts: laggingMounts.map((record) => record.spec.node),
    }),
  };
}

function explainShare(
  { share }: Volume['spec'],
  usable: ReadonlyMap<string, string>,
): Pick<VolumeExplanation, 'share'> {
  if (share === undefined) return {};
  const { server, path, subDir, onDelete = 'delete' } = share;
  const usableOn = [...usable.keys()].toSorted();
  if (subDir === undefined) return { share: { server, path, onDelete: 'retain', usableOn } };
  return { share: { server, path, subDir, onDelete, usableOn } };
}

/** Before copies are placed, the sets as they are asked for. */
function explainSets(spec: Volume['spec'], copies: readonly ExplainedCopy[]): readonly ExplainedSet[] {
  const serving = copies.filter((copy) => copy.isServing);
  return replicaSets<Pick<WantedCopy, 'set'>>(spec, copies.length > 0 ? copies : wantedCopies(spec)).map(
    ({ set, quorum, copies: own }) => {
      const up = serving.filter((copy) => (copy.set ?? 0) === set).length;
      return { set, needed: quorum, serving: up, copies: own.length };
    },
  );
}

function explainEngine(
  { status }: Volume,
  usable: ReadonlyMap<string, string>,
): Pick<VolumeExplanation, 'anchor' | 'observedEpoch' | 'engineMessage'> {
  const { anchor, epoch = 0, engine } = status ?? {};
  return {
    ...(anchor === undefined ? {} : { anchor: { node: anchor, epoch, isReady: usable.has(anchor) } }),
    ...(engine === undefined || engine.epoch === epoch ? {} : { observedEpoch: engine.epoch }),
    ...(engine?.message === undefined ? {} : { engineMessage: engine.message }),
  };
}

/** Those placed, and those that a deletion has not removed yet. */
function explainCopies(stored: StoredCluster, volume: Volume): readonly ExplainedCopy[] {
  const recorded = copiesOfVolume(stored, volume);
  const bricks = volume.status?.engine?.bricks ?? [];
  const usable = usableSince(stored.nodes, volume.spec.engine);
  const fallback = recorded.map(({ metadata, spec }) => ({ ...spec, copy: metadata.name ?? '' }));
  const placed = volume.status?.placement ?? fallback;
  return placed.map((each) => {
    const { copy, node, pool, role } = each;
    const brick = bricks.find((candidate) => candidate.copy === copy);
    const found = recorded.find((candidate) => candidate.metadata.name === copy)?.status;
    return {
      copy,
      node,
      pool,
      role,
      ...('set' in each && each.set !== undefined ? { set: each.set } : {}),
      ...explainRecord(found),
      isNodeReady: usable.has(node),
      isSeenNow: brick !== undefined && usable.has(node) && brick.nodeReadySince === usable.get(node),
      isServing: isServing({ copy, node }, bricks, usable),
      ...explainBrick(brick),
    };
  });
}

/** What its node says of a copy. */
function explainRecord(status: VolumeCopyStatus | undefined): Pick<ExplainedCopy, 'state' | 'message'> {
  if (status === undefined) return {};
  const { state, message } = status;
  return { state, ...(message === undefined ? {} : { message }) };
}

/** What the engine said of a copy when it was last looked at. */
function explainBrick(
  brick: BrickStatus | undefined,
): Pick<ExplainedCopy, 'isOnline' | 'isReadable' | 'pendingHeals' | 'splitBrainEntries'> {
  if (brick === undefined) return {};
  const { isOnline, isReadable, pendingHeals, splitBrainEntries } = brick;
  return {
    ...{ isOnline, isReadable },
    ...(pendingHeals === undefined ? {} : { pendingHeals }),
    ...(splitBrainEntries === undefined ? {} : { splitBrainEntries }),
  };
}

/** Only while the engine serves it: before and after that there is nothing that a loss could stop. */
function explainLosses(stored: StoredCluster, volume: Volume): readonly ExplainedLoss[] {
  if (judgeVolume(stored, volume).outcome === 'notReady') return [];
  const nodes = new Set((volume.status?.placement ?? []).map((placed) => placed.node));
  return [...nodes].flatMap((node) => {
    const { volumes } = simulateLoss({ ...stored, volumes: [volume] }, [node]);
    return volumes.map(({ after, message, warning }) => {
      return { node, outcome: after, message, ...(warning === undefined ? {} : { warning }) };
    });
  });
}

function waitsFor({ metadata, status }: Volume): Pick<VolumeExplanation, 'waitsFor'> {
  const find = (type: string) => status?.conditions?.find((condition) => condition.type === type);
  const [ready, redundant] = [find('Ready'), find('Redundant')];
  if (metadata.deletionTimestamp !== undefined) {
    // The condition may be older than the wish to delete.
    const isAbout = ready?.status === 'False';
    return {
      waitsFor: { what: isAbout ? ready.message : 'the controller to begin', since: metadata.deletionTimestamp },
    };
  }
  if (ready === undefined) {
    return { waitsFor: { what: 'the controller to look at it', since: metadata.creationTimestamp ?? '' } };
  }
  if (ready.status !== 'True') return { waitsFor: { what: ready.message, since: ready.lastTransitionTime } };
  if (
    redundant === undefined ||
    redundant.status === 'True' ||
    ['SingleCopy', 'NoSpareCopy', 'KeptByServer'].includes(redundant.reason)
  )
    return {};
  return { waitsFor: { what: redundant.message, since: redundant.lastTransitionTime } };
}
