import fc from 'fast-check';
import { expect, test } from 'vitest';
import { withBlock } from './marked-block.ts';

const line = fc.stringMatching(/^[a-z0-9 .#/]{0,20}$/);
const file = fc.array(line, { maxLength: 8 }).map((lines) => lines.map((each) => `${each}\n`).join(''));

test('it may be written any number of times, at the same place, and leaves every other line alone', () => {
  fc.assert(
    fc.property(
      file,
      fc.array(line, { minLength: 1 }),
      fc.array(line, { minLength: 1 }),
      file,
      (before, one, two, after) => {
        const text = withBlock(before, one) + after;
        expect(withBlock(text, one)).toBe(text);
        expect(withBlock(withBlock(text, two), one)).toBe(text);
        expect(withBlock(text, [])).toBe(before + after);
      },
    ),
  );
});

test('a mark without its end swallows nothing', () => {
  const half = withBlock('', ['x']).replace('# END holdfast\n', '127.0.0.1 localhost\n');
  expect(withBlock(half, [])).toBe('x\n127.0.0.1 localhost\n');
});
