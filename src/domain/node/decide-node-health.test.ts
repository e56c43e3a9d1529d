import { describe, expect, it } from 'vitest';
import { decideNodeHealth, HEARTBEAT_TIMEOUT_MS } from './decide-node-health.ts';

describe('decideNodeHealth', () => {
  it.each([
    [{ silenceMs: undefined, hasReported: false }, 'Unknown', 'NeverSeen', undefined],
    [{ silenceMs: 0, hasReported: false }, 'False', 'NotReported', HEARTBEAT_TIMEOUT_MS],
    [{ silenceMs: 1000, hasReported: true }, 'True', 'HeartbeatFresh', HEARTBEAT_TIMEOUT_MS - 1000],
    [{ silenceMs: HEARTBEAT_TIMEOUT_MS, hasReported: true }, 'Unknown', 'HeartbeatLost', undefined],
  ] as const)('%j is %s %s', (seen, status, reason, requeueAfterMs) => {
    const decision = decideNodeHealth(seen);
    expect(decision.ready).toMatchObject({ type: 'Ready', status, reason });
    expect(decision.requeueAfterMs).toBe(requeueAfterMs);
  });

  it('does not change its message from second to second, so that nothing is written while nothing happens', () => {
    const first = decideNodeHealth({ silenceMs: 4_000, hasReported: true });
    expect(decideNodeHealth({ silenceMs: 90_000, hasReported: true })).toEqual(first);
  });
});
