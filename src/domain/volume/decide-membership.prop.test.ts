/** Whatever happens in whatever order: no copy is given up that the volume is made of, and changes come one at a time. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PlacedCopy, VolumeEngineStatus } from '../../schemas/volume.ts';
import { decideMembership } from './decide-membership.ts';
import { isMarked, type MembershipDecision, type SeenMember, type SeenMembership } from './membership.ts';
import type { LayoutSpec } from './replica-sets.ts';

const NODES = ['n1', 'n2', 'n3', 'n4', 'n5'];
const SINCE = 'since';
const SPECS: readonly LayoutSpec[] = [
  { layout: 'single' },
  { layout: 'replicated', replicas: 2 },
  { layout: 'replicated', replicas: 3 },
  { layout: 'arbiter' },
  { layout: 'dispersed', disperseData: 2, redundancy: 1 },
];

const node = fc.constantFrom(...NODES);
const event = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ does: 'decide' as const }) },
  { weight: 6, arbitrary: fc.constant({ does: 'look' as const }) },
  { weight: 4, arbitrary: fc.constant({ does: 'ask' as const }) },
  { weight: 4, arbitrary: fc.constant({ does: 'carryOut' as const }) },
  { weight: 4, arbitrary: fc.constant({ does: 'prepare' as const }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('drain' as const), node }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('turn' as const), node }) },
  { weight: 3, arbitrary: fc.constant({ does: 'loseNew' as const }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('giveUp' as const), node }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('convert' as const), spec: fc.constantFrom(...SPECS) }) },
);
type Event = typeof event extends fc.Arbitrary<infer E> ? E : never;

/** A volume, its engine, and what is stored about both. */
interface World {
  spec: LayoutSpec;
  placement: readonly PlacedCopy[];
  members: readonly SeenMember[];
  /** Names of the copies that the engine really has it made of. */
  held: readonly string[];
  report: VolumeEngineStatus | undefined;
  epoch: number;
  readonly down: Set<string>;
  readonly draining: Set<string>;
  /**
   * A command that was given, and is carried out at some time, be it after its agent has died. Not behind two looks: a look
   * takes the engine's lock, so a command is over by then.
   */
  command: { readonly held: readonly string[]; readonly looks: number } | undefined;
  made: number;
}

const COUNTS = { single: 1, arbiter: 3, dispersed: 3 } as const;

function begin(spec: LayoutSpec): World {
  const count = COUNTS[spec.layout as keyof typeof COUNTS] ?? spec.replicas ?? 3;
  const placement = NODES.slice(0, count).map((each, at): PlacedCopy => {
    const role = spec.layout === 'arbiter' && at === 2 ? 'arbiter' : 'data';
    return { copy: `c${at}`, node: each, pool: 'p', role };
  });
  const members = placement.map((placed) => ({ ...recorded(placed), path: `/${placed.copy}`, isReady: true }));
  const held = placement.map((placed) => placed.copy);
  const [down, draining] = [new Set<string>(), new Set<string>()];
  return {
    ...{ spec, placement, members, held, report: undefined, epoch: 1, down, draining, command: undefined, made: count },
  };
}

function recorded({ copy, node: on, pool, role }: PlacedCopy): SeenMember {
  return { name: copy, node: on, pool, role, isReady: false, isReleased: false, isDeleting: false };
}

function see(world: World): SeenMembership {
  return {
    ...{ spec: world.spec, placement: world.placement, members: world.members, engine: world.report, anchor: 'a' },
    epoch: world.epoch,
    usableNodes: new Map(NODES.filter((each) => !world.down.has(each)).map((each) => [each, SINCE])),
    bootIds: new Map(NODES.map((each) => [each, 'boot'])),
    drainingNodes: world.draining,
    placeOne: ({ beside, avoid, node: only }) => {
      const fits = (each: string) => !beside.includes(each) && each !== avoid && !world.down.has(each);
      const found = NODES.find((each) => fits(each) && !world.draining.has(each) && (only ?? each) === each);
      if (found === undefined) return { ok: false, message: 'no place' };
      world.made += 1;
      return { ok: true, copy: `c${world.made}`, node: found, pool: 'p' };
    },
  };
}

