import { describe, expect, test } from 'vitest';
import { copiesOf, decideLayout, type LayoutRequest, rolesOf } from './layout.ts';

function decided(request: LayoutRequest, usableNodes: number) {
  const decision = decideLayout(request, usableNodes);
  return decision.ok ? `${decision.layout} ${decision.replicas}` : `refused: ${decision.message}`;
}

describe('decideLayout', () => {
  test.each<[LayoutRequest, number, string]>([
    [{}, 3, 'replicated 3'],
    [{ replicas: 1 }, 1, 'single 1'],
    [{ layout: 'single' }, 1, 'single 1'],
    [{ layout: 'arbiter' }, 3, 'arbiter 2'],
    [{ layout: 'arbiter', replicas: 2 }, 4, 'arbiter 2'],
    [{ replicas: 2 }, 3, 'arbiter 2'],
    [{ replicas: 2, allowSplitBrain: true }, 3, 'replicated 2'],
    [{ layout: 'replicated', replicas: 2, allowSplitBrain: true }, 2, 'replicated 2'],
    [{ layout: 'replicated', replicas: 5 }, 5, 'replicated 5'],
  ])('%o on %i nodes is %s', (request, nodes, expected) => {
    expect(decided(request, nodes)).toBe(expected);
  });

  test('two replicas that become an arbiter volume say so', () => {
    const decision = decideLayout({ replicas: 2 }, 3);
    expect(decision.ok && decision.notes.join()).toContain('a third node takes an arbiter');
  });

  test.each<[LayoutRequest, number, string]>([
    [{}, 2, 'the requested volume configuration requires 3 storage nodes, but only 2 are usable'],
    [{ replicas: 1 }, 0, 'the requested volume configuration requires 1 storage node, but only 0 are usable'],
    [
      { layout: 'arbiter' },
      1,
      'the requested volume configuration requires 2 data + 1 arbiter = 3 nodes, but only 1 is usable',
    ],
    [
      { replicas: 2 },
      2,
      '2 plain replicas can diverge (split brain) when their nodes lose each other, and an arbiter needs a third node: only 2 are usable',
    ],
    [
      { layout: 'replicated', replicas: 2 },
      5,
      '2 plain replicas can diverge (split brain) when their nodes lose each other',
    ],
    [{ layout: 'single', replicas: 2 }, 3, 'layout single has 1 replica, not 2'],
    [{ layout: 'arbiter', replicas: 3 }, 3, 'layout arbiter has 2 replicas with data and a third that decides, not 3'],
    [{ layout: 'replicated', replicas: 1 }, 3, 'layout replicated needs at least 2 replicas, not 1'],
    [{ replicas: 0 }, 3, '0 is no number of replicas'],
    [{ replicas: 10 }, 12, '10 is no number of replicas'],
    [{ replicas: 2.5 }, 3, '2.5 is no number of replicas'],
  ])('%o on %i nodes is refused', (request, nodes, message) => {
    expect(decided(request, nodes)).toBe(`refused: ${message}`);
  });
});

test('roles come in the engine order, the arbiter last', () => {
  expect(rolesOf({ layout: 'arbiter', replicas: 2 })).toEqual(['data', 'data', 'arbiter']);
  expect(rolesOf({ layout: 'single', replicas: 1 })).toEqual(['data']);
  expect(copiesOf({ layout: 'replicated', replicas: 2 })).toEqual([
    { index: 0, role: 'data' },
    { index: 1, role: 'data' },
  ]);
});
