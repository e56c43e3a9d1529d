import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GIB, MIB, TIB } from '../bytes.ts';
import { arbiterSizeBytes, copySizes, parseVolumeSize, poolBytesOf } from './copy-size.ts';

test('an arbiter takes a sixteenth, at least half a GiB, and never more than a data copy', () => {
  expect(copySizes({ size: '32Gi' })).toEqual({ data: 32 * GIB, arbiter: 2 * GIB });
  expect(arbiterSizeBytes(2 * GIB)).toBe(512 * MIB);
  expect(arbiterSizeBytes(100 * MIB)).toBe(100 * MIB);
});

test('a directory takes what is wanted in it; an image takes room for its file system too', () => {
  expect(poolBytesOf('directory', GIB)).toBe(GIB);
  // Measured on XFS images (image size, then available MiB of a fresh mount): what is available must cover the wish.
  for (const [imageMiB, availableMiB] of [
    [512, 420],
    [1024, 922],
    [4096, 3972],
    [20_480, 20_242],
    [204_800, 203_241],
  ] as const) {
    expect(poolBytesOf('image', availableMiB * MIB), `${imageMiB} MiB`).toBeGreaterThanOrEqual(imageMiB * MIB);
  }
});

test('more wanted never takes less', () => {
  const size = fc.integer({ min: 1, max: 4 * TIB });
  fc.assert(
    fc.property(size, size, (a, b) => {
      const [small, large] = a < b ? [a, b] : [b, a];
      expect(poolBytesOf('image', small)).toBeLessThanOrEqual(poolBytesOf('image', large));
      expect(arbiterSizeBytes(small)).toBeLessThanOrEqual(arbiterSizeBytes(large));
      expect(arbiterSizeBytes(large)).toBeLessThanOrEqual(large);
    }),
  );
});

test('a size that no volume can have is refused', () => {
  expect(parseVolumeSize('128Mi')).toBe(128 * MIB);
  expect(() => parseVolumeSize('127Mi')).toThrow('a volume of 127Mi is too small: the smallest is 128Mi');
  expect(() => parseVolumeSize('0')).toThrow('too small');
  expect(() => parseVolumeSize('9999Pi')).toThrow('less than 8Pi');
});