/** As `plan-membership.ts` would have it: what the engine is made of after the one command that is due; undefined for none. */
function commandFor({ placement, held, members, down }: World): readonly string[] | undefined {
  const isReady = (placed: PlacedCopy) => {
    const copy = members.find((each) => each.name === placed.copy);
    return copy?.path !== undefined && !copy.isReleased;
  };
  const isAllUp = members.every((copy) => !held.includes(copy.name) || !down.has(copy.node));
  for (const placed of placement) {
    const isThere = held.includes(placed.copy);
    if (placed.isWithdrawn === true) continue;
    if (placed.isLeaving === true && isThere && held.length > 1 && isAllUp)
      return held.filter((each) => each !== placed.copy);
    if (isThere || !isReady(placed)) continue;
    if (placed.isJoining === true && isAllUp) return [...held, placed.copy];
    if (placed.replaces !== undefined) return held.map((each) => (each === placed.replaces ? placed.copy : each));
  }
  return undefined;
}

function look({ held, members, down, epoch }: World): VolumeEngineStatus {
  const copies = held.flatMap((name) => members.filter((each) => each.name === name));
  return {
    ...{ observedBy: 'a', epoch, state: 'Started', engineId: 'id' },
    members: copies.map((copy) => `${copy.node}:${copy.path}`),
    bricks: copies.map(({ name, node: on }) => {
      const isOnline = !down.has(on);
      return { copy: name, node: on, isOnline, isReadable: isOnline, nodeReadySince: SINCE, pendingHeals: 0 };
    }),
  };
}

function lookAt(world: World): void {
  world.report = look(world);
  const { command } = world;
  world.command = command === undefined || command.looks > 0 ? undefined : { ...command, looks: 1 };
}

function ask(world: World): void {
  const held = commandFor(world);
  if (held !== undefined) world.command ??= { held, looks: 0 };
}

/** Stores a decision as the controller does, and holds it against the truth. */
function store(world: World, decided: MembershipDecision): void {
  const { placement = world.placement, release, abandon } = decided;
  // What the engine has is only being filled.
  const asked = placement.filter(
    (each) => isMarked(each) && (each.isLeaving === true || !world.held.includes(each.copy)),
  );
  expect(asked.length, 'changes that the engine is asked for at once').toBeLessThanOrEqual(1);
  if (release.length > 0) expect(world.placement.filter(isMarked), 'a release beside a mark').toEqual([]);
  for (const name of [...release, ...abandon]) expect(world.held, 'given up').not.toContain(name);
  for (const name of abandon) expect(world.members.find((each) => each.name === name)?.path).toBeUndefined();
  expectMayMark(world, placement);
  world.placement = placement;
  if (decided.raisesEpoch === true) world.epoch += 1;
  const gone = new Set([...release, ...abandon]);
  const known = world.members.map((each) =>
    gone.has(each.name) ? { ...each, isReleased: true, isDeleting: true } : each,
  );
  const fresh = placement.filter((placed) => !known.some((each) => each.name === placed.copy)).map(recorded);
  world.members = [...known, ...fresh];
  // The engine refuses a directory that is not there, and it is not once its copy is released.
  if (world.command?.held.some((name) => gone.has(name)) === true) world.command = undefined;
}

function expectMayMark(world: World, placement: readonly PlacedCopy[]): void {
  const [before, now] = [world.placement.filter(isMarked).length, placement.filter(isMarked).length];
  if (before === 0 && now > 0) expectMayBegin(world, placement);
  if (before > 0 && now > before) expectFillable(world, placement);
}

