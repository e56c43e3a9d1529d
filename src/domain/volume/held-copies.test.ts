import { describe, expect, it } from 'vitest';
import type { PlacedCopy, VolumeStatus } from '../../schemas/volume.ts';
import { heldCopies } from './held-copies.ts';

const placed = (copy: string, part: Partial<PlacedCopy> = {}): PlacedCopy => ({
  ...{ copy, node: `n-${copy}`, pool: 'default', role: 'data' },
  ...part,
});
const find = (copy: string) => (copy === 'gone' ? undefined : { node: `n-${copy}`, path: `/p/${copy}` });
const member = (copy: string) => `n-${copy}:/p/${copy}`;

function held(placement: readonly PlacedCopy[], members: readonly string[]): readonly string[] {
  const engine = { observedBy: 'n-a', epoch: 1, state: 'Started' as const, bricks: [], members: members.map(member) };
  const status: VolumeStatus = { placement: [...placement], engine };
  return heldCopies(status, find).map(({ node }) => node);
}

describe('copies that have a version of a file', () => {
  it('are all that are settled and hold data, also those of which nothing is known', () => {
    expect(held([placed('a'), placed('gone'), placed('x', { role: 'arbiter' })], ['a', 'gone', 'x'])).toEqual([
      'n-a',
      'n-gone',
    ]);
  });

  it.each<[string, Partial<PlacedCopy>, readonly string[], readonly string[]]>([
    ['the old one while it is a member', { replaces: 'old' }, ['a', 'old'], ['n-a', 'n-old']],
    ['the new one when it is', { replaces: 'old' }, ['a', 'new'], ['n-a', 'n-new']],
    ['not one that is lost and out', { replaces: 'gone' }, ['a', 'new'], ['n-a', 'n-new']],
    ['not one that joins, before it is a member', { isJoining: true }, ['a'], ['n-a']],
    ['one that leaves, until it is out', { isLeaving: true }, ['a', 'new'], ['n-a', 'n-new']],
  ])('in a change are %s', (_what, mark, members, nodes) => {
    expect(held([placed('a'), placed('new', mark)], members)).toEqual(nodes);
  });
});
