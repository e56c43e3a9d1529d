/**
 * What the controller does about the size of a placed volume. Pure: the same input always gives the same decision.
 *
 * A growth is granted as a whole or not at all: only when every copy has room is the new size stored as granted, and only
 * what is stored as granted reaches the copies. From then on its room counts as taken, so a controller that dies in between
 * goes on where it stopped. The volume has its new size when every copy was seen to have it.
 *
 * Invariant: nothing here ever becomes smaller (property: `decide-sizes.prop.test.ts`).
 */
import { describeBytes, parseQuantity } from '../bytes.ts';
import { type Claim, claim } from '../claim.ts';

export interface SizedCopy {
  readonly name: string;
  readonly node: string;
  /** Usable bytes asked of it. */
  readonly sizeBytes: number;
  /** Usable bytes that its node saw it to have. */
  readonly seenBytes?: number;
  /** Why it does not get on, in the agent's words. */
  readonly message?: string;
  readonly isReachable: boolean;
}

export interface SeenSizes {
  /** As in the spec. */
  readonly wanted: string;
  /** As stored; undefined in a volume that was placed before sizes were granted. */
  readonly granted?: string;
  /** The size that held before. */
  readonly size?: string;
  readonly copies: readonly SizedCopy[];
  /** Bytes that a copy needs in a volume of that size. */
  readonly bytesOf: (copy: SizedCopy, size: string) => number;
  /** Where the engine itself enforces a limit: the one seen last, 0 for none. Undefined where it enforces none. */
  readonly limitBytes?: number;
  /** Asked only for a growth: why there is no room for it, one line per place; none when there is. */
  readonly findFaults: () => readonly string[];
  /** The condition Sized is there already. */
  readonly isTold: boolean;
}

export interface SizeDecision {
  readonly status: { readonly grantedSize?: string; readonly size?: string };
  readonly claims: readonly Claim[];
  readonly growCopies: readonly { readonly name: string; readonly sizeBytes: number }[];
  /** The size asked for finds no room now. */
  readonly isRefused: boolean;
}

/** Decides the next step about the sizes of one placed volume. */
export function decideSizes(seen: SeenSizes): SizeDecision {
  const { wanted, granted } = seen;
  const isGrowth = granted === undefined || parseQuantity(wanted) > parseQuantity(granted);
  if (!isGrowth) return carryOut(seen, granted);
  const faults = seen.findFaults();
  // The copies are asked in the next pass, when the grant is known to be stored.
  if (faults.length === 0) {
    const message = `there is room for ${describe(wanted)} on every copy`;
    return { ...NOTHING, status: { grantedSize: wanted }, claims: tell(seen, 'False', 'Growing', message) };
  }
  const before = granted === undefined ? NOTHING : carryOut(seen, granted);
  const message = `there is no room for ${describe(wanted)}, so no copy grows: ${faults.join('; ')}`;
  return { ...before, claims: [claim('Sized', 'False', 'NoRoomToGrow', message)], isRefused: true };
}

const NOTHING = { status: {}, claims: [], growCopies: [], isRefused: false } as const;

function carryOut(seen: SeenSizes, granted: string): SizeDecision {
  const { copies, limitBytes, size } = seen;
  const growCopies = copies.flatMap((copy) => {
    const sizeBytes = seen.bytesOf(copy, granted);
    return copy.sizeBytes < sizeBytes ? [{ name: copy.name, sizeBytes }] : [];
  });
  const isDone = (copy: SizedCopy) => (copy.seenBytes ?? 0) >= seen.bytesOf(copy, granted);
  const waiting = copies.filter((copy) => !isDone(copy));
  const isLimited = limitBytes !== undefined && limitBytes < parseQuantity(granted);
  if (copies.length > 0 && waiting.length === 0 && !isLimited) {
    const claims = tell(seen, 'True', 'AsAskedFor', `every copy has ${describe(granted)}`);
    return { ...NOTHING, status: { size: granted }, claims };
  }
  // A volume that is being made, or a copy that is, is told of by the condition Ready.
  if (size === undefined || parseQuantity(size) === parseQuantity(granted)) return { ...NOTHING, growCopies };
  const done = copies.filter(isDone).map((copy) => copy.node);
  const message = describeGrowth({ granted, done, waiting, isLimited });
  return { ...NOTHING, growCopies, claims: [claim('Sized', 'False', 'Growing', message)] };
}

interface Growth {
  readonly granted: string;
  readonly done: readonly string[];
  readonly waiting: readonly SizedCopy[];
  readonly isLimited: boolean;
}

function describeGrowth({ granted, done, waiting, isLimited }: Growth): string {
  const on = done.length === 0 ? '' : ` (${done.toSorted().join(', ')})`;
  const parts = [`${done.length} of ${done.length + waiting.length} copies have ${describe(granted)}${on}`];
  for (const { node, message, isReachable } of waiting) {
    parts.push(`${node}: ${message ?? (isReachable ? 'grows' : 'node not reachable')}`);
  }
  if (isLimited && waiting.length === 0) parts.push('the limit of the engine is raised next');
  return parts.join('; ');
}

/** Of a volume that never grew nobody needs to hear that its size is right. */
function tell(seen: SeenSizes, status: Claim['status'], reason: string, message: string): readonly Claim[] {
  return seen.isTold || (status === 'False' && seen.size !== undefined)
    ? [claim('Sized', status, reason, message)]
    : [];
}

function describe(size: string): string {
  return describeBytes(parseQuantity(size));
}
