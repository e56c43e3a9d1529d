import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { labelFault } from '../names.ts';
import { nameVolumes } from './name-volumes.ts';

const ID = '53cd60b0-7199-4cc7-8d76-f96b48172a7b';
const OTHER_ID = '07a54678-6830-4945-b070-7ca00442e0cc';
const nameOne = (name: string, taken: readonly string[] = []) => nameVolumes([{ id: ID, name }], taken).get(ID);

test.each([
  ['gv0', 'gv0'],
  ['vol_0123abcDEF', 'vol-0123abcdef'],
  ['_data_', 'data'],
  ['a.b', 'a-b'],
  ['__', 'volume-53cd60b0'],
  ['x'.repeat(80), 'x'.repeat(63)],
])('%s is %s in the plan', (name, wanted) => {
  expect(nameOne(name)).toBe(wanted);
});

test('a name that another volume has is told apart by the identity', () => {
  expect(nameOne('vol_1', ['vol-1'])).toBe('vol-1-53cd60b0');
  const found = nameVolumes(
    [
      { id: ID, name: 'vol_1' },
      { id: OTHER_ID, name: 'vol-1' },
    ],
    [],
  );
  expect([...found.values()]).toEqual(['vol-1-53cd60b0', 'vol-1']);
});

test('every volume of a pool has a name of its own that Kubernetes takes', () => {
  const name = fc.stringMatching(/^[A-Ca_][A-Ca_.-]{0,70}$/);
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 20 }), (names) => {
      const volumes = names.map((each, at) => ({ id: `${String(at).padStart(8, '0')}-0`, name: each }));
      const found = [...nameVolumes(volumes, []).values()];
      expect(new Set(found).size).toBe(names.length);
      expect(found.map(labelFault).filter((fault) => fault !== undefined)).toEqual([]);
    }),
  );
});
