import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GIB, MIB, TIB } from '../bytes.ts';
import {
  arbiterSizeBytes,
  copySizes,
  imageBytes,
  MIN_VOLUME_BYTES,
  parseVolumeSize,
  poolBytesOf,
  usableBytes,
} from './copy-size.ts';

test('an arbiter takes a sixteenth, at least half a GiB, and never more than a data copy', () => {
  expect(copySizes({ size: '32Gi', layout: 'replicated' })).toEqual({ data: 32 * GIB, arbiter: 2 * GIB });
  expect(arbiterSizeBytes(2 * GIB)).toBe(512 * MIB);
  expect(arbiterSizeBytes(100 * MIB)).toBe(100 * MIB);
});

test('a directory takes what is wanted in it; an image takes room for its file system too', () => {
  expect(poolBytesOf({ brick: 'directory' }, GIB)).toBe(GIB);
  expect(poolBytesOf({ brick: 'image' }, GIB)).toBe(imageBytes(GIB));
  // Measured on XFS images (image size, then available MiB of a fresh mount): what is available must cover the wish.
  for (const [imageMiB, availableMiB] of [
    [512, 420],
    [1024, 922],
    [4096, 3972],
    [20_480, 20_242],
    [204_800, 203_241],
  ] as const) {
    expect(imageBytes(availableMiB * MIB), `${imageMiB} MiB`).toBeGreaterThanOrEqual(imageMiB * MIB);
  }
});

// Measured with mkfs.xfs 6.1 and reflink=0: image size in MiB, and what of it an empty file system does not offer.
test.each([
  [300, 83_341_312],
  [512, 94_670_848],
  [1024, 101_920_768],
  [10_240, 111_554_560],
  [102_400, 207_798_272],
  [1_048_576, 1_665_306_624],
  [8_388_608, 10_930_028_544],
])('an image of %i MiB leaves room for XFS, and not much more than it needs', (mebibytes, overheadBytes) => {
  const image = mebibytes * MIB;
  const usable = (image - overheadBytes) * 0.99;
  let largest = image;
  while (largest > 0 && imageBytes(largest) > image) largest -= MIB;
  expect(largest).toBeLessThanOrEqual(usable);
  expect(usable - largest).toBeLessThan(40 * MIB + image * 0.002);
});

// Measured with btrfs-progs 6.2 and DUP: image size in MiB, and what of it could not be written.
test.each([
  [300, 81],
  [628, 81],
  [1024, 119],
  [2303, 247],
  [5120, 529],
  [20_480, 532],
  [61_440, 2068],
  [512_000, 2068],
])('an image of %i MiB leaves room for btrfs', (mebibytes, overheadMiB) => {
  const written = (mebibytes - overheadMiB) * MIB;
  expect(usableBytes(mebibytes * MIB, 'btrfs')).toBeLessThanOrEqual(written);
  expect(imageBytes(written, 'btrfs')).toBeGreaterThanOrEqual(mebibytes * MIB);
});

test.each(['xfs', 'ext4', 'btrfs'] as const)(
  'an image of %s that was made for a size holds it, and is not less for more',
  (fsType) => {
    const size = fc.integer({ min: 128 * MIB, max: 4 * TIB });
    fc.assert(
      fc.property(size, size, (a, b) => {
        expect(usableBytes(imageBytes(a, fsType), fsType)).toBeGreaterThanOrEqual(a);
        expect(Math.sign(imageBytes(a, fsType) - imageBytes(b, fsType)) * Math.sign(a - b)).toBeGreaterThanOrEqual(0);
      }),
    );
  },
);

test('the smallest volume fits the smallest image', () => {
  expect(imageBytes(1)).toBe(300 * MIB);
  expect(imageBytes(MIN_VOLUME_BYTES)).toBe(300 * MIB);
});

test('more wanted never takes less', () => {
  const size = fc.integer({ min: 1, max: 4 * TIB });
  fc.assert(
    fc.property(size, size, (a, b) => {
      const [small, large] = a < b ? [a, b] : [b, a];
      expect(poolBytesOf({ brick: 'image' }, small)).toBeLessThanOrEqual(poolBytesOf({ brick: 'image' }, large));
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
