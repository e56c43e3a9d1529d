import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseEngineVolumeName } from '../../domain/names.ts';
import type { DesiredIdentity, ObservedIdentity } from '../../ports/engine.ts';
import { planIdentity } from './plan-identity.ts';

const DESIRED: DesiredIdentity = {
  ...{ subject: 'identity', self: 'kube3', id: 'old', blankId: 'new' },
  peers: [
    { node: 'kube1', id: 'p1' },
    { node: 'kube2', id: 'p2' },
  ],
  volumes: ['gv0', 'gv1'].map(parseEngineVolumeName),
};
const BLANK: ObservedIdentity = {
  ...{ subject: 'identity', id: 'new', isRunning: true, isBlank: true, isUnderWay: false },
  ...{ peerIds: [], volumes: [] },
};
const TAKEN: ObservedIdentity = { ...BLANK, id: 'old', isUnderWay: true };
const steps = (observed: ObservedIdentity, desired = DESIRED) =>
  planIdentity(desired, observed).map(({ step }) => step);

describe('planIdentity', () => {
  it.each([
    ['a blank glusterd takes the identity', BLANK, 'takeIdentity'],
    [
      'also when an earlier try was cut short before it',
      { ...BLANK, isRunning: false, isUnderWay: true },
      'takeIdentity',
    ],
    ['stopped while it learned, it begins anew', { ...TAKEN, isRunning: false, peerIds: ['p1'] }, 'learnAnew'],
    ['stopped after that, too', { ...TAKEN, isRunning: false, peerIds: ['p2', 'p1'] }, 'learnAnew'],
    ['started by others in between, it begins anew', { ...TAKEN, peerIds: ['p1'] }, 'learnAnew'],
    [
      'once it knows the volumes it is done',
      { ...TAKEN, peerIds: ['p1', 'p2'], volumes: ['gv1', 'gv0'] },
      'finishIdentity',
    ],
  ] as const)('%s', (_name, observed, step) => {
    expect(steps(observed)).toEqual([step]);
  });

  it.each([
    ['nothing is left to do', { ...TAKEN, isUnderWay: false, peerIds: ['p1', 'p2'] }],
    ['it was installed anew once more since it was asked about', { ...BLANK, id: 'newer' }],
    ['it has never run', { ...BLANK, id: undefined }],
    ['the volumes are not all known yet', { ...TAKEN, peerIds: ['p1', 'p2'], volumes: ['gv0'] }],
  ] as const)('does nothing while %s', (_name, { id, ...observed }) => {
    expect(steps({ ...observed, ...(id === undefined ? {} : { id }) })).toEqual([]);
  });

  it('takes no identity and learns nothing without members', () => {
    const alone = { ...DESIRED, peers: [] };
    expect(steps(BLANK, alone)).toEqual([]);
    expect(steps(TAKEN, alone)).toEqual([]);
  });

  it('never gives another identity to a glusterd that has peers or volumes', () => {
    const observed = fc.record({
      subject: fc.constant('identity' as const),
      id: fc.constantFrom('old', 'new', 'other'),
      isRunning: fc.boolean(),
      isBlank: fc.boolean(),
      isUnderWay: fc.boolean(),
      peerIds: fc.subarray(['p1', 'p2']),
      volumes: fc.subarray(['gv0', 'gv1', 'gv2']),
    });
    fc.assert(
      fc.property(observed, (seen) => {
        const taken = steps(seen).includes('takeIdentity');
        expect(taken).toBe(seen.isBlank && seen.id === 'new');
      }),
    );
  });

  it('says why where the blank glusterd is blank no more', () => {
    expect(planIdentity(DESIRED, { ...BLANK, isBlank: false })).toMatchObject([
      { step: 'refuse', reason: 'EngineNotBlank', about: expect.stringContaining('kube3') },
    ]);
  });
});
