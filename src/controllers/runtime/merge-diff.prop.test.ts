import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isDeepEqual, mergeDiff } from './merge-diff.ts';

const { object } = fc.letrec<{ value: unknown; object: Record<string, unknown> }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<unknown>(0, 1, 'x', true),
    fc.array(fc.constantFrom<unknown>(1, 'x', { a: 1 }), { maxLength: 2 }),
    tie('object'),
  ),
  object: fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { maxKeys: 3, noNullPrototype: true }),
}));

/** RFC 7396, section 2, as written there. */
function applyPatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const isObject = typeof target === 'object' && target !== null && !Array.isArray(target);
  const result: Record<string, unknown> = isObject ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = applyPatch(result[key], value);
  }
  return result;
}

describe('mergeDiff', () => {
  it('gives a patch that makes the one into the other, and none when they are the same', () => {
    fc.assert(
      fc.property(object, object, (before, after) => {
        const patch = mergeDiff(before, after);
        expect(applyPatch(before, patch ?? {})).toEqual(after);
        expect(patch === undefined).toBe(isDeepEqual(before, after));
      }),
    );
  });

  it('removes what is undefined and does not mention what is alike', () => {
    const before = { a: 1, b: { c: 1, d: 2 }, e: [1] };
    expect(mergeDiff(before, { a: undefined, b: { d: 2, c: 3 }, e: [1] })).toEqual({ a: null, b: { c: 3 } });
  });

  it('replaces a list or value by an object that holds no nulls', () => {
    expect(mergeDiff({ a: [1] }, { a: { b: 1, c: undefined } })).toEqual({ a: { b: 1 } });
  });
});
