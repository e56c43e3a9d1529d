/**
 * What the controller does about one Volume. Pure: the same input always gives the same decision.
 *
 * The stages of a volume's life, each finished before the next: place, create copies, wait for the copies' nodes,
 * let the anchor make the engine volume, watch it; and for a deletion: wait for attachments, let the anchor remove the
 * engine volume, release the copies, let go.
 *
 * Invariant: a copy is released only when the engine was seen, by an agent that knew of the deletion, to hold the
 * volume no more, or when every node of it was given up (property: `decide-volume.prop.test.ts`).
 */
import type { PlacedCopy, VolumeStatus } from '../../schemas/volume.ts';
import { type Claim, claim } from '../claim.ts';
import { spread } from '../spread.ts';
import { decideRestore, isHolding, type RestoreDecision, type SeenRestore } from './decide-restore.ts';
import { decideShare, type SeenShare } from './decide-share.ts';
import { type Health, judgeHealth, notReady } from './judge-health.ts';
import { isMarked, type MembershipDecision } from './membership.ts';
import type { LayoutSpec } from './replica-sets.ts';

export interface SeenCopy {
  readonly name: string;
  readonly node: string;
  readonly isReady: boolean;
  readonly isReleased: boolean;
  readonly message?: string;
}

export interface SeenAttachment {
  readonly node: string;
  /** Copies that the mount did not reach when it was looked at; undefined when it is not mounted or cannot tell. */
  readonly missingCopies?: number;
  /** Since when each node with a copy had been ready by then; see BrickStatus.nodeReadySince. Not judged when left out. */
  readonly nodesReadySince?: Readonly<Record<string, string>>;
}

export interface SeenVolume {
  readonly name: string;
  readonly uid: string;
  readonly isDeleting: boolean;
  readonly spec: LayoutSpec;
  /** It has no copies: a share of a file server, with the name of that for people, and the nodes that may look after it. */
  readonly share?: SeenShare | undefined;
  readonly status: VolumeStatus;
  readonly copies: readonly SeenCopy[];
  /** Where the volume is, or is wanted, mounted. */
  readonly attachments: readonly SeenAttachment[];
  /** Nodes with a fresh heartbeat and a running engine, and since when; see BrickStatus.nodeReadySince. */
  readonly usableNodes: ReadonlyMap<string, string>;
  /** Cut off from their volumes: as anchor each can look at no copy, so any other is better. */
  readonly fencedNodes?: ReadonlySet<string>;
  /** Names of all nodes, as the API has them; only of a volume that is to go. */
  readonly knownNodes?: ReadonlySet<string> | undefined;
  /** Asked only while the volume has no placement. */
  readonly place: () => PlacementOutcome;
  /** Of a volume that has data; left out where its members are not to change. */
  readonly membership?: SeenMembers | undefined;
  /** Left out where no snapshot is to be put in its place. */
  readonly restore?: SeenRestore | undefined;
}

export interface SeenMembers {
  /** What the engine has the volume made of now, as far as it was seen. */
  readonly effective: readonly PlacedCopy[];
  readonly decide: () => MembershipDecision;
}

export type PlacementOutcome =
  | { readonly ok: true; readonly placement: readonly PlacedCopy[]; readonly reasons: readonly string[] }
  | { readonly ok: false; readonly message: string; readonly reasons: readonly string[] };

/** The part of the status that the controller writes; `engine` belongs to the anchor's agent. */
export type ControllerStatus = Pick<
  VolumeStatus,
  'phase' | 'placement' | 'anchor' | 'epoch' | 'reasons' | 'restore' | 'keyNodes' | 'grantedSize' | 'size'
> & {
  /** Only ever taken away: when the volume gets other copies, what was seen of those before is no more so. */
  readonly engine?: undefined;
};

export interface VolumeDecision {
  readonly status: ControllerStatus;
  readonly claims: readonly Claim[];
  readonly createCopies: readonly (PlacedCopy & { readonly index: number })[];
  readonly releaseCopies: readonly string[];
  /** To be released only as they were seen: by their resourceVersion. */
  readonly abandonCopies: readonly string[];
  /** A snapshot of that name is to be taken of it. */
  readonly takeSnapshot?: string | undefined;
  /** The snapshot that it is to hold again has to be written to before this is stored. */
  readonly holdsSnapshot?: boolean | undefined;
  /** Nothing is left of the volume: its finalizer can go. */
  readonly isGone: boolean;
}

