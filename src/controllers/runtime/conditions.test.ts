import { describe, expect, it } from 'vitest';
import { setCondition } from './conditions.ts';

const BEFORE = Date.UTC(2026, 0, 1, 10, 0, 0, 999);
const LATER = BEFORE + 60_000;
const ready = { type: 'Ready', status: 'True', reason: 'AllCopiesReady', message: '3 of 3 copies' } as const;

describe('setCondition', () => {
  it('adds one with the time of now, in whole seconds', () => {
    expect(setCondition(undefined, ready, BEFORE)).toEqual([{ ...ready, lastTransitionTime: '2026-01-01T10:00:00Z' }]);
  });

  it('gives the very same list when nothing changed', () => {
    const list = setCondition([], ready, BEFORE);
    expect(setCondition(list, ready, LATER)).toBe(list);
  });

  it('keeps the time while the status stays, although reason and message change', () => {
    const list = setCondition(setCondition([], ready, BEFORE), { ...ready, reason: 'Other', message: 'x' }, LATER);
    expect(list).toMatchObject([{ reason: 'Other', lastTransitionTime: '2026-01-01T10:00:00Z' }]);
  });

  it('moves the time with the status, and leaves the other conditions in their places', () => {
    const other = { ...ready, type: 'Redundant' } as const;
    const list = setCondition(setCondition([], ready, BEFORE), other, BEFORE);
    const after = setCondition(list, { ...ready, status: 'False' }, LATER);
    expect(after.map(({ type, lastTransitionTime }) => [type, lastTransitionTime])).toEqual([
      ['Ready', '2026-01-01T10:01:00Z'],
      ['Redundant', '2026-01-01T10:00:00Z'],
    ]);
    expect(after.map(({ status }) => status)).toEqual(['False', 'True']);
  });
});
