/** Which node's agent joins the others to the engine's own cluster (GlusterFS: the trusted pool). */

export interface AnchorCandidate {
  readonly name: string;
  /** Its heartbeat is fresh and its engine runs. */
  readonly isUsable: boolean;
}

export type AnchorDecision =
  | { readonly ok: true; readonly anchor: string }
  | { readonly ok: false; readonly reason: string };

/**
 * Keeps the anchor while it is usable; else takes the first usable member of the pool that exists already.
 *
 * Never an outsider once a pool has been begun, be it by one node alone: GlusterFS refuses to join a node that belongs
 * to another pool or holds volumes ("either already part of another cluster or having volumes configured"), and what
 * the lost anchor has joined or made without living to report it would stay apart for ever. If the node that began the
 * pool never comes back, taking it out of the cluster's nodes lets another begin anew.
 *
 * @param established - the node that began or last saw the pool, and the members that it saw, connected or not
 */
export function decideAnchor(
  candidates: readonly AnchorCandidate[],
  current: string | undefined,
  established: readonly string[],
): AnchorDecision {
  const usable = candidates.filter((candidate) => candidate.isUsable).map((candidate) => candidate.name);
  if (current !== undefined && usable.includes(current)) return { ok: true, anchor: current };

  const members = established.filter((name) => candidates.some((candidate) => candidate.name === name));
  const hasPool = members.length > 0;
  const eligible = hasPool ? usable.filter((name) => members.includes(name)) : usable;
  const first = eligible.toSorted()[0];
  if (first !== undefined) return { ok: true, anchor: first };
  return {
    ok: false,
    reason: hasPool
      ? `none of the pool's members is reachable: ${members.join(', ')}`
      : 'no node has a running engine yet',
  };
}
