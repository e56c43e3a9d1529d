import { describe, expect, it } from 'vitest';
import type { PlacedCopy } from '../../schemas/volume.ts';
import { decideMembership } from './decide-membership.ts';
import {
  ARBITER,
  brick,
  draining,
  member,
  NODES,
  placed,
  replacing,
  type Scene,
  SINCE,
  see,
  THREE,
} from './membership.fake.ts';
import type { SeenMember, SeenMembership } from './membership.ts';

describe('nothing asked for', () => {
  it('leaves the copies as they are', () => {
    expect(decideMembership(see({}))).toMatchObject({ state: 'Settled', release: [], abandon: [] });
  });
});

describe('draining a node', () => {
  it('puts a new copy in the place of each, with the others as witnesses', () => {
    const { placement } = decideMembership(see({ part: draining('n1') }));
    expect(placement).toEqual(replacing());
  });

  it('fills the copy that comes from the others, also where the one that goes began with an image of a snapshot', () => {
    const cloned = THREE.map((each) => ({ ...each, imageOf: `image of ${each.copy}` }));
    const { placement } = decideMembership(see({ placement: cloned, part: draining('n1') }));
    expect(placement?.map(({ copy, imageOf }) => [copy, imageOf])).toEqual([
      ['new', undefined],
      ['b', 'image of b'],
      ['c', 'image of c'],
    ]);
  });

  it.each<[string, Scene]>([
    ['something is to heal', { bricks: [brick('a', 'n1'), brick('b', 'n2', { pendingHeals: 1 }), brick('c', 'n3')] }],
    [
      'heals are not known',
      { bricks: [brick('a', 'n1'), brick('b', 'n2'), { ...brick('c', 'n3'), pendingHeals: undefined }] },
    ],
    ['copies differ', { bricks: [brick('a', 'n1'), brick('b', 'n2', { splitBrainEntries: 1 }), brick('c', 'n3')] }],
    ['another copy is down', { bricks: [brick('a', 'n1'), brick('b', 'n2', { isOnline: false }), brick('c', 'n3')] }],
    ['the report is of an earlier anchor', { part: { epoch: 2 } }],
    ['the report is by another node', { part: { anchor: 'n2' } }],
    [
      'a node came back since',
      { part: { usableNodes: new Map([...NODES.map((n) => [n, SINCE] as const), ['n2', 'new']]) } },
    ],
    ['the engine has a brick that nobody knows', { held: ['a', 'b', 'c', 'x'] }],
  ])('begins nothing while %s', (_why, scene) => {
    const seen = see({ ...scene, part: { ...draining('n1'), ...scene.part } });
    expect(decideMembership(seen)).toMatchObject({ state: 'Blocked' });
  });

  it('does not give up a copy that does not serve: the others may lack what it holds', () => {
    const bricks = [brick('a', 'n1', { isOnline: false }), brick('b', 'n2'), brick('c', 'n3')];
    const decided = decideMembership(see({ bricks, part: { ...draining('n1') } }));
    expect(decided).toMatchObject({ state: 'Blocked', message: expect.stringContaining('node replace n1') });
  });

  it('adds a copy first where there are two at most, and takes out the old one when both hold everything', () => {
    const single = { layout: 'single' } as const;
    const one = [placed('a', 'n1')];
    const begun = decideMembership(see({ placement: one, part: { spec: single, ...draining('n1') } }));
    expect(begun.placement).toEqual([...one, placed('new', 'n4', { isJoining: true, witnesses: { n1: 'boot-n1' } })]);
    const two = [placed('a', 'n1'), placed('new', 'n4')];
    const next = decideMembership(see({ placement: two, part: { spec: single, ...draining('n1') } }));
    expect(next.placement).toEqual([{ ...placed('a', 'n1'), isLeaving: true }, placed('new', 'n4')]);
  });

  it('lets an arbiter make way for a third copy, and only where there is room for both', () => {
    const part = { spec: { layout: 'arbiter' } as const, ...draining('n1') };
    const begun = decideMembership(see({ placement: ARBITER, part }));
    expect(begun.placement?.[2]).toMatchObject({ copy: 'c', isLeaving: true });
    const placeOne: SeenMembership['placeOne'] = ({ beside }) =>
      beside.includes('n3') ? { ok: false, message: 'no fourth node' } : { ok: true, copy: 'x', node: 'n3', pool: 'p' };
    const full = decideMembership(see({ placement: ARBITER, part: { ...part, placeOne } }));
    expect(full).toMatchObject({ state: 'Blocked', message: expect.stringContaining('no fourth node') });
  });

  it('moves no copy of several sets of two, which would leave one alone for a moment', () => {
    const spec = { layout: 'arbiter', distribution: 2 } as const;
    const second = ['d', 'e', 'f'].map((copy, at) =>
      placed(copy, `n${at + 1}`, { set: 1, role: ARBITER[at]?.role ?? 'data' }),
    );
    const placement = [...ARBITER.map((each) => ({ ...each, set: 0 })), ...second];
    expect(decideMembership(see({ placement, part: { spec, ...draining('n1') } }))).toMatchObject({ state: 'Blocked' });
  });

  it('never moves the only copy of a part of the files', () => {
    const spec = { layout: 'distributed', distribution: 2 } as const;
    const placement = [placed('a', 'n1', { set: 0 }), placed('b', 'n2', { set: 1 })];
    expect(decideMembership(see({ placement, part: { spec, ...draining('n1') } }))).toMatchObject({ state: 'Blocked' });
  });
});

