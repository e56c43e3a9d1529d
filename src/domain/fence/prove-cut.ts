/**
 * When is a node cut off from a copy? Pure. A brick takes new options from its daemon by itself, some ms after the command
 * that set them has answered, and works off what a client had asked before although its connection is gone: a write that
 * waited for a disk reached it after the client was cut off (GlusterFS 10.3, docs/adr/0021). So one look is no proof:
 *
 * Invariant: a copy is proven only when looks over {@link SETTLE_MS} and more found no connection of the node, and when
 * after that time no call is pending any more that was pending at its end (property: `prove-cut.prop.test.ts`).
 */

/** Measured: a brick obeyed at the latest 20 ms after the command had answered. */
export const SETTLE_MS = 1_000;

/** One look at a brick, later than the engine was told to refuse the node. */
export interface BrickLook {
  /** Name of the VolumeCopy. */
  readonly copy: string;
  /** The brick's process answered; nothing follows from one that did not. */
  readonly isAnswering: boolean;
  /** Addresses that it has connections of. */
  readonly clients: readonly string[];
  /** What it was working on, by marks that two looks can be compared by. Looked at after the connections. */
  readonly calls: readonly string[];
}

/** What was found so far of a copy that is not proven yet. */
export interface CutWatch {
  /** Of the first look without a connection, in ms of the clock that only goes forward. */
  readonly since: number;
  /** Pending at the first look after {@link SETTLE_MS}, and ever since; undefined before that look. */
  readonly calls: readonly string[] | undefined;
}

export interface CutState {
  /** Proven copies, and since when. */
  readonly proven: Readonly<Record<string, string>>;
  readonly watched: Readonly<Record<string, CutWatch>>;
}

export interface CutLook {
  /** Addresses of the fenced node. */
  readonly addresses: readonly string[];
  readonly bricks: readonly BrickLook[];
  /** When the look began, on the clock that only goes forward. */
  readonly at: number;
  /** When it began, for people. */
  readonly time: string;
}

/** What a look adds to what was known. Of a copy that did not answer everything stays as it was. */
export function proveCut(before: CutState, look: CutLook): CutState {
  const proven: Record<string, string> = { ...before.proven };
  const watched: Record<string, CutWatch> = { ...before.watched };
  for (const brick of look.bricks) {
    if (!brick.isAnswering) continue;
    const { copy } = brick;
    if (brick.clients.some((client) => look.addresses.includes(client))) {
      delete proven[copy];
      delete watched[copy];
      continue;
    }
    if (proven[copy] !== undefined) continue;
    const watch = watchOn(watched[copy], brick, look.at);
    if (watch.calls?.length === 0) {
      delete watched[copy];
      proven[copy] = look.time;
    } else {
      watched[copy] = watch;
    }
  }
  return { proven, watched };
}

function watchOn(before: CutWatch | undefined, { calls }: BrickLook, at: number): CutWatch {
  const since = before?.since ?? at;
  // Whatever was asked for before the brick obeyed is among these.
  if (before?.calls === undefined) return { since, calls: at - since < SETTLE_MS ? undefined : calls };
  return { since, calls: before.calls.filter((call) => calls.includes(call)) };
}
