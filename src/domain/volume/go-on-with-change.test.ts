import { describe, expect, it } from 'vitest';
import type { BrickStatus } from '../../schemas/volume.ts';
import { decideMembership } from './decide-membership.ts';
import { brick, member, NODES, placed, replacing, type Scene, SINCE, see, THREE, withNew } from './membership.fake.ts';
import { effectivePlacement, type SeenMember, type SeenMembership } from './membership.ts';

describe('a change under way', () => {
  it('is judged by the old copy until the engine is seen to have the new one', () => {
    const before = see({ placement: replacing(), members: withNew(), held: ['a', 'b', 'c'] });
    expect(effectivePlacement(before.placement, before.members, before.engine).map((each) => each.copy)).toEqual([
      ...['a', 'b', 'c'],
    ]);
    const after = see({ placement: replacing(), members: withNew(), held: ['new', 'b', 'c'] });
    expect(effectivePlacement(after.placement, after.members, after.engine)[0]?.copy).toBe('new');
  });

  it('keeps its mark until every copy is current', () => {
    const bricks = [brick('new', 'n4'), brick('b', 'n2', { pendingHeals: 1 }), brick('c', 'n3')];
    const seen = see({ placement: replacing(), members: withNew(), bricks, held: ['new', 'b', 'c'] });
    expect(decideMembership(seen)).toMatchObject({ state: 'Changing', release: [] });
    expect(decideMembership(seen).placement).toBeUndefined();
  });

  it('ends when all are current, and the old copy is released in a pass of its own', () => {
    const healed = see({ placement: replacing(), members: withNew(), held: ['new', 'b', 'c'] });
    const { placement = [], release } = decideMembership(healed);
    expect(placement).toEqual([placed('new', 'n4'), placed('b', 'n2'), placed('c', 'n3')]);
    expect(release).toEqual([]);
    expect(decideMembership(see({ placement, members: withNew() })).release).toEqual(['a']);
  });

  it('begins anew when no witness was up all the time: a power cut may have taken what was noted down', () => {
    const bootIds = new Map(NODES.map((node) => [node, `second-boot-${node}`]));
    const placeOne: SeenMembership['placeOne'] = () => ({ ok: true, copy: 'newer', node: 'n5', pool: 'default' });
    const part = { bootIds, placeOne };
    const seen = see({ placement: replacing(), members: withNew(), held: ['new', 'b', 'c'], part });
    expect(decideMembership(seen).placement?.[0]).toMatchObject({ copy: 'newer', replaces: 'new' });
    expect(decideMembership({ ...seen, bootIds: new Map([...bootIds, ['n3', 'boot-n3']]) }).placement?.[0]).toEqual(
      placed('new', 'n4'),
    );
  });

  it('gives a new copy up at once while nobody knew where it is', () => {
    const part = { usableNodes: new Map(['n1', 'n2', 'n3'].map((node) => [node, SINCE])) };
    const scene = { placement: replacing(), held: ['a', 'b', 'c'], part };
    const { path: _, ...nowhere } = member('new', 'n4', { isReady: false });
    const others = withNew().slice(0, 3);
    expect(decideMembership(see({ ...scene, members: [...others, nowhere] })).abandon).toEqual(['new']);
    const released = decideMembership(see({ ...scene, members: [...others, { ...nowhere, isReleased: true }] }));
    expect(released.placement).toEqual(THREE);
  });

  it('gives up a new copy that may have been asked for only when the anchor has looked with that in view', () => {
    const part = { usableNodes: new Map(['n1', 'n2', 'n3'].map((node) => [node, SINCE])) };
    const scene = { members: withNew(), held: ['a', 'b', 'c'], part };
    const withdrawn = replacing({ isWithdrawn: true });
    const told = decideMembership(see({ ...scene, placement: replacing() }));
    expect(told).toMatchObject({ abandon: [], release: [], placement: withdrawn, raisesEpoch: true });
    const unseen = decideMembership(see({ ...scene, placement: withdrawn, part: { ...part, epoch: 2 } }));
    expect(unseen).toMatchObject({ abandon: [], release: [], state: 'Changing' });
    expect(unseen.placement).toBeUndefined();
    expect(decideMembership(see({ ...scene, placement: withdrawn })).placement).toEqual(THREE);
    const taken = decideMembership(see({ ...scene, placement: withdrawn, held: ['new', 'b', 'c'] }));
    expect(taken).toMatchObject({ release: [], state: 'Changing' });
  });

  it('takes up again what it had given up where the engine has it all the same, and relies on it for nothing', () => {
    const late = decideMembership(see({ members: withNew(), held: ['new', 'b', 'c'] }));
    expect(late).toMatchObject({ placement: replacing({ witnesses: {} }), release: [] });
    const placeOne: SeenMembership['placeOne'] = () => ({ ok: true, copy: 'newer', node: 'n5', pool: 'default' });
    const seen = see({
      placement: late.placement ?? [],
      members: withNew(),
      held: ['new', 'b', 'c'],
      part: { placeOne },
    });
    expect(decideMembership(seen).placement?.[0]).toMatchObject({ copy: 'newer', replaces: 'new' });
    const joined = decideMembership(see({ members: withNew(), held: ['a', 'b', 'c', 'new'] }));
    expect(joined.placement?.[3]).toEqual(placed('new', 'n4', { isJoining: true, witnesses: {} }));
  });

  it('takes up late what has the place of the copy that the new one was to replace: the engine can ask no more', () => {
    const members = [...withNew(), member('newer', 'n5')];
    const seen = see({ placement: replacing({ copy: 'newer', node: 'n5' }), members, held: ['new', 'b', 'c'] });
    const late = decideMembership(seen);
    expect(late.placement?.[0]).toEqual(placed('new', 'n4', { replaces: 'newer', witnesses: {} }));
    // What nobody asks for any more is known to stay out only by a look of a later epoch.
    expect(late).toMatchObject({ raisesEpoch: true, release: [], abandon: [] });
    expect(decideMembership({ ...seen, epoch: 2 }).placement, 'on an old look').toBeUndefined();
  });

  it('takes a leaving copy out of the placement only when the engine is seen without it', () => {
    const placement = [placed('a', 'n1'), placed('b', 'n2'), placed('c', 'n3', { isLeaving: true })];
    expect(decideMembership(see({ placement })).placement).toBeUndefined();
    const out = see({ placement, held: ['a', 'b'] });
    expect(decideMembership(out).placement).toEqual([placed('a', 'n1'), placed('b', 'n2')]);
    expect(decideMembership({ ...out, epoch: 2 }).placement).toBeUndefined();
  });
});

