import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bytes,
  describeAvailable,
  describeBytes,
  describeNeed,
  formatQuantity,
  GIB,
  KIB,
  MIB,
  parseQuantity,
  TIB,
} from './bytes.ts';

describe('parseQuantity', () => {
  test.each([
    ['0', 0],
    ['1024', 1024],
    ['1k', 1000],
    ['1Ki', 1024],
    ['500M', 500_000_000],
    ['10Gi', 10 * GIB],
    ['1.5Ti', 1.5 * TIB],
    ['0.1', 1],
    ['7Pi', 7 * 1024 * TIB],
  ])('%s is %d bytes', (text, expected) => {
    expect(parseQuantity(text)).toBe(expected);
  });

  test.each([
    '',
    ' ',
    '10 Gi',
    '-1',
    '+1',
    '10gb',
    '10GiB',
    '1e3',
    '1.',
    '.5',
    'Gi',
    '0x10',
    '１',
    '99999999999999999',
    '1\n',
  ])('%j is no size', (text) => {
    expect(() => parseQuantity(text)).toThrow('is not a size');
  });

  test('8Pi, which no number holds exactly, is out of range', () => {
    expect(() => parseQuantity('8Pi')).toThrow('from 0 to less than 8Pi');
  });

  test('a long text is cut in the error', () => {
    expect(() => parseQuantity('9'.repeat(5000))).toThrow(`"${'9'.repeat(40)}" is not a size`);
  });
});

test('what is formatted reads back as the same bytes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (value) => {
      expect(parseQuantity(formatQuantity(value))).toBe(value);
    }),
  );
  expect(formatQuantity(10 * GIB)).toBe('10Gi');
  expect(formatQuantity(1500)).toBe('1500');
  expect(formatQuantity(0)).toBe('0');
});

test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('%d is no count of bytes', (value) => {
  expect(() => bytes(value)).toThrow('is not a size');
});

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1536, '1.5 KiB'],
  [12.5 * GIB, '12.5 GiB'],
  [2 * TIB, '2 TiB'],
])('%d is %s for people', (value, text) => {
  expect(describeBytes(value)).toBe(text);
});

test('what is available is rounded down and what is needed up, so a sentence never lies', () => {
  const size = fc.integer({ min: 1, max: 100 * TIB });
  const read = (text: string) => {
    const [number = '', unit = ''] = text.split(' ');
    return Number(number) * { B: 1, KiB: KIB, MiB: MIB, GiB: GIB, TiB: TIB }[unit as 'B'];
  };
  fc.assert(
    fc.property(size, (value) => {
      // Tenths of a unit are no exact numbers: a part in 10^12 is no lie.
      expect(read(describeAvailable(value))).toBeLessThanOrEqual(value * (1 + 1e-12));
      expect(read(describeNeed(value))).toBeGreaterThanOrEqual(value * (1 - 1e-12));
    }),
  );
  expect(describeAvailable(12.59 * GIB)).toBe('12.5 GiB');
  expect(describeNeed(12.51 * GIB)).toBe('12.6 GiB');
});