describe('a copy that is said to be lost', () => {
  const lost = { reason: 'DiskLost', node: 'n1' } as const;
  const members = [member('a', 'n1', { replacement: lost }), member('b', 'n2'), member('c', 'n3')];
  const dead = brick('a', 'n1', { isOnline: false });

  it('is replaced where the person wants it, whatever the others have to heal', () => {
    const bricks = [dead, brick('b', 'n2', { pendingHeals: 7 }), brick('c', 'n3', { pendingHeals: 7 })];
    expect(decideMembership(see({ members, bricks })).placement?.[0]).toMatchObject({ copy: 'new', node: 'n1' });
  });

  it('waits for every other copy to serve', () => {
    const bricks = [dead, brick('b', 'n2', { isReadable: false }), brick('c', 'n3')];
    expect(decideMembership(see({ members, bricks }))).toMatchObject({ state: 'Blocked' });
  });

  it('waits for a decision where copies differ', () => {
    const bricks = [dead, brick('b', 'n2', { splitBrainEntries: 1 }), brick('c', 'n3')];
    expect(decideMembership(see({ members, bricks }))).toMatchObject({ state: 'Blocked' });
  });
});

describe('a lost copy of an arbiter volume', () => {
  const spec = { layout: 'arbiter' } as const;
  const lost = { reason: 'DiskLost', node: 'n2' } as const;
  const with2 = (part: Partial<SeenMember>) => [member('a', 'n1'), member('b', 'n2', part), member('c', 'n3')];
  const dead = [brick('a', 'n1'), brick('b', 'n2', { isOnline: false, isReadable: false }), brick('c', 'n3')];
  const leaving = (part: Partial<PlacedCopy> = {}) => [
    ...ARBITER.slice(0, 2),
    { ...ARBITER[2], ...part } as PlacedCopy,
  ];

  it('is replaced directly', () => {
    const seen = see({ placement: ARBITER, members: with2({ replacement: lost }), bricks: dead, part: { spec } });
    expect(decideMembership(seen).placement?.[1]).toMatchObject({ copy: 'new', replaces: 'b', node: 'n2' });
  });

  it('lets nothing leave on an old report that it serves', () => {
    const members = with2({ replacement: lost, isReady: false });
    const decided = decideMembership(see({ placement: ARBITER, members, part: { spec } }));
    expect(decided).toMatchObject({ state: 'Blocked', message: expect.stringContaining('n2 is said to be lost') });
    expect(decided.placement).toBeUndefined();
  });

  it('comes before a conversion that takes the arbiter out', () => {
    const part = { spec: { layout: 'replicated', replicas: 3 } as const };
    const seen = see({ placement: ARBITER, members: with2({ replacement: lost }), bricks: dead, part });
    expect(decideMembership(seen).placement?.[1]).toMatchObject({ copy: 'new', replaces: 'b' });
  });

  it('keeps an arbiter that was to make way, when two looks have shown it, each with the word before in view', () => {
    const scene = { members: with2({ replacement: lost }), bricks: dead };
    const at = (placement: readonly PlacedCopy[], part: Partial<SeenMembership> = {}, held = ['a', 'b', 'c']) =>
      decideMembership(see({ ...scene, placement, held, part: { spec, ...part } }));
    const [begun, told, shown] = [
      leaving({ isLeaving: true }),
      leaving({ isLeaving: true, isWithdrawn: true }),
      leaving({ isLeaving: true, isWithdrawn: true, isStaying: true }),
    ];
    expect(at(begun)).toMatchObject({ placement: told, raisesEpoch: true });
    expect(at(told, { epoch: 2 }).placement).toBeUndefined();
    expect(at(told)).toMatchObject({ placement: shown, raisesEpoch: true });
    expect(at(shown, { epoch: 2 }).placement).toBeUndefined();
    expect(at(shown).placement).toEqual(ARBITER);
    for (const each of [begun, told, shown]) expect(at(each, {}, ['a', 'b']).placement).toEqual(ARBITER.slice(0, 2));
  });

  it('is waited for while nobody has said that it is gone', () => {
    const placement = leaving({ isLeaving: true });
    const decided = decideMembership(see({ placement, bricks: dead, part: { spec } }));
    const message = expect.stringContaining('bring it back, or, if that is gone for good: holdfast disk replace n2');
    expect(decided).toMatchObject({ state: 'Blocked', message, release: [] });
    expect(decided.placement).toBeUndefined();
  });

  it('ends the coming of an arbiter that the engine was not seen to have', () => {
    const placement = [...ARBITER.slice(0, 2), placed('c', 'n3', { role: 'arbiter', isJoining: true })];
    const seen = see({
      placement,
      members: with2({ replacement: lost }),
      bricks: dead,
      held: ['a', 'b'],
      part: { spec },
    });
    expect(decideMembership(seen)).toMatchObject({ placement: [{}, {}, { isWithdrawn: true }], raisesEpoch: true });
  });
});

