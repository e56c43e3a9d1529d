import { join } from 'node:path/posix';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isPlainPath } from './paths.ts';

test.each(['/a', '/a/b', '/a b', '/...', '/a..b', '/-rf', '/é'])('%j is plain', (path) => {
  expect(isPlainPath(path)).toBe(true);
});

test.each(['', '/', 'a', './a', '//a', '/a/', '/a//b', '/.', '/..', '/a/../b', '/a/./b', '/a\nb', '/a\0', '/a\u007f'])(
  '%j is not',
  (path) => {
    expect(isPlainPath(path)).toBe(false);
  },
);

test('a plain path below a folder stays below it', () => {
  const unit = fc.constantFrom(...'/.a-'.split(''));
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 12 }), (rest) => {
      const path = `/${rest}`;
      if (!isPlainPath(path)) return;
      expect(join('/folder', path)).toBe(`/folder${path}`);
    }),
  );
});
