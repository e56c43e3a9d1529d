/** What placement reserves for a copy and what the engine makes of it must agree, or a pool runs full. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TIB } from '../../src/domain/bytes.ts';
import { MIN_VOLUME_BYTES, poolBytesOf } from '../../src/domain/volume/copy-size.ts';
import { imageBytes, MIN_COPY_BYTES } from '../../src/engines/gluster/sizes.ts';

test('placement reserves at least the image that the engine makes', () => {
  fc.assert(
    fc.property(fc.integer({ min: MIN_VOLUME_BYTES, max: 64 * TIB }), (sizeBytes) => {
      expect(poolBytesOf('image', sizeBytes)).toBeGreaterThanOrEqual(imageBytes(sizeBytes));
    }),
    { numRuns: 2000 },
  );
});

test('no volume is smaller than the smallest copy of the engine', () => {
  expect(MIN_VOLUME_BYTES).toBeGreaterThanOrEqual(MIN_COPY_BYTES);
});