function expectMayBegin(world: World, placement: readonly PlacedCopy[]): void {
  const mark = placement.find(isMarked);
  // Taken up late: the engine had it already.
  if (mark !== undefined && mark.isLeaving !== true && world.held.includes(mark.copy)) return;
  const bricks = world.report?.bricks ?? [];
  const away = bricks.filter((brick) => !brick.isReadable || world.down.has(brick.node)).map((brick) => brick.copy);
  if (away.length === 0) return;
  expect(away, 'only what is replaced may be away').toEqual([mark?.replaces]);
  const lost = world.members.find((each) => each.name === mark?.replaces);
  expect(lost?.replacement, 'a person said that it is gone').toBeDefined();
}

/** Beside a copy that is being filled only a lost one is replaced, and from one that holds everything. */
function expectFillable({ members, spec, down }: World, placement: readonly PlacedCopy[]): void {
  const whole = placement.filter((each) => !isMarked(each) && each.role === 'data' && !down.has(each.node));
  expect(whole.length, 'whole copies').toBeGreaterThanOrEqual(
    spec.layout === 'dispersed' ? (spec.disperseData ?? 2) : 1,
  );
  const lost = placement.filter(isMarked).map((each) => members.find(({ name }) => name === each.replaces));
  expect(
    lost.some((each) => each?.replacement !== undefined),
    'a person said that it is gone',
  ).toBe(true);
}

function happen(world: World, each: Event): void {
  if (each.does === 'decide') store(world, decideMembership(see(world)));
  if (each.does === 'look') lookAt(world);
  if (each.does === 'ask') ask(world);
  if (each.does === 'carryOut') {
    world.held = world.command?.held ?? world.held;
    world.command = undefined;
  }
  if (each.does === 'prepare') {
    world.members = world.members.map((copy) =>
      world.down.has(copy.node) || copy.isReleased ? copy : { ...copy, path: `/${copy.name}`, isReady: true },
    );
  }
  wishOrFail(world, each);
}

/** What people want, and what goes wrong by itself. */
function wishOrFail(world: World, each: Event): void {
  if (each.does === 'drain') toggle(world.draining, each.node);
  if (each.does === 'turn') toggle(world.down, each.node);
  if (each.does === 'loseNew') {
    for (const placed of world.placement.filter((other) => isMarked(other))) world.down.add(placed.node);
  }
  if (each.does === 'giveUp') {
    world.members = world.members.map((copy) =>
      copy.node === each.node ? { ...copy, replacement: { reason: 'NodeLost' } } : copy,
    );
  }
  if (each.does === 'convert' && each.spec.layout !== 'dispersed' && world.spec.layout !== 'dispersed') {
    world.spec = each.spec;
  }
}

function toggle(set: Set<string>, name: string): void {
  if (!set.delete(name)) set.add(name);
}

/** Lives through the events, from a whole volume on. */
function live(spec: LayoutSpec, events: readonly Event[]): World {
  const world = begin(spec);
  for (const each of events) happen(world, each);
  return world;
}

describe('changes of members', () => {
  const events = fc.array(event, { minLength: 30, maxLength: 120, size: 'max' });

  it('give up nothing that the engine has, and come one at a time', () => {
    fc.assert(
      fc.property(fc.constantFrom(...SPECS), events, (spec, each) => void live(spec, each)),
      { numRuns: 150 },
    );
  });

  it('end, once every node is back and nobody wants anything any more', () => {
    fc.assert(
      fc.property(fc.constantFrom(...SPECS), events, (spec, each) => {
        const world = live(spec, each);
        world.down.clear();
        world.draining.clear();
        for (let at = 0; at < 60; at += 1) {
          for (const does of ['look', 'decide', 'prepare', 'ask', 'carryOut'] as const) happen(world, { does });
        }
        expect(world.placement.filter(isMarked)).toEqual([]);
        expect(world.held).toEqual(world.placement.map((placed) => placed.copy));
      }),
      { numRuns: 60 },
    );
  });
});
