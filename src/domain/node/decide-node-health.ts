/** Is a node there? Decided from its heartbeat alone; nothing is fenced or moved by this, only anchors avoid the node. */
import { type Claim, claim } from '../claim.ts';

/** Agents renew their Lease this often. */
export const HEARTBEAT_PERIOD_MS = 1_000;
/** Silence after which a node is suspect (DESIGN: 3 s). */
export const HEARTBEAT_TIMEOUT_MS = 3_000;

/** Reason of the condition of a node that fell silent. */
export const HEARTBEAT_LOST = 'HeartbeatLost';

export interface NodeHeartbeat {
  /** How long ago this controller saw the heartbeat change, by its own clock; undefined when it never did. */
  readonly silenceMs: number | undefined;
  readonly hasReported: boolean;
  /** It was called lost, perhaps by the controller before this one. */
  readonly wasLost: boolean;
  /** This controller saw the heartbeat change: the agent lives, or did since this controller began. */
  readonly hasBeaten: boolean;
}

/**
 * Decides the condition Ready of one StorageNode.
 *
 * Invariant: a node that was called lost is not called anything better before its heartbeat was seen to change. What is trusted
 * for that is our own status and a change of the Lease, never the time in the Lease: that is of the node's clock.
 */
export function decideNodeHealth(seen: NodeHeartbeat): Claim {
  if (seen.silenceMs === undefined) {
    return claim('Ready', 'Unknown', 'NeverSeen', 'no heartbeat from the agent of this node yet');
  }
  if (seen.silenceMs >= HEARTBEAT_TIMEOUT_MS || (seen.wasLost && !seen.hasBeaten)) {
    const limit = HEARTBEAT_TIMEOUT_MS / 1000;
    return claim('Ready', 'Unknown', HEARTBEAT_LOST, `no heartbeat for more than ${limit} s`);
  }
  if (!seen.hasReported) return claim('Ready', 'False', 'NotReported', 'the agent runs but has not reported yet');
  return claim('Ready', 'True', 'HeartbeatFresh', 'the agent of this node reports');
}