const NOTHING = { createCopies: [], releaseCopies: [], abandonCopies: [], isGone: false } as const;

/** Decides the next step for one volume; apply it, and call again when anything it saw has changed. */
export function decideVolume(seen: SeenVolume): VolumeDecision {
  if (seen.share !== undefined) return { ...NOTHING, ...decideShare(seen, seen.share) };
  if (seen.isDeleting) return decideDeletion(seen);
  const placement = seen.status.placement;
  if (placement === undefined || placement.length === 0) return decidePlacement(seen);
  // Its members stay as they are while a snapshot is being put in their place.
  const { membership: _, ...still } = seen;
  const decision = decidePlaced(isHolding(seen.status) ? still : seen, placement);
  return seen.restore === undefined ? decision : restore(seen, decision, decideRestore(seen, seen.restore));
}

function decidePlaced(seen: SeenVolume, placement: readonly PlacedCopy[]): VolumeDecision {
  const anchored = moveAnchor(seen, placement);
  const missing = placement
    .map((placed, index) => ({ ...placed, index }))
    .filter((placed) => !seen.copies.some((copy) => copy.name === placed.copy));
  const health = judgeHealth(seen, membersOf(seen, placement), anchored);
  if (missing.length > 0 && seen.membership !== undefined) return { ...NOTHING, ...health, createCopies: missing };
  if (missing.length > 0) {
    const message = `${placement.length - missing.length} of ${placement.length} copies are recorded`;
    return {
      ...NOTHING,
      status: { ...anchored, phase: 'Creating' },
      claims: notReady('CreatingCopies', message),
      createCopies: missing,
    };
  }
  return changeMembers(seen, health);
}

/** Adds to what is decided otherwise what is decided about putting a snapshot in the volume's place. */
function restore(seen: SeenVolume, decision: VolumeDecision, decided: RestoreDecision): VolumeDecision {
  const { createCopies = [], takeSnapshot, holdsSnapshot, restore: now = seen.status.restore } = decided;
  if (now === undefined) return decision;
  if (decided.placement !== undefined) return exchangeCopies(seen, decided.placement, now);
  const restored = claim('Restored', now.phase === 'Done' ? 'True' : 'False', `Restore${now.phase}`, now.message);
  // Until it is made of the new copies nobody can use it, whatever the engine lacks.
  const isAway = now.phase === 'Removing' && seen.status.engine?.state !== 'Started';
  const claims = isAway ? notReady('Restoring', now.message) : decision.claims;
  return {
    ...decision,
    status: { ...decision.status, ...(isAway ? { phase: 'Unavailable' as const } : {}), restore: now },
    claims: [...claims, restored],
    createCopies: [...decision.createCopies, ...createCopies],
    takeSnapshot,
    holdsSnapshot,
  };
}

/** The one place where a volume gets other copies at once: in the same write as the epoch and the end of what was seen. */
function exchangeCopies(
  seen: SeenVolume,
  next: readonly PlacedCopy[],
  now: NonNullable<VolumeStatus['restore']>,
): VolumeDecision {
  const anchored = moveAnchor(seen, next);
  // The anchor is always a member, and none of the new ones is there.
  if (!next.some((placed) => placed.node === anchored.anchor)) return { ...NOTHING, status: {}, claims: [] };
  const epoch = (seen.status.epoch ?? 0) + 1;
  return {
    ...NOTHING,
    status: { ...anchored, epoch, phase: 'Creating', placement: [...next], engine: undefined, restore: now },
    claims: [...notReady('Restoring', now.message), claim('Restored', 'False', `Restore${now.phase}`, now.message)],
  };
}

/** What is judged about a volume is judged of what the engine has it made of. */
function membersOf({ membership }: SeenVolume, placement: readonly PlacedCopy[]): readonly PlacedCopy[] {
  return membership?.effective ?? placement;
}

