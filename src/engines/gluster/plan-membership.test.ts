import { describe, expect, it } from 'vitest';
import { parseEngineVolumeName } from '../../domain/names.ts';
import type { DesiredBrick, DesiredVolume, ObservedBrick, ObservedVolume } from '../../ports/engine.ts';
import { addBrickArgv, removeBrickArgv, replaceBrickArgv } from './member-actions.ts';
import { fillOptions, guardOptions, isMadeOf, planMembership } from './plan-membership.ts';

const path = (copy: string) => `/pool/${copy}/brick`;
const want = (copy: string, part: Partial<DesiredBrick> = {}): DesiredBrick => ({
  ...{ node: `n-${copy}`, path: path(copy), isArbiter: false },
  ...part,
});
const found = (copy: string, part: Partial<ObservedBrick> = {}): ObservedBrick => ({
  ...{ node: `n-${copy}`, path: path(copy), isOnline: true, isReadable: true, pendingHeals: 0, splitBrainEntries: 0 },
  ...part,
});
const replacing = want('new', { replaces: { node: 'n-a', path: path('a') } });

function plan(
  bricks: readonly DesiredBrick[],
  seen: readonly ObservedBrick[],
  options: ObservedVolume['options'] = {},
  part: Partial<DesiredVolume> = {},
) {
  const desired: DesiredVolume = {
    ...{
      subject: 'volume',
      isPresent: true,
      name: parseEngineVolumeName('gv0'),
      layout: 'replicated',
      options: {},
      bricks,
    },
    ...part,
  };
  const observed: ObservedVolume = {
    ...{ subject: 'volume', isPresent: true, isStarted: true, bricks: seen, options },
  };
  return {
    steps: planMembership(desired, observed),
    guard: guardOptions(desired, observed),
    fill: fillOptions(desired, observed),
  };
}
const all = [found('a'), found('b'), found('c')];
const STALE = { pendingHeals: 1 };
const HELD = { 'cluster.self-heal-daemon': 'off' };

describe('whose volume it is', () => {
  it.each<[string, readonly DesiredBrick[], readonly string[], boolean]>([
    ['the same bricks', [want('a'), want('b')], ['a', 'b'], true],
    ['another order', [want('a'), want('b')], ['b', 'a'], false],
    ['one of a pair', [replacing, want('b')], ['a', 'b'], true],
    ['the other of a pair', [replacing, want('b')], ['new', 'b'], true],
    ['a pair in the wrong place', [replacing, want('b')], ['b', 'new'], false],
    ['one that joins, not there yet', [want('a'), want('b', { isJoining: true })], ['a'], true],
    ['one that leaves, gone already', [want('a', { isLeaving: true }), want('b')], ['b'], true],
    ['a stranger beside ours', [want('a'), want('b', { isJoining: true })], ['a', 'x'], false],
  ])('%s', (_what, wanted, seen, isOurs) => {
    expect(
      isMadeOf(
        wanted,
        seen.map((copy) => found(copy)),
      ),
    ).toBe(isOurs);
  });
});

describe('replacing', () => {
  const wanted = [replacing, want('b'), want('c')];
  it('a brick that serves, while all are the same', () => {
    expect(plan(wanted, all).steps).toMatchObject([
      { step: 'replaceBrick', old: { node: 'n-a' }, brick: { node: 'n-new' } },
    ]);
  });
  it('a brick that is lost, whatever is to heal', () => {
    const seen = [found('a', { isReadable: false }), found('b', STALE), found('c', STALE)];
    expect(plan(wanted, seen).steps).toHaveLength(1);
  });
  it.each<[string, readonly ObservedBrick[]]>([
    ['it is done', [found('new'), found('b'), found('c')]],
    ['something is to heal', [found('a'), found('b', STALE), found('c')]],
    ['another is down', [found('a', { isReadable: false }), found('b', { isReadable: false }), found('c')]],
    ['copies differ', [found('a', { isReadable: false }), found('b', { splitBrainEntries: 1 }), found('c')]],
    ['it is the only one', [found('a')]],
  ])('nothing while %s', (_why, seen) => {
    expect(plan(wanted.slice(0, seen.length), seen).steps).toEqual([]);
  });
});

