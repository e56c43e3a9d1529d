import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clusterOf } from '../simulate/cluster.fake.ts';
import { explainWish } from './explain-wish.ts';

const NODES = [{ name: 'n1' }, { name: 'n2' }, { name: 'n3' }];
const arbitraryNodes = fc.array(fc.record({ isReady: fc.boolean(), capacityGib: fc.integer({ min: 0, max: 20 }) }), {
  maxLength: 9,
});
const WISH = { size: '2Gi', pool: 'default', brick: 'image' } as const;

test('a wish that no machines could fulfil is refused; one that lacks machines is explained', () => {
  expect(explainWish(clusterOf(NODES), { ...WISH, layout: 'replicated', replicas: 2 })).toMatchObject({ ok: false });
  const answer = explainWish(clusterOf(NODES.slice(0, 2)), { ...WISH, replicas: 2 });
  if (!answer.ok) throw new Error('it is explained');
  expect(answer.explained).toMatchObject({ fits: false, layout: 'arbiter', placement: [] });
  expect(answer.explained.sentence).toContain('an arbiter needs a third node: only 2 are usable');
  expect(answer.explained.smallestChange).toContain('add a node');
});

test('fits exactly when every copy has a place, each row of the table agrees, and otherwise a change is named', () => {
  fc.assert(
    fc.property(
      arbitraryNodes,
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 20 }),
      (drawn, replicas, gib) => {
        const stored = clusterOf(drawn.map((node, at) => ({ ...node, name: `n${at}` })));
        const answer = explainWish(stored, { ...WISH, size: `${gib}Gi`, replicas, allowSplitBrain: true });
        if (!answer.ok) throw new Error(answer.message);
        const { fits, placement, explanation, smallestChange } = answer.explained;
        expect(placement.length).toBe(fits ? replicas : 0);
        expect(smallestChange === '').toBe(fits);
        const taken = explanation.nodes.filter((row) => row.chosenFor !== undefined);
        expect(taken.every((row) => row.checks.every((check) => check.isPassed) && row.points !== undefined)).toBe(
          true,
        );
        if (fits)
          expect(taken.map((row) => row.node).toSorted()).toEqual(placement.map((each) => each.node).toSorted());
      },
    ),
    { numRuns: 150 },
  );
});