/** The one place where the placement of a volume with data changes. */
function changeMembers(seen: SeenVolume, health: Health): VolumeDecision {
  const decided = seen.membership?.decide();
  if (decided === undefined || seen.status.engine?.state !== 'Started') return { ...NOTHING, ...health };
  const moved = decided.placement === undefined ? {} : moveMembers(seen, decided.placement, decided);
  if (moved === undefined) return { ...NOTHING, ...health };
  return {
    ...NOTHING,
    status: { ...health.status, ...moved },
    claims: [...health.claims, ...tellMembers(seen, decided)],
    releaseCopies: decided.release,
    abandonCopies: decided.abandon,
  };
}

/** What is written for other members; undefined while none of those is there that could be the anchor. */
function moveMembers(
  seen: SeenVolume,
  placement: readonly PlacedCopy[],
  { raisesEpoch = false }: MembershipDecision,
): Pick<VolumeStatus, 'anchor' | 'epoch' | 'placement'> | undefined {
  const anchored = moveAnchor(seen, placement);
  // The anchor is always a member: a change that takes its copy away waits until another one can be it.
  if (!placement.some((placed) => placed.node === anchored.anchor)) return undefined;
  const told = seen.status.epoch ?? 0;
  const raised = raisesEpoch && anchored.epoch === told ? { epoch: told + 1 } : {};
  return { ...anchored, ...raised, placement: [...placement] };
}

/** Nothing of a volume whose members have never changed. */
function tellMembers(seen: SeenVolume, { state, message }: MembershipDecision): readonly Claim[] {
  const isTold = seen.status.conditions?.some((condition) => condition.type === 'Settled') === true;
  if (state === 'Settled' && !isTold) return [];
  return [claim('Settled', state === 'Settled' ? 'True' : 'False', state, message)];
}

function decidePlacement(seen: SeenVolume): VolumeDecision {
  const outcome = seen.place();
  if (!outcome.ok) {
    return {
      ...NOTHING,
      status: { phase: 'Pending', reasons: [...outcome.reasons] },
      claims: notReady('NoPlaceForCopies', outcome.message),
    };
  }
  const placement = [...outcome.placement];
  const anchor = moveAnchor({ ...seen, status: { ...seen.status } }, placement);
  return {
    ...NOTHING,
    // Copies are made in the next pass, when the placement is known to be stored.
    status: { ...anchor, phase: 'Creating', placement, reasons: [...outcome.reasons] },
    claims: notReady('Placed', `placed on ${placement.map((placed) => placed.node).join(', ')}`),
  };
}

function decideDeletion(seen: SeenVolume): VolumeDecision {
  if (seen.attachments.length > 0) return decideInUse(seen);
  const placement = seen.status.placement ?? [];
  if (placement.length === 0 && seen.copies.length === 0) {
    return { ...NOTHING, status: { phase: 'Deleting' }, claims: [], isGone: true };
  }
  const away = membersAway(seen, placement);
  if (away.length > 0) return decideHeldUp(seen, placement, away);
  const anchored = moveAnchor(seen, placement);
  const status: ControllerStatus = { ...anchored, phase: 'Deleting' };
  if (seen.status.engine?.state !== 'Removed' && !areNodesGone(seen, placement)) {
    const message = `waits for ${anchored.anchor ?? 'a member node'} to remove it from the engine`;
    const next = adviseAway(seen, anchored.anchor === undefined ? [] : [anchored.anchor]);
    return { ...NOTHING, status, claims: notReady('RemovingFromEngine', message + next) };
  }
  if (seen.copies.length === 0) return { ...NOTHING, status, claims: [], isGone: true };

  const remaining = seen.copies.map((copy) => {
    const away = seen.usableNodes.has(copy.node) ? '' : ' (not reachable)';
    return `${copy.node}${away}`;
  });
  const message = `waits for the copies on ${remaining.toSorted().join(', ')} to be removed`;
  const next = adviseAway(
    seen,
    seen.copies.map((copy) => copy.node),
  );
  return {
    ...NOTHING,
    status,
    claims: notReady('RemovingCopies', message + next),
    releaseCopies: seen.copies.filter((copy) => !copy.isReleased).map((copy) => copy.name),
  };
}

/** Nodes without which the engine would begin to remove the volume, and not end it: of its copies, also of one that leaves. */
function membersAway(seen: SeenVolume, placement: readonly PlacedCopy[]): readonly string[] {
  const { status, membership, usableNodes, copies } = seen;
  if (status.phase === 'Deleting' || status.engine?.state !== 'Started' || membership === undefined) return [];
  if (isHolding(status)) return [];
  const nodes = new Set([...placement, ...copies.filter((copy) => !copy.isReleased)].map(({ node }) => node));
  const away = [...nodes].filter((node) => !usableNodes.has(node));
  return away.length === nodes.size ? [] : away;
}