describe('adding and taking out', () => {
  it('adds beside bricks that are the same, and beside one alone', () => {
    const joining = want('d', { isJoining: true });
    expect(plan([want('a'), want('b'), want('c'), joining], all, HELD).steps).toMatchObject([
      { step: 'addBrick', bricks: 4 },
    ]);
    expect(plan([want('a'), want('b'), joining], [found('a'), found('b', STALE)], HELD).steps).toEqual([]);
    const withdrawn = { ...joining, isWithdrawn: true };
    expect(plan([want('a'), want('b'), want('c'), withdrawn], all, HELD).steps).toEqual([]);
  });

  it('holds back healing before it adds, and until every mount works with the new brick', () => {
    const joining = want('d', { isJoining: true });
    const wanted = [want('a'), want('b'), joining];
    const two = [found('a'), found('b')];
    const three = [...two, found('d', STALE)];
    expect(plan(wanted, two)).toMatchObject({ steps: [], fill: HELD });
    expect(plan(wanted, two, HELD)).toMatchObject({ steps: [{ step: 'addBrick' }], fill: HELD });
    expect(plan(wanted, three, HELD, { areMountsBehind: true }).fill).toEqual(HELD);
    expect(plan(wanted, three, HELD).fill).toEqual({ 'cluster.self-heal-daemon': 'on' });
    expect(plan(wanted, [found('a'), found('b', STALE)], HELD).fill).toEqual({ 'cluster.self-heal-daemon': 'on' });
    expect(plan([want('a'), want('b')], two).fill).toEqual({});
  });

  it('holds it back right after the second brick: one brick alone has no such option', () => {
    const { pendingHeals: _, ...alone } = found('a');
    const { steps, fill } = plan([want('a'), want('d', { isJoining: true })], [alone]);
    expect(steps).toMatchObject([
      { step: 'addBrick', bricks: 2 },
      { step: 'setOptions', options: HELD },
    ]);
    expect(fill).toEqual({});
  });

  it('takes one of three out while all are the same', () => {
    const wanted = [want('a'), want('b'), want('c', { isLeaving: true })];
    expect(plan(wanted, all).steps).toMatchObject([{ step: 'removeBrick', bricks: 2 }]);
    expect(plan(wanted, [found('a', STALE), found('b'), found('c')]).steps).toEqual([]);
    expect(plan(wanted, [found('a'), found('b'), found('c', { isReadable: false })]).steps).toEqual([]);
    const withdrawn = want('c', { isLeaving: true, isWithdrawn: true });
    expect(plan([want('a'), want('b'), withdrawn], all).steps).toEqual([]);
    expect(isMadeOf([want('a'), want('b'), withdrawn], all)).toBe(true);
    expect(isMadeOf([want('a'), want('b'), withdrawn], [found('a'), found('b')])).toBe(true);
  });

  it('takes one of two out only while every write needs both', () => {
    const wanted = [want('a', { isLeaving: true }), want('b')];
    const both = { 'cluster.quorum-type': 'fixed', 'cluster.quorum-count': '2' };
    const seen = [found('a'), found('b')];
    expect(plan(wanted, seen)).toMatchObject({ steps: [], guard: both });
    expect(plan(wanted, seen, both).steps).toMatchObject([{ step: 'removeBrick', bricks: 1 }]);
    expect(plan(wanted, [found('a'), found('b', { isReadable: false })], both)).toMatchObject({ steps: [], guard: {} });
  });

  it('never takes out the only brick, nor the last with data', () => {
    expect(plan([want('a', { isLeaving: true })], [found('a')]).steps).toEqual([]);
    const wanted = [want('a', { isLeaving: true }), want('b', { isArbiter: true }), want('c', { isArbiter: true })];
    expect(plan(wanted, all).steps).toEqual([]);
  });
});

it('writes the commands as GlusterFS has them', () => {
  const arbiter = { node: 'kube3', path: '/p/c', isArbiter: true };
  const words = (argv: readonly string[]) => argv.slice(2).join(' ');
  expect(words(replaceBrickArgv('gv0', { node: 'kube1', path: '/p/a' }, arbiter))).toBe(
    'volume replace-brick gv0 kube1:/p/a kube3:/p/c commit force',
  );
  expect(words(addBrickArgv('gv0', 3, arbiter))).toBe('volume add-brick gv0 replica 3 arbiter 1 kube3:/p/c force');
  expect(words(removeBrickArgv('gv0', 1, arbiter))).toBe('volume remove-brick gv0 replica 1 kube3:/p/c force');
  expect(() => removeBrickArgv('gv0', 1, { node: '--x', path: '/p' })).toThrow(
    expect.objectContaining({ kind: 'invalid' }),
  );
});