describe('a copy that is lost while another one is being filled', () => {
  const lost = { reason: 'NodeLost' } as const;
  const dead = [brick('new', 'n4'), brick('b', 'n2', { isOnline: false }), brick('c', 'n3', { pendingHeals: 4 })];
  const placeOne: SeenMembership['placeOne'] = () => ({ ok: true, copy: 'newer', node: 'n5', pool: 'default' });
  const withLost = (part: Partial<SeenMember> = { replacement: lost }) =>
    withNew().map((each) => (each.name === 'b' ? { ...each, ...part } : each));
  const scene = { placement: replacing(), members: withLost(), bricks: dead, held: ['new', 'b', 'c'] };
  const at = (changes: Scene = {}) =>
    decideMembership(see({ ...scene, ...changes, part: { placeOne, ...changes.part } }));

  it('is waited for, with what to do, while nobody has said that it is gone', () => {
    const decided = at({ members: withLost({}) });
    const message = expect.stringContaining('what is on n2 must serve first: bring it back, or');
    expect(decided).toMatchObject({ state: 'Blocked', message, release: [] });
    expect(decided.placement).toBeUndefined();
    const usableNodes = new Map(NODES.filter((node) => node !== 'n2').map((node) => [node, SINCE]));
    const away = at({ members: withLost({}), part: { usableNodes } });
    expect(away.message).toContain('if that is gone for good: holdfast node replace n2');
  });

  it('is replaced beside it, and vouches for nothing any more', () => {
    expect(at().placement).toEqual([
      placed('new', 'n4', { replaces: 'a', witnesses: { n3: 'boot-n3' } }),
      placed('newer', 'n5', { replaces: 'b', witnesses: { n3: 'boot-n3' } }),
      placed('c', 'n3'),
    ]);
  });

  it('holds no change up: both marks go, one after the other, when all are current', () => {
    const placement = at().placement ?? [];
    const members = [...withLost(), member('newer', 'n5')];
    const asked = see({ placement, members, bricks: dead, held: ['new', 'b', 'c'] });
    expect(decideMembership(asked)).toMatchObject({
      state: 'Changing',
      message: expect.stringContaining('from n2 to n5'),
    });
    const whole = [brick('new', 'n4'), brick('newer', 'n5'), brick('c', 'n3')];
    const held = ['new', 'newer', 'c'];
    const first = decideMembership(see({ placement, members, bricks: whole, held }));
    expect(first.release).toEqual([]);
    const second = decideMembership(see({ placement: first.placement ?? [], members, bricks: whole, held }));
    expect(second).toMatchObject({ placement: [placed('new', 'n4'), placed('newer', 'n5'), placed('c', 'n3')] });
    const done = decideMembership(see({ placement: second.placement ?? [], members, bricks: whole, held }));
    expect(done.release).toEqual(['a', 'b']);
  });

  it.each<[string, Scene]>([
    [
      'the only whole copy has been away, so that nobody vouches for the new one',
      {
        part: {
          bootIds: new Map([
            ['n2', 'boot-n2'],
            ['n3', 'second'],
          ]),
        },
      },
    ],
    [
      'another copy does not serve',
      { bricks: [dead[0], dead[1], brick('c', 'n3', { isReadable: false })] as BrickStatus[] },
    ],
    ['entries differ', { bricks: [dead[0], dead[1], brick('c', 'n3', { splitBrainEntries: 1 })] as BrickStatus[] }],
    ['the report is an old one', { part: { epoch: 2 } }],
  ])('is not replaced while %s', (_why, changes) => {
    expect(at(changes).placement).toBeUndefined();
  });

  it('is not replaced while the engine has one in its place that was given up: that is taken up first', () => {
    const members = [...withLost(), member('late', 'n1')];
    const bricks = [brick('new', 'n4'), brick('late', 'n1'), brick('c', 'n3')];
    const decided = decideMembership(see({ ...scene, members, bricks, held: ['new', 'late', 'c'] }));
    expect(decided.placement?.[1]).toEqual(placed('late', 'n1', { replaces: 'b', witnesses: {} }));
    expect(decided.placement?.[0]).toEqual(replacing()[0]);
  });

  it('is not replaced where it was the last one that held everything', () => {
    const placement = [placed('new', 'n4', { replaces: 'a', witnesses: { n2: 'boot-n2' } }), placed('b', 'n2')];
    const two = { placement, members: withLost(), bricks: dead.slice(0, 2), held: ['new', 'b'] };
    const decided = at({ ...two, part: { spec: { layout: 'replicated', replicas: 2 } } });
    expect(decided).toMatchObject({ state: 'Blocked', message: expect.stringContaining('bring n2 back') });
    expect(decided.placement).toBeUndefined();
  });

  it('is not replaced from an arbiter and a copy that is being filled', () => {
    const placement = [...replacing().slice(0, 2), placed('c', 'n3', { role: 'arbiter' })];
    expect(at({ placement, part: { spec: { layout: 'arbiter' } } })).toMatchObject({ state: 'Blocked' });
  });

  it('is replaced from enough fragments only', () => {
    const four = [...replacing(), placed('d', 'n1')];
    const members = [...withLost(), member('d', 'n1')];
    const fragments = { placement: four, members, bricks: [...dead, brick('d', 'n1')], held: ['new', 'b', 'c', 'd'] };
    const of = (disperseData: number, redundancy: number) =>
      at({ ...fragments, part: { spec: { layout: 'dispersed', disperseData, redundancy } } });
    expect(of(2, 2).placement?.[1]).toMatchObject({ copy: 'newer', replaces: 'b' });
    expect(of(3, 1)).toMatchObject({ state: 'Blocked' });
  });
});

