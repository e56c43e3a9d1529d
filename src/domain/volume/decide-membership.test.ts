import { describe, expect, it } from 'vitest';
import type { BrickStatus, PlacedCopy } from '../../schemas/volume.ts';
import { decideMembership } from './decide-membership.ts';
import { effectivePlacement, type SeenMember, type SeenMembership } from './membership.ts';

const SINCE = 'since';

function member(name: string, node: string, part: Partial<SeenMember> = {}): SeenMember {
  return {
    name,
    node,
    pool: 'default',
    role: 'data',
    path: `/p/${name}`,
    isReady: true,
    isReleased: false,
    isDeleting: false,
    ...part,
  };
}

function placed(copy: string, node: string, part: Partial<PlacedCopy> = {}): PlacedCopy {
  return { copy, node, pool: 'default', role: 'data', ...part };
}

function brick(copy: string, node: string, part: Partial<BrickStatus> = {}): BrickStatus {
  return { copy, node, isOnline: true, isReadable: true, nodeReadySince: SINCE, pendingHeals: 0, ...part };
}

const THREE = [placed('a', 'n1'), placed('b', 'n2'), placed('c', 'n3')];
const arbiter = [placed('a', 'n1'), placed('b', 'n2'), placed('c', 'n3', { role: 'arbiter' })];
const NODES = ['n1', 'n2', 'n3', 'n4', 'n5'];

interface Scene {
  readonly placement?: readonly PlacedCopy[];
  readonly members?: readonly SeenMember[];
  readonly bricks?: readonly BrickStatus[];
  /** Names of the copies that the engine has it made of. */
  readonly held?: readonly string[];
  readonly part?: Partial<SeenMembership>;
}

function see({ placement = THREE, members, bricks, held, part = {} }: Scene): SeenMembership {
  const known = members ?? placement.map(({ copy, node }) => member(copy, node));
  const names = held ?? placement.map((each) => each.copy);
  const paths = names.map((name) => {
    const found = known.find((each) => each.name === name);
    return `${found?.node}:/p/${name}`;
  });
  return {
    spec: { layout: 'replicated', replicas: 3 },
    placement,
    members: known,
    engine: {
      ...{ observedBy: 'n1', epoch: 1, state: 'Started', engineId: 'id', members: paths },
      bricks: [...(bricks ?? known.map(({ name, node }) => brick(name, node)))],
    },
    anchor: 'n1',
    epoch: 1,
    usableNodes: new Map(NODES.map((node) => [node, SINCE])),
    bootIds: new Map(NODES.map((node) => [node, `boot-${node}`])),
    drainingNodes: new Set(),
    placeOne: ({ node = 'n4' }) => ({ ok: true, copy: 'new', node, pool: 'default' }),
    ...part,
  };
}

const draining = (...nodes: readonly string[]) => ({ drainingNodes: new Set(nodes) });
const replacing = (part: Partial<PlacedCopy> = {}) => [
  placed('new', 'n4', { replaces: 'a', witnesses: { n2: 'boot-n2', n3: 'boot-n3' }, ...part }),
  placed('b', 'n2'),
  placed('c', 'n3'),
];
const withNew = (part: Partial<SeenMember> = {}) => [
  member('a', 'n1'),
  member('b', 'n2'),
  member('c', 'n3'),
  member('new', 'n4', part),
];

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
    const begun = decideMembership(see({ placement: arbiter, part }));
    expect(begun.placement?.[2]).toMatchObject({ copy: 'c', isLeaving: true });
    const placeOne: SeenMembership['placeOne'] = ({ beside }) =>
      beside.includes('n3') ? { ok: false, message: 'no fourth node' } : { ok: true, copy: 'x', node: 'n3', pool: 'p' };
    const full = decideMembership(see({ placement: arbiter, part: { ...part, placeOne } }));
    expect(full).toMatchObject({ state: 'Blocked', message: expect.stringContaining('no fourth node') });
  });

  it('moves no copy of several sets of two, which would leave one alone for a moment', () => {
    const spec = { layout: 'arbiter', distribution: 2 } as const;
    const second = ['d', 'e', 'f'].map((copy, at) =>
      placed(copy, `n${at + 1}`, { set: 1, role: arbiter[at]?.role ?? 'data' }),
    );
    const placement = [...arbiter.map((each) => ({ ...each, set: 0 })), ...second];
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
    ...arbiter.slice(0, 2),
    { ...arbiter[2], ...part } as PlacedCopy,
  ];

  it('is replaced directly', () => {
    const seen = see({ placement: arbiter, members: with2({ replacement: lost }), bricks: dead, part: { spec } });
    expect(decideMembership(seen).placement?.[1]).toMatchObject({ copy: 'new', replaces: 'b', node: 'n2' });
  });

  it('lets nothing leave on an old report that it serves', () => {
    const members = with2({ replacement: lost, isReady: false });
    const decided = decideMembership(see({ placement: arbiter, members, part: { spec } }));
    expect(decided).toMatchObject({ state: 'Blocked', message: expect.stringContaining('n2 is said to be lost') });
    expect(decided.placement).toBeUndefined();
  });

  it('comes before a conversion that takes the arbiter out', () => {
    const part = { spec: { layout: 'replicated', replicas: 3 } as const };
    const seen = see({ placement: arbiter, members: with2({ replacement: lost }), bricks: dead, part });
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
    expect(at(shown).placement).toEqual(arbiter);
    for (const each of [begun, told, shown]) expect(at(each, {}, ['a', 'b']).placement).toEqual(arbiter.slice(0, 2));
  });

  it('is waited for while nobody has said that it is gone', () => {
    const placement = leaving({ isLeaving: true });
    const decided = decideMembership(see({ placement, bricks: dead, part: { spec } }));
    const message = expect.stringContaining('bring it back, or, if that is gone for good: holdfast disk replace n2');
    expect(decided).toMatchObject({ state: 'Blocked', message, release: [] });
    expect(decided.placement).toBeUndefined();
  });

  it('ends the coming of an arbiter that the engine was not seen to have', () => {
    const placement = [...arbiter.slice(0, 2), placed('c', 'n3', { role: 'arbiter', isJoining: true })];
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
    expect(steps(arbiter, { layout: 'replicated', replicas: 3 })).toEqual(['d d a-', 'd d', 'd d d+', 'd d d']);
  });

  it('a third copy goes before the arbiter comes', () => {
    expect(steps(THREE, { layout: 'arbiter' })).toEqual(['d d d-', 'd d', 'd d a+', 'd d a']);
  });

  it('one copy becomes two and an arbiter', () => {
    expect(steps([placed('a', 'n1')], { layout: 'arbiter' })).toEqual(['d d+', 'd d', 'd d a+', 'd d a']);
  });
});
