import { expect, test } from 'vitest';
import { parseDuration } from './duration.ts';

test.each([
  ['0', 0],
  ['90', 90_000],
  ['90s', 90_000],
  ['2m', 120_000],
  ['1h30m', 5_400_000],
  ['1.5s', 1_500],
  ['250ms', 250],
])('%s is %d ms', (text, expected) => {
  expect(parseDuration(text)).toBe(expected);
});

test.each(['', ' ', '-1', '1x', '1 s', 's', '1e3', '１s', '1s\n'])('%j is no length of time', (text) => {
  expect(() => parseDuration(text)).toThrow('is not a length of time');
});

test('more than a timer can wait is refused', () => {
  expect(parseDuration('576h')).toBe(2_073_600_000);
  expect(() => parseDuration('577h')).toThrow('at most 24 days');
});
