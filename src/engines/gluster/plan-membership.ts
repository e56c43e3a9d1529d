/**
 * Which bricks a volume is made of: replaced, added and taken out, one brick at a time. Pure.
 *
 * The controller decides that a change is wanted from what it was told. The anchor begins it only when its own look, just
 * now, says the same: all that stays serves and, where it matters, has nothing to heal. A look that shows less plans nothing.
 */
import type { DesiredBrick, DesiredVolume, ObservedBrick, ObservedVolume } from '../../ports/engine.ts';
import type { BrickPlace, VolumeStep } from './steps.ts';

/**
 * True when the volume has exactly the wanted bricks, in their order; in the place of one that replaces another, either of
 * the two; with or without those that are to join or to leave. Anything else is a volume that somebody else has made.
 */
export function isMadeOf(wanted: readonly DesiredBrick[], found: readonly ObservedBrick[]): boolean {
  const optional = wanted.filter((brick) => brick.isJoining === true || brick.isLeaving === true);
  const expected = wanted.filter((brick) => !optional.includes(brick) || findBrick(found, brick) !== undefined);
  if (expected.length !== found.length) return false;
  return expected.every((brick, at) => {
    const other = found[at];
    if (other === undefined) return false;
    return isSame(brick, other) || (brick.replaces !== undefined && isSame(brick.replaces, other));
  });
}

/** Plans the one change that can be made now; none when nothing is to change, or what is seen does not allow it. */
export function planMembership(desired: DesiredVolume, observed: ObservedVolume): readonly VolumeStep[] {
  for (const brick of desired.bricks) {
    if (brick.isWithdrawn === true) continue;
    const isThere = findBrick(observed.bricks, brick) !== undefined;
    const step =
      brick.isLeaving === true
        ? isThere && planRemoval(desired, observed, brick)
        : !isThere &&
          (brick.replaces === undefined
            ? planAddition(desired, observed, brick)
            : planReplacement(desired, observed, brick));
    if (!step) continue;
    return step.step === 'addBrick' && step.bricks === 2 ? [step, holdHeal(step.volume)] : [step];
  }
  return [];
}

function planReplacement(
  desired: DesiredVolume,
  observed: ObservedVolume,
  brick: DesiredBrick,
): VolumeStep | undefined {
  const volume = desired.name;
  const old = brick.replaces === undefined ? undefined : findBrick(observed.bricks, brick.replaces);
  if (old === undefined) return undefined;
  const others = setOf(desired, observed, old).filter((other) => other !== old);
  if (others.length === 0 || !others.every((other) => other.isReadable && hasNoSplit(other))) return undefined;
  // While the old one serves, everything has to be the same; of one that is lost that cannot be known.
  if (old.isReadable && !observed.bricks.every(hasNothingToHeal)) return undefined;
  const about = `put ${brick.node}:${brick.path} in the place of ${old.node}:${old.path} in ${volume}`;
  return { step: 'replaceBrick', volume, old: place(old), brick: bare(brick), about };
}

function planAddition(desired: DesiredVolume, observed: ObservedVolume, brick: DesiredBrick): VolumeStep | undefined {
  const { bricks } = observed;
  if (brick.isJoining !== true || !mayBegin(observed)) return undefined;
  if (bricks.length > 1 && !isHealHeld(observed)) return undefined;
  const about = `add ${brick.node}:${brick.path}${brick.isArbiter ? ' (arbiter)' : ''} to ${desired.name}`;
  return { step: 'addBrick', volume: desired.name, bricks: bricks.length + 1, brick: bare(brick), about };
}

/** Never the last brick, and only while all that stay are known to hold everything. */
function planRemoval(desired: DesiredVolume, observed: ObservedVolume, brick: DesiredBrick): VolumeStep | undefined {
  const { bricks } = observed;
  const holdsData = (other: ObservedBrick) =>
    desired.bricks.some((wanted) => isSame(wanted, other) && !wanted.isArbiter && wanted.isLeaving !== true);
  if (bricks.length < 2 || !bricks.every((other) => other.isReadable && hasNothingToHeal(other))) return undefined;
  if (!bricks.some(holdsData)) return undefined;
  if (bricks.length === 2 && !demandsBoth(observed)) return undefined;
  const about = `take ${brick.node}:${brick.path} out of ${desired.name}`;
  return { step: 'removeBrick', volume: desired.name, bricks: bricks.length - 1, brick: place(brick), about };
}

