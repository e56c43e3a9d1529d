import { describe, expect, it } from 'vitest';
import { Volume } from '../../schemas/volume.ts';
import { isAtRest } from './is-at-rest.ts';

const condition = (type: string, status: string, reason: string) => {
  return { type, status, reason, message: '', lastTransitionTime: '2026-01-01T00:00:00Z', observedGeneration: 2 };
};
const READY = condition('Ready', 'True', 'Served');
const REDUNDANT = condition('Redundant', 'True', 'AllCopiesCurrent');

function volume(status: object, { metadata = {}, spec = {} } = {}): Volume {
  return Volume.parse({
    ...{ apiVersion: 'holdfast.dev/v1alpha1', kind: 'Volume' },
    metadata: { name: 'gv0', generation: 2, ...metadata },
    spec: { size: '1Gi', ...spec },
    status: { phase: 'Ready', conditions: [READY, REDUNDANT], ...status },
  });
}

describe('a volume at rest', () => {
  it.each([
    ['is as it was asked for', {}],
    ['has settled after a change', { conditions: [READY, REDUNDANT, condition('Settled', 'True', 'Settled')] }],
    ['has one copy, as asked for', { conditions: [READY, condition('Redundant', 'False', 'SingleCopy')] }],
    ['needs all its copies, as asked for', { conditions: [READY, condition('Redundant', 'False', 'NoSpareCopy')] }],
  ])('%s', (_, status) => {
    expect(isAtRest(volume(status))).toBe(true);
  });

  it.each([
    ['was not looked at yet', { conditions: [] }],
    ['has a spec that was not looked at yet', { conditions: [{ ...READY, observedGeneration: 1 }, REDUNDANT] }],
    ['waits for a place', { phase: 'Pending' }],
    ['has lost a copy', { phase: 'Degraded', conditions: [READY, condition('Redundant', 'False', 'CopiesDown')] }],
    ['is being healed', { conditions: [READY, condition('Redundant', 'False', 'Healing')] }],
    ['finds no room to grow', { conditions: [READY, REDUNDANT, condition('Sized', 'False', 'NoRoomToGrow')] }],
    ['finds no place for a copy', { conditions: [READY, REDUNDANT, condition('Settled', 'False', 'Waiting')] }],
    ['could not be restored', { conditions: [READY, REDUNDANT, condition('Restored', 'False', 'RestoreFailed')] }],
  ])('is none that %s', (_, status) => {
    expect(isAtRest(volume(status))).toBe(false);
  });

  it('is none that is to go, nor a share, which any node may look after', () => {
    expect(isAtRest(volume({}, { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }))).toBe(false);
    const share = { server: 'nas', path: '/export' };
    expect(isAtRest(volume({}, { spec: { engine: 'nfs', layout: 'single', share } }))).toBe(false);
  });
});
