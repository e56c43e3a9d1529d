import fc from 'fast-check';
import { expect, test } from 'vitest';
import { labelFault, parseNodeName, parsePoolName, parseVolumeName } from './names.ts';

test.each(['a', '0', 'gv0', 'storage-01', 'a--b', 'a'.repeat(63)])('%j is a name', (text) => {
  expect(parseVolumeName(text)).toBe(text);
  expect(parseNodeName(text)).toBe(text);
  expect(parsePoolName(text)).toBe(text);
});

test.each([
  'kube1.example.com',
  'ip-10-0-1-2.eu-central-1.compute.internal',
  '10.example',
  `${'a'.repeat(31)}.${'b'.repeat(31)}`,
])('%j is the name of a node, and of nothing else', (text) => {
  expect(parseNodeName(text)).toBe(text);
  expect(() => parseVolumeName(text)).toThrow('may hold only');
  expect(() => parsePoolName(text)).toThrow('may hold only');
});

test.each([
  '',
  '.',
  '..',
  'a.',
  '.a',
  'a..b',
  'a.-b',
  'a-.b',
  'a.B',
  'a/b',
  'a.b\n',
  'a.b/..',
  `${'a'.repeat(32)}.${'b'.repeat(31)}`,
])('%j is the name of no node', (text) => {
  expect(() => parseNodeName(text)).toThrow('node name');
});

test.each([
  ['', 'volume name "" must not be empty'],
  ['../x', 'volume name "../x" may hold only'],
  ['-rf', 'volume name "-rf" may hold only'],
  ['rf-', 'volume name "rf-" may hold only'],
  ['a b', 'volume name "a b" may hold only'],
  ['a/b', 'volume name "a/b" may hold only'],
  ['A', 'volume name "A" may hold only'],
  ['ä', 'volume name "ä" may hold only'],
  ['ａ', 'volume name "ａ" may hold only'],
  ['$(id)', 'volume name "$(id)" may hold only'],
  ['a\nb', 'volume name "a\\nb" may hold only'],
  ['a\n', 'volume name "a\\n" may hold only'],
  ['a\0', 'volume name "a\\u0000" may hold only'],
  ['a'.repeat(64), 'is 64 characters long; at most 63 are allowed'],
  ['a'.repeat(300), `volume name "${'a'.repeat(40)}..." is 300 characters long; at most 63 are allowed`],
])('%j is none, and the error shows it safely', (text, message) => {
  expect(() => parseVolumeName(text)).toThrow(message);
});

test('a name is always safe as a path segment and as an argument', () => {
  // Mostly of what names are made of, so that many are accepted.
  const unit = fc.constantFrom(...'az09-az09-az09-./\\~ \n\0$`\'"*Aä'.split(''));
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 70 }), (text) => {
      if (labelFault(text) !== undefined) return;
      expect(text).toMatch(/^[a-z0-9-]+$/);
      expect(text.startsWith('-')).toBe(false);
    }),
    { numRuns: 1000 },
  );
});