describe('a copy that is lost before the engine has taken in the successor of another', () => {
  const lost = { reason: 'NodeLost' } as const;
  const dead = [brick('a', 'n1'), brick('b', 'n2', { isOnline: false }), brick('c', 'n3')];
  const members = withNew().map((each) => (each.name === 'b' ? { ...each, replacement: lost } : each));
  const scene = { placement: replacing(), members, bricks: dead, held: ['a', 'b', 'c'] };

  it('has that change taken back, and is replaced', () => {
    const told = decideMembership(see(scene));
    expect(told).toMatchObject({ placement: replacing({ isWithdrawn: true }), raisesEpoch: true });
    const back = decideMembership(see({ ...scene, placement: told.placement ?? [] }));
    expect(back.placement).toEqual(THREE);
    expect(decideMembership(see({ ...scene, placement: THREE })).placement?.[1]).toMatchObject({ replaces: 'b' });
  });

  it('is waited for where the other one is lost too: the one that is left may lack what only they have', () => {
    const both = members.map((each) => (each.name === 'a' ? { ...each, replacement: lost } : each));
    const bricks = [brick('a', 'n1', { isOnline: false }), ...dead.slice(1)];
    const decided = decideMembership(see({ ...scene, members: both, bricks }));
    const message = expect.stringContaining('what is on n2 must serve first: bring it back; what is left may lack');
    expect(decided).toMatchObject({ state: 'Blocked', message });
    expect(decided.placement).toBeUndefined();
  });
});
