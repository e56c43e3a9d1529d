import { expect, test } from 'vitest';
import type { PlacedCopy } from '../../schemas/volume.ts';
import { judgeHealth } from './judge-health.ts';
import { type LayoutSpec, wantedCopies } from './replica-sets.ts';

/** A started volume, one copy on each of n0, n1, ...; those whose place is listed are down. */
function judge(...look: Parameters<typeof healthOf>): string {
  const { status, claims } = healthOf(...look);
  return [status.phase, ...claims.map((claim) => claim.reason)].join(' ');
}

function healthOf(
  spec: LayoutSpec,
  down: readonly number[] = [],
  seen: { readonly unchecked?: number; readonly heals?: number } = {},
) {
  const placement: PlacedCopy[] = wantedCopies(spec).map(({ index, role, set }) => ({
    ...{ copy: `gv0-${index}`, node: `n${index}`, pool: 'default', role },
    ...(set === undefined ? {} : { set }),
  }));
  const hasHeals = spec.layout !== 'single' && spec.layout !== 'distributed';
  const bricks = placement.map(({ copy, node }, index) => ({
    ...{ copy, node, isOnline: !down.includes(index), isReadable: true },
    nodeReadySince: index === seen.unchecked ? 't0' : 't1',
    ...(hasHeals ? { pendingHeals: seen.heals ?? 0 } : {}),
  }));
  return judgeHealth(
    {
      spec,
      status: { engine: { observedBy: 'n0', epoch: 1, state: 'Started', bricks } },
      copies: [],
      attachments: [],
      usableNodes: new Map(placement.map(({ node }) => [node, 't1'])),
    },
    placement,
    {},
  );
}

const TWO_APART = { layout: 'replicated', replicas: 2, allowSplitBrain: true } as const;
const TWO_BY_THREE = { layout: 'distributed-replicated', distribution: 2 } as const;
const TWO_DISPERSED = { layout: 'distributed-dispersed', distribution: 2, disperseData: 4, redundancy: 2 } as const;

test.each<[string, LayoutSpec, readonly number[], string]>([
  ['whole', TWO_BY_THREE, [], 'Ready Served AllCopiesCurrent'],
  ['one copy of one set down', TWO_BY_THREE, [4], 'Degraded Served CopiesDown'],
  ['one copy of each set down', TWO_BY_THREE, [0, 5], 'Degraded Served CopiesDown'],
  ['most of one set down, though most of all copies serve', TWO_BY_THREE, [3, 4], 'Unavailable NoQuorum CopiesDown'],
  [
    'an arbiter and a copy of one set down',
    { layout: 'arbiter', distribution: 2 },
    [1, 2],
    'Unavailable NoQuorum CopiesDown',
  ],
  ['fragments to spare', { layout: 'dispersed' }, [], 'Ready Served AllCopiesCurrent'],
  ['a fragment down', { layout: 'dispersed' }, [2], 'Degraded Served CopiesDown'],
  ['too few fragments', { layout: 'dispersed' }, [0, 2], 'Unavailable NoQuorum CopiesDown'],
  ['as many fragments down as may be', TWO_DISPERSED, [0, 1, 6, 7], 'Degraded Served CopiesDown'],
  ['one more in one set, though most of all serve', TWO_DISPERSED, [0, 1, 2], 'Unavailable NoQuorum CopiesDown'],
  ['no redundancy', { layout: 'distributed', distribution: 3 }, [], 'Ready Served SingleCopy'],
  ['a brick of no redundancy down', { layout: 'distributed', distribution: 3 }, [1], 'Unavailable NoQuorum SingleCopy'],
  ['two plain replicas', { layout: 'replicated', replicas: 2 }, [], 'Ready Served NoSpareCopy'],
  ['two that may diverge', TWO_APART, [], 'Ready Served AllCopiesCurrent'],
  ['one of two that may diverge down', TWO_APART, [0], 'Degraded Served CopiesDown'],
  ['both of two that may diverge down', TWO_APART, [0, 1], 'Unavailable NoQuorum CopiesDown'],
  ['one of two plain replicas down', { layout: 'replicated', replicas: 2 }, [1], 'Unavailable NoQuorum CopiesDown'],
])('%s', (_, spec, down, expected) => {
  expect(judge(spec, down)).toBe(expected);
});

test('copies that may diverge are redundant, and it is said that they can', () => {
  const [, redundant] = healthOf(TWO_APART).claims;
  expect(redundant).toMatchObject({ status: 'True', message: expect.stringContaining('they can diverge') });
  expect(healthOf(TWO_BY_THREE).claims[1]?.message).not.toContain('diverge');
});

test('a set whose copy has not been looked at since its node came back is neither served nor lost', () => {
  expect(judge(TWO_BY_THREE, [3], { unchecked: 4 })).toBe('Degraded CheckingCopies CheckingCopies');
  expect(judge({ layout: 'distributed', distribution: 2 }, [], { unchecked: 1 })).toBe(
    'Degraded CheckingCopies SingleCopy',
  );
});

test('what is to heal in any set makes the volume less than redundant', () => {
  expect(judge(TWO_DISPERSED, [], { heals: 1 })).toBe('Degraded Served Healing');
});
