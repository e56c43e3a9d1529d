import { describe, expect, it } from 'vitest';
import type { PlacedCopy, RestoreStatus, VolumeStatus } from '../../schemas/volume.ts';
import { asksForRestore, decideRestore, isHolding, type SeenRestore } from './decide-restore.ts';

const WISH = { snapshot: 's1', snapshotUid: 'u1', safetySnapshot: 'before' } as const;
const OLD: PlacedCopy[] = [{ copy: 'old', node: 'kube1', pool: 'default', role: 'data' }];
const NEW: PlacedCopy[] = [{ copy: 'new', node: 'kube2', pool: 'default', role: 'data', imageOf: 'c1' }];

const seen = (changes: Partial<SeenRestore> = {}): SeenRestore => ({
  wish: WISH,
  faults: () => [],
  place: () => ({ ok: true, placement: NEW }),
  snapshotFault: undefined,
  safety: undefined,
  attachedOn: [],
  isFrozen: false,
  ...changes,
});
const at = (phase: RestoreStatus['phase'], message = '...'): RestoreStatus => ({
  ...WISH,
  phase,
  message,
  placement: NEW,
});
const volume = (restore?: RestoreStatus, status: VolumeStatus = {}, copies = ['old', 'new']) => ({
  status: { placement: OLD, anchor: 'kube1', epoch: 1, ...(restore === undefined ? {} : { restore }), ...status },
  copies: copies.map((name) => ({ name, node: 'kube2', isReady: true, isReleased: false })),
  usableNodes: new Map([['kube2', 't1']]),
});
const ready = { isUsable: true, phase: 'Ready', message: '3 images taken' } as const;

describe('a restoration', () => {
  it.each([
    ['it is mounted', { attachedOn: ['kube3', 'kube1', 'kube3'] }, 'mounted on kube1, kube3'],
    ['its snapshot is no more', { snapshotFault: 'there is no such snapshot' }, 'there is no such snapshot'],
    ['it grows', { faults: () => ['the copy on kube1 is growing now'] }, 'growing now'],
    ['the name of the safety snapshot is taken', { safety: ready }, 'a snapshot before already'],
    ['there is no room', { place: () => ({ ok: false as const, message: 'kube1: full' }) }, 'kube1: full'],
  ])('waits, and touches nothing, while %s', (_, changes, message) => {
    const { restore, ...rest } = decideRestore(volume(), seen(changes));
    expect(restore).toMatchObject({ phase: 'Waiting', message: expect.stringContaining(message) });
    expect(rest).toEqual({});
  });

  it('goes back to waiting for a mount that was asked for in the last moment', () => {
    const { restore } = decideRestore(volume(at('Closing')), seen({ attachedOn: ['kube1'] }));
    expect(restore).toEqual({ ...WISH, phase: 'Waiting', message: 'mounted on kube1; unmount it there' });
  });

  it('makes its copies before it takes the safety snapshot, so that this one counts their room', () => {
    expect(decideRestore(volume(at('Saving'), {}, ['old']), seen())).toEqual({
      createCopies: [{ ...NEW[0], index: 0 }],
    });
    expect(decideRestore(volume(at('Saving')), seen())).toMatchObject({ takeSnapshot: 'before' });
  });

  it.each([
    ['taken back', { wish: undefined }],
    ['that cannot keep the present', { safety: { ...ready, phase: 'Failed' as const } }],
    ['whose safety snapshot somebody deletes', { safety: { ...ready, isUsable: false } }],
  ])('%s fails while the volume is as it was', (_, changes) => {
    const { restore } = decideRestore(volume(at('Saving')), seen(changes));
    expect(restore).toMatchObject({ phase: 'Failed', message: expect.stringContaining('the volume is as it was') });
    expect(restore?.placement).toBeUndefined();
  });

  it('waits for a snapshot that somebody else takes', () => {
    const decided = decideRestore(volume(at('Saving')), seen({ safety: ready, isFrozen: true }));
    expect(decided.restore).toMatchObject({ phase: 'Saving' });
  });

  it('goes to its end once the engine is told to let go, whatever becomes of the wish', () => {
    const engine = { observedBy: 'kube1', epoch: 1, state: 'Removed', bricks: [] } as const;
    const removed = volume(at('Removing'), { engine: { ...engine, bricks: [] } });
    const decided = decideRestore(removed, seen({ wish: undefined, snapshotFault: 'gone' }));
    expect(decided.restore?.phase).toBe('Starting');
    expect(decided.placement).toEqual([{ copy: 'new', node: 'kube2', pool: 'default', role: 'data' }]);
  });

  it('does not believe who was anchor before that the engine has let go', () => {
    const engine = { observedBy: 'kube1', epoch: 0, state: 'Removed' as const, bricks: [] };
    expect(decideRestore(volume(at('Removing'), { engine }), seen()).placement).toBeUndefined();
  });

  it('is done when the old copies are released', () => {
    const engine = { observedBy: 'kube1', epoch: 1, state: 'Started' as const, bricks: [] };
    const status = { engine, placement: NEW };
    expect(decideRestore(volume(at('Starting'), status), seen()).restore?.phase).toBe('Starting');
    const done = decideRestore(volume(at('Starting'), status, ['new']), seen()).restore;
    expect(done).toMatchObject({ phase: 'Done', message: 'holds snapshot s1; what it held before is snapshot before' });
  });

  it('is asked for once by each name of a safety snapshot', () => {
    expect(asksForRestore(WISH, { restore: at('Done') })).toBe(false);
    expect(asksForRestore({ ...WISH, safetySnapshot: 'other' }, { restore: at('Done') })).toBe(true);
    expect(asksForRestore(undefined, { restore: at('Saving') })).toBe(true);
    expect(isHolding({ restore: at('Starting') })).toBe(false);
  });
});
