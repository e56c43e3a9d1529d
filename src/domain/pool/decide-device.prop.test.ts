import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideDevice, type ObservedDevice, POOL_LABEL } from './decide-device.ts';

const PATH = '/mnt/pool';
const observed: fc.Arbitrary<ObservedDevice> = fc
  .record({
    mountedAt: fc.subarray([PATH, '/mnt/other', '/']),
    pathOccupiedBy: fc.option(fc.constantFrom('/dev/vdz', 'tmpfs'), { nil: undefined }),
    signature: fc.option(
      fc.record({
        type: fc.constantFrom('xfs', 'ext4', 'LVM2_member', 'crypto_LUKS', 'dos'),
        label: fc.option(fc.constantFrom(POOL_LABEL, 'data', ''), { nil: undefined }),
      }),
      { nil: undefined },
    ),
    holders: fc.subarray(['/dev/vdb1', '/dev/mapper/vg-lv']),
    isZeroed: fc.boolean(),
  })
  .map(({ pathOccupiedBy, signature, ...rest }) => ({
    device: '/dev/vdb',
    ...rest,
    ...(pathOccupiedBy === undefined ? {} : { pathOccupiedBy }),
    ...(signature === undefined
      ? {}
      : { signature: { type: signature.type, ...(signature.label === undefined ? {} : { label: signature.label }) } }),
  }));

describe('decideDevice', () => {
  it('formats only what is proven empty', () => {
    fc.assert(
      fc.property(observed, (seen) => {
        if (decideDevice(seen, PATH).action !== 'format') return;
        expect(seen).toMatchObject({ mountedAt: [], holders: [], isZeroed: true });
        expect(seen.signature).toBeUndefined();
        expect(seen.pathOccupiedBy).toBeUndefined();
      }),
    );
  });

  it('mounts only a file system that carries our mark and is free', () => {
    fc.assert(
      fc.property(observed, (seen) => {
        if (decideDevice(seen, PATH).action !== 'mount') return;
        expect(seen.signature).toEqual({ type: 'xfs', label: POOL_LABEL });
        expect(seen.mountedAt).toEqual([]);
        expect(seen.holders).toEqual([]);
      }),
    );
  });

  it.each([
    [{ signature: { type: 'ext4', label: 'photos' } }, 'DeviceNotEmpty', 'holds ext4 labelled "photos"'],
    [
      { signature: { type: 'xfs', label: POOL_LABEL }, takenBy: 'kube2' },
      'DeviceOfAnotherNode',
      'is a pool of node kube2',
    ],
    [{ isZeroed: false }, 'DeviceNotEmpty', 'data in its first 256 KiB'],
    [{ holders: ['/dev/vdb1'] }, 'DeviceInUse', '/dev/vdb1'],
    [{ mountedAt: ['/srv'] }, 'DeviceInUse', 'mounted at /srv'],
    [{ pathOccupiedBy: 'tmpfs' }, 'PathOccupied', 'tmpfs'],
  ])('refuses %j and says why', (change, reason, text) => {
    const empty: ObservedDevice = { device: '/dev/vdb', mountedAt: [], holders: [], isZeroed: true };
    expect(decideDevice(empty, PATH)).toEqual({ action: 'format' });
    const decision = decideDevice({ ...empty, ...change }, PATH);
    expect(decision).toMatchObject({ action: 'refuse', reason });
    expect(JSON.stringify(decision)).toContain(JSON.stringify(text).slice(1, -1));
  });
});