describe('converting', () => {
  /** Every placement from the first to the last, each change carried out as asked. */
  function steps(from: readonly PlacedCopy[], spec: SeenMembership['spec']): readonly string[] {
    const seen: string[] = [];
    let placement = from;
    for (let at = 0; at < 12; at += 1) {
      const placeOne: SeenMembership['placeOne'] = () => ({ ok: true, copy: `new${at}`, node: 'n4', pool: 'default' });
      // As after the engine has made the change that is marked.
      const held = placement.filter((each) => each.isLeaving !== true).map((each) => each.copy);
      const decided = decideMembership(see({ placement, held, part: { spec, placeOne } }));
      if (decided.placement === undefined) return seen;
      placement = decided.placement;
      seen.push(
        placement.map((each) => `${each.role[0]}${each.isJoining ? '+' : each.isLeaving ? '-' : ''}`).join(' '),
      );
    }
    return seen;
  }
  it('an arbiter goes before the third copy comes: GlusterFS has no four with an arbiter', () => {
    expect(steps(ARBITER, { layout: 'replicated', replicas: 3 })).toEqual(['d d a-', 'd d', 'd d d+', 'd d d']);
  });

  it('a third copy goes before the arbiter comes', () => {
    expect(steps(THREE, { layout: 'arbiter' })).toEqual(['d d d-', 'd d', 'd d a+', 'd d a']);
  });

  it('one copy becomes two and an arbiter', () => {
    expect(steps([placed('a', 'n1')], { layout: 'arbiter' })).toEqual(['d d+', 'd d', 'd d a+', 'd d a']);
  });
});
