import { describe, expect, it } from 'vitest';
import { decideNodeHealth, HEARTBEAT_TIMEOUT_MS } from './decide-node-health.ts';

describe('decideNodeHealth', () => {
  it.each([
    [{ silenceMs: undefined, hasReported: false }, 'Unknown', 'NeverSeen'],
    [{ silenceMs: 0, hasReported: false }, 'False', 'NotReported'],
    [{ silenceMs: HEARTBEAT_TIMEOUT_MS - 1, hasReported: true }, 'True', 'HeartbeatFresh'],
    [{ silenceMs: HEARTBEAT_TIMEOUT_MS, hasReported: true }, 'Unknown', 'HeartbeatLost'],
  ] as const)('%j is %s %s', (seen, status, reason) => {
    expect(decideNodeHealth(seen)).toMatchObject({ type: 'Ready', status, reason });
  });

  it('does not change its message from second to second, so that nothing is written while nothing happens', () => {
    const first = decideNodeHealth({ silenceMs: 4_000, hasReported: true });
    expect(decideNodeHealth({ silenceMs: 90_000, hasReported: true })).toEqual(first);
  });
});
