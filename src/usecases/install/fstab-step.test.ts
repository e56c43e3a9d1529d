import { expect, test } from 'vitest';
import { fstabLines } from './fstab-step.ts';

const POOL = { name: 'default', path: '/mnt/pool', isReady: true, capacityBytes: 1, freeBytes: 1 };

test('a pool on a device of its own is mounted by UUID, and a dead disk does not keep the machine from starting', () => {
  expect(fstabLines([{ ...POOL, path: '/mnt/a b', fsType: 'xfs', fsUuid: 'ab-12' }])).toEqual([
    String.raw`UUID=ab-12 /mnt/a\040b xfs noatime,inode64,nofail,x-systemd.device-timeout=15s 0 0`,
  ]);
});

test('a folder of a larger file system has no line', () => {
  expect(fstabLines([{ ...POOL, fsType: 'ext4' }])).toEqual([]);
});
