import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { quoteForShell, shellLine } from './quote.ts';

const word = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "'",
        '"',
        '\\',
        '$',
        '`',
        '\n',
        ' ',
        '*',
        '~',
        '!',
        ';',
        '&',
        '|',
        '-',
        '{a,b}',
        '#',
        '$(id)',
        '',
      ),
      fc.string({ unit: 'grapheme' }),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join('').replaceAll('\0', ''))
  // What has no UTF-8 form cannot be an argument at all.
  .filter((text) => text.isWellFormed());

test.each(['sh', 'bash'])('%s reads back every word as it was', (shell) => {
  fc.assert(
    fc.property(fc.array(fc.array(word, { maxLength: 6 }), { minLength: 1, maxLength: 40 }), (lines) => {
      const script = lines.map((argv) => shellLine(['printf', String.raw`%s\0`, ...argv, 'end'])).join('\n');
      const out = execFileSync(shell, ['-s'], { input: script, encoding: 'utf8' });
      expect(out).toBe(lines.map((argv) => [...argv, 'end'].map((each) => `${each}\0`).join('')).join(''));
    }),
    { numRuns: 25 },
  );
});

test('a NUL is refused, since no program could get it', () => {
  expect(() => quoteForShell('a\0b')).toThrow('holds a NUL');
});