/**
 * Before one of two copies is taken out, both are needed for every write: with the quorum that two have otherwise the
 * first alone takes writes, and were it the one that goes, what the other misses in this moment would be gone. Set in one
 * pass, seen in the next one's look together with both copies serving and the same; as soon as a look shows less, the
 * usual quorum is back. A volume of one brick has no such option, so nobody is refused afterwards.
 */
export function guardOptions(desired: DesiredVolume, { bricks }: ObservedVolume): Readonly<Record<string, string>> {
  const leaves = desired.bricks.some(
    (brick) => brick.isLeaving === true && brick.isWithdrawn !== true && findBrick(bricks, brick) !== undefined,
  );
  if (!leaves || bricks.length !== 2) return {};
  if (!bricks.every((brick) => brick.isReadable && hasNothingToHeal(brick))) return {};
  return { 'cluster.quorum-type': 'fixed', 'cluster.quorum-count': '2' };
}

const HEAL = 'cluster.self-heal-daemon';

/**
 * Nothing is healed from before a brick is added until every mount works with it. A client that has not taken up the new
 * volume file yet writes to the old bricks only, and leaves no mark about the new one: what was healed by then would lack
 * that write for ever. Not yet healed, it is copied with everything else.
 */
export function fillOptions(desired: DesiredVolume, observed: ObservedVolume): Readonly<Record<string, string>> {
  if (desired.adopted !== undefined) return {};
  const joining = desired.bricks.find((brick) => brick.isJoining === true);
  const isHeld = observed.options[HEAL] === 'off';
  const isThere = joining !== undefined && findBrick(observed.bricks, joining) !== undefined;
  const waits = isThere
    ? desired.areMountsBehind === true
    : joining !== undefined && joining.isWithdrawn !== true && mayBegin(observed);
  // A volume of one brick has no such option: it is set right after the brick is added (holdHeal).
  if (waits) return observed.bricks.length > 1 ? { [HEAL]: 'off' } : {};
  return isHeld ? { [HEAL]: 'on' } : {};
}

/** Right behind the addition of a second brick: the steps of one plan follow each other without a look. */
function holdHeal(volume: string): VolumeStep {
  return { step: 'setOptions', volume, options: { [HEAL]: 'off' }, about: `hold back the filling of ${volume}` };
}

function mayBegin({ bricks }: ObservedVolume): boolean {
  return bricks.every((brick) => brick.isReadable && isSound(brick, bricks.length));
}

/** True while nothing is to be healed: asking for it would be refused. */
export function isHealHeld({ options }: ObservedVolume): boolean {
  return options[HEAL] === 'off';
}

function demandsBoth({ options }: ObservedVolume): boolean {
  return options['cluster.quorum-type'] === 'fixed' && options['cluster.quorum-count'] === '2';
}

/** The bricks of the same replica set: consecutive ones. */
function setOf(
  { sets = 1 }: DesiredVolume,
  { bricks }: ObservedVolume,
  brick: ObservedBrick,
): readonly ObservedBrick[] {
  const size = bricks.length / sets;
  const set = Math.floor(bricks.indexOf(brick) / size);
  return bricks.slice(set * size, (set + 1) * size);
}

/** One copy alone has nobody to be healed from. */
function isSound(brick: ObservedBrick, count: number): boolean {
  return count === 1 || hasNothingToHeal(brick);
}

function hasNothingToHeal(brick: ObservedBrick): boolean {
  return brick.pendingHeals === 0 && hasNoSplit(brick);
}

function hasNoSplit({ splitBrainEntries = 0 }: ObservedBrick): boolean {
  return splitBrainEntries === 0;
}

function findBrick(bricks: readonly ObservedBrick[], wanted: BrickPlace): ObservedBrick | undefined {
  return bricks.find((brick) => isSame(brick, wanted));
}

function isSame(a: BrickPlace, b: BrickPlace): boolean {
  return a.node === b.node && a.path === b.path;
}

function place({ node, path }: BrickPlace): BrickPlace {
  return { node, path };
}

function bare({ node, path, isArbiter }: DesiredBrick): DesiredBrick {
  return { node, path, isArbiter };
}
