import { describe, expect, it } from 'vitest';
import { decideNodeHealth, HEARTBEAT_TIMEOUT_MS } from './decide-node-health.ts';

const living = { silenceMs: 0, hasReported: true, wasLost: false, hasBeaten: true };

describe('decideNodeHealth', () => {
  it.each([
    [{ silenceMs: undefined, hasReported: false }, 'Unknown', 'NeverSeen'],
    [{ hasReported: false }, 'False', 'NotReported'],
    [{ silenceMs: HEARTBEAT_TIMEOUT_MS - 1 }, 'True', 'HeartbeatFresh'],
    [{ silenceMs: HEARTBEAT_TIMEOUT_MS }, 'Unknown', 'HeartbeatLost'],
    [{ wasLost: true, hasBeaten: false }, 'Unknown', 'HeartbeatLost'],
    [{ wasLost: true }, 'True', 'HeartbeatFresh'],
    [{ hasBeaten: false }, 'True', 'HeartbeatFresh'],
  ] as const)('%j is %s %s', (seen, status, reason) => {
    expect(decideNodeHealth({ ...living, ...seen })).toMatchObject({ type: 'Ready', status, reason });
  });

  it('does not change its message from second to second, so that nothing is written while nothing happens', () => {
    const first = decideNodeHealth({ ...living, silenceMs: 4_000 });
    expect(decideNodeHealth({ ...living, silenceMs: 90_000 })).toEqual(first);
    expect(decideNodeHealth({ ...living, wasLost: true, hasBeaten: false })).toEqual(first);
  });
});
