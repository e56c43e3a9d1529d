import { expect, test } from 'vitest';
import { GIB, KIB, MIB, TIB } from '../bytes.ts';
import { kismaticSize } from './kismatic-size.ts';
import { kismaticFaults } from './kismatic-wish.ts';
import { readRegistration } from './persistent-volume.ts';

test.each([
  [0, '0.00B'],
  [1023, '1023.00B'],
  [KIB, '1.00KB'],
  [1.5 * MIB, '1.50MB'],
  [10 * GIB, '10.00GB'],
  [1500 * GIB, '1.46TB'],
  [TIB, '1.00TB'],
])('%d bytes are %s in its lists', (bytes, text) => {
  expect(kismaticSize(bytes)).toBe(text);
});

test('its defaults are sound, and a list without access modes is not', () => {
  const wish = {
    ...{ name: 'storage01', sizeGb: 1, replicas: 2, distribution: 1, allow: [] },
    ...{ storageClass: 'kismatic', accessModes: ['ReadWriteMany'], reclaimPolicy: 'Retain' },
  };
  expect(kismaticFaults(wish)).toEqual([]);
  expect(kismaticFaults({ ...wish, accessModes: [] })).toEqual(['Access mode was not provided']);
});

test('an access mode that is said twice is one', () => {
  const written = { storageClass: 'a.b', accessModes: ['ReadOnlyMany', 'ReadOnlyMany'], reclaimPolicy: 'Delete' };
  expect(readRegistration(written)).toMatchObject({ ok: true, registration: { accessModes: ['ReadOnlyMany'] } });
});

test.each(['', 'A', 'a b', '-a', 'a..b', 'a'.repeat(254)])('%j is no name of a storage class', (storageClass) => {
  const written = { storageClass, accessModes: ['ReadWriteMany'], reclaimPolicy: 'Retain' };
  expect(readRegistration(written).ok).toBe(false);
});
