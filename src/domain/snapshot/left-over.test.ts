import { expect, test } from 'vitest';
import type { Volume } from '../../schemas/volume.ts';
import { MADE_FOR_CLONE_LABEL, removableInMs } from './left-over.ts';

const MINUTE_MS = 60_000;
const metadata = { name: 's', uid: 'su', labels: { [MADE_FOR_CLONE_LABEL]: 'twin' } };
type Seen = Parameters<typeof removableInMs>[0];
const SNAPSHOT: Seen = { metadata, status: { phase: 'Ready' } };
const volume = (
  name: string,
  { isMade = false, ...rest }: { isMade?: boolean; deletionTimestamp?: string } = {},
): Volume => ({
  ...{ apiVersion: 'holdfast.dev/v1alpha1', kind: 'Volume', metadata: { name, ...rest } },
  spec: {
    ...{ size: '1Gi', engine: 'gluster', layout: 'single', pool: 'default', brick: 'image' },
    source: { snapshot: 's', snapshotUid: 'su' },
  },
  ...(isMade
    ? { status: { engine: { observedBy: 'n1', epoch: 1, state: 'Started', engineId: 'e', bricks: [] } } }
    : {}),
});
const inMs = (volumes: readonly Volume[], { after = 0, snapshot = SNAPSHOT } = {}) =>
  removableInMs(snapshot, { volumes, askedAt: 0, now: after });

test('one whose clone is made goes at once, one that a clone is being made from stays', () => {
  expect(inMs([volume('twin', { isMade: true })])).toBe(0);
  expect(inMs([volume('twin')])).toBeUndefined();
  expect(inMs([volume('twin', { isMade: true }), volume('other')])).toBeUndefined();
});

test('one without a clone, or with one that is just going, stays until no call can be under way any more', () => {
  for (const volumes of [[], [volume('twin', { isMade: true, deletionTimestamp: '2026-01-01T00:00:00Z' })]]) {
    expect(inMs(volumes)).toBe(15 * MINUTE_MS);
    expect(inMs(volumes, { after: 14 * MINUTE_MS })).toBe(MINUTE_MS);
    expect(inMs(volumes, { after: 60 * MINUTE_MS })).toBe(0);
  }
  expect(inMs([], { after: 60 * MINUTE_MS, snapshot: { metadata, status: { phase: 'Failed' } } })).toBe(0);
});

test('one that is being taken, or that nobody took for a clone, stays', () => {
  const after = 60 * MINUTE_MS;
  for (const snapshot of [
    { metadata, status: { phase: 'Freezing' } },
    { metadata },
    { metadata: { name: 'clone-for-twin', uid: 'su' }, status: { phase: 'Ready' } },
  ] as const) {
    expect(inMs([], { after, snapshot })).toBeUndefined();
  }
});
