import { expect, it } from 'vitest';
import type { PlacedCopy, Volume } from '../../schemas/volume.ts';
import type { VolumeCopy } from '../../schemas/volume-copy.ts';
import { endWithNode, onlyCopies } from './given-up.ts';

const placed = (copy: string, node: string, part: Partial<PlacedCopy> = {}): PlacedCopy => {
  return { copy, node, pool: 'default', role: 'data', ...part };
};

function volume(placement: PlacedCopy[], { isDeleting = false, state = 'Started' as const } = {}): Volume {
  const metadata = { name: 'gv0', uid: 'u', ...(isDeleting ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) };
  const engine = { observedBy: 'kube1', epoch: 1, state, bricks: [] };
  return { metadata, spec: { size: '1Gi' }, status: { placement, engine } } as unknown as Volume;
}

const copyOf = ({ copy, node }: PlacedCopy) =>
  ({ metadata: { name: copy }, spec: { volume: 'gv0', volumeUid: 'u', node } }) as unknown as VolumeCopy;

it.each<[string, PlacedCopy[], readonly string[]]>([
  ['single', [placed('a', 'kube1')], ['a']],
  ['three copies', [placed('a', 'kube1'), placed('b', 'kube2'), placed('c', 'kube3')], []],
  ['one part of a distributed one', [placed('a', 'kube1', { set: 0 }), placed('b', 'kube2', { set: 1 })], ['a']],
  ['an arbiter is no copy of the data', [placed('a', 'kube1'), placed('b', 'kube2', { role: 'arbiter' })], ['a']],
  ['the arbiter itself', [placed('a', 'kube2'), placed('b', 'kube1', { role: 'arbiter' })], []],
])('of %s what is lost with kube1 is told', (_what, placement, lost) => {
  const gone = placement.filter(({ node }) => node === 'kube1').map(copyOf);
  expect(onlyCopies(gone, [volume(placement)]).map(({ metadata }) => metadata.name)).toEqual(lost);
});

it('counts no copy that is given up with it', () => {
  const placement = [placed('a', 'kube1'), placed('b', 'kube1')];
  expect(onlyCopies(placement.map(copyOf), [volume(placement)])).toHaveLength(2);
});

it('lets end with a node only what was deleted and has nothing left elsewhere', () => {
  const here = [placed('a', 'kube1')];
  const spread = [...here, placed('b', 'kube2')];
  const isDeleting = true;
  const ends = (of: Volume) => endWithNode([of], 'kube1').length > 0;
  expect(ends(volume(here))).toBe(false);
  expect(ends(volume(here, { isDeleting }))).toBe(true);
  expect(ends(volume(spread, { isDeleting }))).toBe(false);
  expect(ends(volume(spread, { isDeleting, state: 'Removed' as never }))).toBe(true);
});
