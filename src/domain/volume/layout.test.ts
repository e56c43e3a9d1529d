import { describe, expect, test } from 'vitest';
import { describeCopiesOf, describeLayout } from './describe-layout.ts';
import { decideLayout, type LayoutRequest } from './layout.ts';

function decided(request: LayoutRequest, usableNodes: number) {
  const decision = decideLayout(request, usableNodes);
  return decision.ok ? describeLayout(decision.chosen) : `refused: ${decision.message}`;
}

describe('decideLayout', () => {
  test.each<[LayoutRequest, number, string]>([
    [{}, 3, 'replicated 3'],
    [{ replicas: 1 }, 1, 'single'],
    [{ layout: 'single' }, 1, 'single'],
    [{ layout: 'arbiter' }, 3, 'arbiter 2+1'],
    [{ layout: 'arbiter', replicas: 2 }, 4, 'arbiter 2+1'],
    [{ replicas: 2 }, 3, 'arbiter 2+1'],
    [{ replicas: 2, allowSplitBrain: true }, 3, 'replicated 2'],
    [{ layout: 'replicated', replicas: 2, allowSplitBrain: true }, 2, 'replicated 2'],
    [{ layout: 'replicated', replicas: 5 }, 5, 'replicated 5'],
    [{ layout: 'distributed', distribution: 3 }, 3, 'distributed 3'],
    [{ layout: 'distributed' }, 1, 'distributed 2'],
    [{ replicas: 1, distribution: 4 }, 4, 'distributed 4'],
    [{ distribution: 2 }, 3, 'distributed-replicated 2 x 3'],
    [{ replicas: 2, distribution: 2 }, 4, 'arbiter 2 x (2+1)'],
    [{ replicas: 2, distribution: 2, allowSplitBrain: true }, 4, 'distributed-replicated 2 x 2'],
    [{ layout: 'dispersed' }, 3, 'dispersed 2+1'],
    [{ disperseData: 4, redundancy: 2 }, 6, 'dispersed 4+2'],
    [{ redundancy: 1, distribution: 2 }, 3, 'distributed-dispersed 2 x (2+1)'],
    [{ layout: 'striped' }, 3, 'distributed 2, shard 64Mi'],
    [{ layout: 'distributed-striped', distribution: 3, shard: '16Mi' }, 3, 'distributed 3, shard 16Mi'],
    [{ layout: 'striped-replicated', replicas: 3 }, 3, 'distributed-replicated 2 x 3, shard 64Mi'],
    [{ layout: 'striped-replicated', replicas: 2 }, 3, 'arbiter 2 x (2+1), shard 64Mi'],
    [{ layout: 'distributed-striped-replicated' }, 3, 'distributed-replicated 2 x 3, shard 64Mi'],
    [{ shard: true }, 3, 'replicated 3, shard 64Mi'],
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
    [
      { layout: 'dispersed', disperseData: 4, redundancy: 2 },
      5,
      'the requested volume configuration requires 4 data + 2 redundancy = 6 nodes, but only 5 are usable',
    ],
    [
      { replicas: 3, distribution: 2 },
      2,
      'the requested volume configuration requires 3 storage nodes for each of 2 sets, but only 2 are usable',
    ],
    [
      { layout: 'dispersed', redundancy: 2 },
      9,
      'redundancy must be less than disperseData: 2 data + 2 redundancy would let two halves diverge',
    ],
    [
      { layout: 'dispersed', replicas: 3 },
      9,
      'replicas does not go with layout dispersed: say disperseData and redundancy',
    ],
    [
      { layout: 'replicated', distribution: 2 },
      9,
      'distribution must be 1 for layout replicated; use layout distributed-replicated',
    ],
    [
      { layout: 'distributed', distribution: 1 },
      9,
      'distribution must be at least 2 for layout distributed; for 1, use layout single',
    ],
    [{ shard: '1Mi' }, 3, 'shard must be true, false, or a block size of 4Mi to 4Ti in whole MiB, such as 64Mi'],
    [{ replicas: 0 }, 3, '0 is no number of replicas'],
    [{ replicas: 10 }, 12, '10 is no number of replicas'],
    [{ replicas: 2.5 }, 3, '2.5 is no number of replicas'],
  ])('%o on %i nodes is refused', (request, nodes, message) => {
    expect(decided(request, nodes)).toBe(`refused: ${message}`);
  });
});

test('what GlusterFS no longer has is told by the release that removed it', () => {
  const decision = decideLayout({ layout: 'striped' }, 3);
  expect(decision.ok && decision.notes).toEqual([
    'warning: layout striped is made as distributed with shard 64Mi: GlusterFS 6 removed stripe; shard spreads the pieces of large files over the sets instead',
  ]);
});

test('data fragments that are no power of two are allowed, and commented on', () => {
  const decision = decideLayout({ disperseData: 3, redundancy: 1 }, 4);
  expect(decision.ok && decision.notes.join()).toContain('no power of two');
});

test('copies in words', () => {
  expect(describeCopiesOf({ layout: 'arbiter', distribution: 2 })).toBe('2 x (2 data + 1 arbiter)');
  expect(describeCopiesOf({ layout: 'dispersed', disperseData: 4, redundancy: 2 })).toBe('4 data + 2 redundancy');
  expect(describeCopiesOf({ layout: 'distributed', distribution: 3 })).toBe('3 x 1 data');
});