/**
 * To be deleted, and a member is away: the engine removes no volume that one of its machines would not hear of. As long as
 * nothing of it is removed its members can change, so that one that is gone for good can be given up like any other.
 */
function decideHeldUp(seen: SeenVolume, placement: readonly PlacedCopy[], away: readonly string[]): VolumeDecision {
  const decision = decidePlaced(seen, placement);
  const message = `to be deleted as soon as ${away.toSorted().join(', ')} can be told${adviseAway(seen, away)}`;
  const others = decision.claims.filter((each) => each.type !== 'Ready');
  return { ...decision, claims: [claim('Ready', 'False', 'RemovingFromEngine', message), ...others] };
}

/**
 * Every node that had a part of it was given up (`holdfast node replace`): nobody is left to ask, and nothing to lose. The
 * engine forgets the volume with the last of them.
 */
function areNodesGone({ knownNodes, copies }: SeenVolume, placement: readonly PlacedCopy[]): boolean {
  if (knownNodes === undefined) return false;
  return [...placement, ...copies].every(({ node }) => !knownNodes.has(node));
}

function adviseAway({ usableNodes }: SeenVolume, nodes: readonly string[]): string {
  const [away] = nodes.filter((node) => !usableNodes.has(node)).toSorted();
  return away === undefined ? '' : `; bring ${away} back, or, if it is gone for good: holdfast node replace ${away}`;
}

/** To be deleted, but somebody has it mounted: until the last mount is gone it is looked after like any other. */
function decideInUse(seen: SeenVolume): VolumeDecision {
  const where = seen.attachments.map((attachment) => attachment.node).toSorted();
  const message = `to be deleted, but mounted on ${where.join(', ')}; it goes when the last mount does`;
  const inUse = claim('Ready', 'False', 'InUse', message);
  const placement = seen.status.placement ?? [];
  if (placement.length === 0) return { ...NOTHING, status: {}, claims: [inUse] };
  const anchored = moveAnchor(seen, placement);
  // Once begun, the removal goes on: a mount that is asked for now comes too late.
  if (seen.status.phase === 'Deleting') return { ...NOTHING, status: anchored, claims: [inUse] };
  const { status, claims } = judgeHealth(seen, membersOf(seen, placement), anchored);
  return { ...NOTHING, status, claims: [inUse, ...claims.filter((each) => each.type !== 'Ready')] };
}

/** Keeps the anchor while its node is usable; else names another member and raises the epoch. */
function moveAnchor(seen: SeenVolume, placement: readonly PlacedCopy[]): Pick<VolumeStatus, 'anchor' | 'epoch'> {
  const { anchor, epoch = 0 } = seen.status;
  const members = placement.map((placed) => placed.node);
  const isFenced = (node: string) => seen.fencedNodes?.has(node) === true;
  const isUsable = (node: string) => seen.usableNodes.has(node);
  const isKept = anchor !== undefined && members.includes(anchor) && isUsable(anchor);
  const hasBetter = members.some((node) => isUsable(node) && !isFenced(node));
  if (isKept && !(isFenced(anchor) && hasBetter)) return { anchor, epoch };
  // Settled data members first: an arbiter's node, the smallest machine as a rule, does the work only when it must, and so
  // does one that the engine may know nothing of the volume on yet.
  const reluctance = (placed: PlacedCopy) =>
    Number(isFenced(placed.node)) * 4 + Number(isMarked(placed)) * 2 + Number(placed.role === 'arbiter');
  // Volumes on the same nodes begin with different ones: else one agent and one glusterd would do the work for all.
  const first = spread(seen.uid) % Math.max(1, placement.length);
  const inTurn = [...placement.slice(first), ...placement.slice(0, first)];
  const byPreference = inTurn.toSorted((a, b) => reluctance(a) - reluctance(b));
  const next = byPreference.map((placed) => placed.node).find(isUsable);
  if (next === undefined) return anchor === undefined ? { epoch } : { anchor, epoch };
  return { anchor: next, epoch: epoch + 1 };
}
