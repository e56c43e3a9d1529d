/** Promises about placement and about who may act for a volume. */
import { engineNameOf } from '../../src/domain/volume/engine-name.ts';
import { setRoles } from '../../src/domain/volume/replica-sets.ts';
import type { GlusterStep } from '../../src/engines/gluster/steps.ts';
import type { Resource } from '../../src/ports/resource-client.ts';
import type { Check, CheckContext } from './invariants.ts';
import { volumeCalled } from './truth.ts';
import type { SimProcess } from './world.ts';

type StoredVolume = Resource<'Volume'>;
type VolumeStatus = NonNullable<StoredVolume['status']>;
type Placement = NonNullable<VolumeStatus['placement']>;

const VOLUME_STEPS: ReadonlySet<GlusterStep['step']> = new Set([
  'createVolume',
  'setOptions',
  'startVolume',
  'limitVolume',
  'startBricks',
  'healVolume',
  'replaceBrick',
  'addBrick',
  'removeBrick',
  'stopVolume',
  'deleteVolume',
]);

/**
 * One anchor per epoch, each move raises the epoch by one, only the anchor acts; a placement stays as it is, has no two
 * copies on a node, and a volume does not go before its copies, nor is it called removed before it is to go.
 */
export function createVolumeCheck({ world, gluster, seen, report }: CheckContext): Check {
  const anchors = new Map<string, string>();
  const movedAt = new Map<string, number>();
  /** Somebody has asked for other members: of a node that is drained, of a copy, of a volume. */
  let mayMove = false;

  const checkAnchor = ({ metadata, spec, status }: StoredVolume): void => {
    const { anchor, epoch = 0, placement = [] } = status ?? {};
    if (anchor === undefined) return;
    const key = `${metadata.name} (${metadata.uid}) in epoch ${epoch}`;
    const known = anchors.get(key) ?? anchor;
    if (known !== anchor) report(`${known} and ${anchor} are both anchor of ${key}`);
    anchors.set(key, anchor);
    // A share has no copies.
    if (spec.share !== undefined || placement.some((placed) => placed.node === anchor)) return;
    report(`${anchor} is anchor of ${metadata.name} and holds no copy of it`);
  };

  const checkEpoch = (name: string, old: VolumeStatus, now: VolumeStatus): void => {
    // Whether a copy is asked for any more: only a report from then on may count.
    const isWithdrawing = withdrawnOf(old).join() !== withdrawnOf(now).join();
    const isEpochKept = old.anchor === now.anchor && !isExchange(old, now) && !isWithdrawing;
    const expected = (old.epoch ?? 0) + (isEpochKept ? 0 : 1);
    if ((now.epoch ?? 0) === expected) return;
    // Taken in all the same, by what a dead agent had asked: it is a member, and nothing rests on its absence; another may replace it.
    const isTakenUp = withdrawnOf(old).some((copy) =>
      now.placement?.some((placed) => placed.copy === copy || placed.replaces === copy),
    );
    if (isWithdrawing && isTakenUp && now.epoch === old.epoch) return;
    report(`the epoch of ${name} went from ${old.epoch} to ${now.epoch}, its anchor from ${old.anchor}`);
  };

  const checkChange = (before: StoredVolume, after: StoredVolume): void => {
    const { name } = after.metadata;
    const [old, now] = [before.status ?? {}, after.status ?? {}];
    checkEpoch(name, old, now);
    if (isExchange(old, now)) return checkExchange(name, now.placement ?? []);
    if (old.placement !== undefined) checkPlacement(name, old.placement, now.placement ?? []);
  };

  /** All copies at once, for those of a snapshot: nobody uses the old ones, and the new ones are there. */
  const checkExchange = (name: string, now: Placement): void => {
    if (gluster.state.volumes.has(name)) report(`${name} gets other copies while the engine holds it`);
    const unready = now.filter((placed) => seen.VolumeCopy.get(placed.copy)?.status?.path === undefined);
    if (unready.length > 0) report(`${name} gets copies that are not made: ${unready.map(({ copy }) => copy).join()}`);
  };

  /** Unless a change is asked for it stays; then copies come and go one at a time, and those that stay keep their place. */
  const checkPlacement = (name: string, old: Placement, now: Placement): void => {
    const isMoved = JSON.stringify(old) !== JSON.stringify(now);
    if (isMoved && !mayMove) report(`the placement of ${name} changed`);
    const without = (all: Placement, other: Placement) =>
      all.filter((placed) => !other.some((each) => each.copy === placed.copy));
    const [gone, come] = [without(old, now), without(now, old)];
    if (gone.length > 1 || come.length > 1) report(`more than one copy of ${name} changed at once`);
    // What the engine has already is only being filled.
    const held = gluster.state.volumes.get(name)?.bricks ?? [];
    const isHeld = ({ copy }: Placement[number]) =>
      held.some(({ path }) => path === seen.VolumeCopy.get(copy)?.status?.path);
    const asked = now.filter(
      (placed) => placed.isLeaving ?? ((placed.replaces ?? placed.isJoining) && !isHeld(placed)),
    );
    if (asked.length > 1) report(`two changes of ${name} are under way`);
  };

  const checkGone = (volume: StoredVolume): void => {
    const { name, uid } = volume.metadata;
    const { adopted } = volume.spec;
    for (const copy of seen.VolumeCopy.values()) {
      if (copy.spec.volumeUid === uid) report(`${name} is gone before its copy ${copy.metadata.name}`);
    }
    const isForgotten = adopted !== undefined && adopted.isRemovedFromEngine !== true;
    const found = gluster.state.volumes.get(engineNameOf(volume));
    // Others may have made it of the same name.
    const isIts = adopted === undefined || found?.id === adopted.engineId;
    // On machines that are no nodes any more there is nobody to ask.
    const isHeld = found?.bricks.some((brick) => seen.StorageNode.has(brick.node)) === true;
    if (isHeld && isIts && !isForgotten) report(`${name} is gone but the engine holds it`);
  };

  const checkSiblings = (copy: Resource<'VolumeCopy'>): void => {
    const { volume, volumeUid, node } = copy.spec;
    const owner = seen.Volume.get(volume);
    // One that is on its way out may be beside its successor; that no two are placed so is checked of the placement.
    if (mayMove) return;
    for (const other of seen.VolumeCopy.values()) {
      const isSibling = other.spec.volumeUid === volumeUid && other.metadata.uid !== copy.metadata.uid;
      const isSameSet = setOf(owner, other) === setOf(owner, copy);
      if (isSibling && isSameSet && other.spec.node === node) report(`two copies of a set of ${volume} are on ${node}`);
    }
  };

  const checkRelease = (copy: Resource<'VolumeCopy'>): void => {
    const { volume, volumeUid, node, isReleased } = copy.spec;
    const owner = seen.Volume.get(volume);
    const isWanted = owner?.metadata.uid === volumeUid && owner.metadata.deletionTimestamp === undefined;
    const held = gluster.state.volumes.get(owner === undefined ? volume : engineNameOf(owner))?.bricks ?? [];
    const isNeeded = held.some((brick) => brick.node === node && brick.path === copy.status?.path);
    if (isReleased === true && isWanted && (isNeeded || !mayMove))
      report(`copy ${copy.metadata.name} is released while ${volume} is wanted`);
  };

  const checkState = ({ metadata, status }: StoredVolume): void => {
    const places = (status?.placement ?? []).map(({ node, set = 0 }) => `${set} ${node}`);
    if (new Set(places).size < places.length) {
      report(`two copies of a set of ${metadata.name} on one node: ${places.join()}`);
    }
    const isWanted = metadata.deletionTimestamp === undefined && status?.restore?.phase !== 'Removing';
    if (isWanted && status?.engine?.state === 'Removed') {
      report(`${metadata.name} is wanted and called removed by ${status.engine.observedBy}`);
    }
  };

  const onVolume = (before: StoredVolume | undefined, after: StoredVolume | undefined): void => {
    if (after === undefined) return before === undefined ? undefined : checkGone(before);
    if (before?.status?.anchor !== after.status?.anchor) movedAt.set(after.metadata.name, world.clock.monotonic());
    checkState(after);
    checkAnchor(after);
    if (before?.metadata.uid === after.metadata.uid) checkChange(before, after);
  };

  return {
    onChange: (kind, before, after) => {
      mayMove ||= asksToMove(kind, after);
      if (kind === 'Volume') onVolume(before as StoredVolume | undefined, after as StoredVolume | undefined);
      if (kind === 'VolumeCopy' && after !== undefined) {
        checkSiblings(after as Resource<'VolumeCopy'>);
        checkRelease(after as Resource<'VolumeCopy'>);
      }
    },
    onStep: (step: GlusterStep, process: SimProcess) => {
      if (!VOLUME_STEPS.has(step.step) || !('volume' in step)) return;
      const volume = volumeCalled(seen, step.volume);
      // Asking and acting are two things: an anchor that moved in this very instant was asked before.
      if (movedAt.get(volume?.metadata.name ?? '') === world.clock.monotonic()) return;
      const anchor = volume?.status?.anchor;
      if (process.name !== `agent ${anchor}`) report(`${process.name} does ${step.step}, but the anchor is ${anchor}`);
    },
  };
}

/** Its copies make way for those of a snapshot, all at once. */
function isExchange(old: VolumeStatus, now: VolumeStatus): boolean {
  return old.restore?.phase === 'Removing' && now.restore?.phase === 'Starting';
}

function asksToMove(kind: string, after: unknown): boolean {
  if (after === undefined) return false;
  if (kind === 'StorageNode') return (after as Resource<'StorageNode'>).spec.isDraining === true;
  if (kind === 'VolumeCopy') return (after as Resource<'VolumeCopy'>).spec.replacement !== undefined;
  return kind === 'Volume' && (after as StoredVolume).metadata.generation > 1;
}

/** The set of a copy, by its place in the order of bricks. */
function setOf(owner: StoredVolume | undefined, { spec }: Resource<'VolumeCopy'>): number {
  return owner === undefined ? 0 : Math.floor(spec.index / setRoles(owner.spec).length);
}

function withdrawnOf({ placement = [] }: NonNullable<StoredVolume['status']>): readonly string[] {
  return placement
    .filter((placed) => placed.isWithdrawn === true)
    .map((placed) => (placed.isStaying === true ? `${placed.copy} stays` : placed.copy));
}
