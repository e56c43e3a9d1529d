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
 * Never an outsider while a pool of several nodes exists: a node that probes members of another pool is refused
 * by GlusterFS ("already part of another cluster"), and two half pools would never join.
 *
 * @param established - nodes that the last anchor saw connected, itself included
 */
export function decideAnchor(
  candidates: readonly AnchorCandidate[],
  current: string | undefined,
  established: readonly string[],
): AnchorDecision {
  const usable = candidates.filter((candidate) => candidate.isUsable).map((candidate) => candidate.name);
  if (current !== undefined && usable.includes(current)) return { ok: true, anchor: current };

  const hasPool = established.length > 1;
  const eligible = hasPool ? usable.filter((name) => established.includes(name)) : usable;
  const first = eligible.toSorted()[0];
  if (first !== undefined) return { ok: true, anchor: first };
  return {
    ok: false,
    reason: hasPool
      ? `none of the pool's members is reachable: ${established.join(', ')}`
      : 'no node has a running engine yet',
  };
}
