import { describe, expect, it } from 'vitest';
import { hasMountOptions, hasProfile, mountOptions, surplusOptions, wantedOptions } from './options.ts';

const PROFILES = [undefined, 'database', 'shared', 'large-files'] as const;
const of = (profile: (typeof PROFILES)[number], options = {}) => ({
  ...{ layout: 'replicated' as const, options },
  ...(profile === undefined ? {} : { profile }),
});

describe.each(PROFILES)('profile %s', (profile) => {
  it('holds once what it wants is set', () => {
    expect(hasProfile(of(profile), wantedOptions(of(profile)))).toBe(true);
    expect(hasMountOptions(profile, [...mountOptions(profile), 'process-name', 'fuse'])).toBe(true);
  });

  it.each(PROFILES)('takes away what %s has left', (before) => {
    const found = { ...wantedOptions(of(before)), ...wantedOptions(of(profile)) };
    const kept = Object.fromEntries(
      Object.entries(found).filter(([key]) => !surplusOptions(of(profile), found).includes(key)),
    );
    expect(kept).toEqual(wantedOptions(of(profile)));
    expect(hasProfile(of(profile), kept)).toBe(true);
  });
});

it('an option that was asked for stays, whatever profile has it', () => {
  const volume = of(undefined, { 'performance.stat-prefetch': 'off' });
  expect(surplusOptions(volume, wantedOptions(volume))).toEqual([]);
  expect(hasProfile(volume, wantedOptions(volume))).toBe(true);
});

it('a mount without the options of shared, or with them where nobody wants them, is not as it should be', () => {
  expect(hasMountOptions('shared', ['acl'])).toBe(false);
  expect(hasMountOptions('database', mountOptions('shared'))).toBe(false);
});

it('an encrypted volume keeps the names of files out of attributes, which are not encrypted', () => {
  const volume = { layout: 'replicated', options: {} } as const;
  expect(wantedOptions({ ...volume, isEncrypted: true })).toMatchObject({ 'storage.gfid2path': 'off' });
  expect(wantedOptions(volume)).not.toHaveProperty('storage.gfid2path');
});

it.each(['replicated', 'arbiter', 'distributed-replicated'] as const)(
  '%s: no note about a missing copy waits',
  (layout) => {
    const atOnce = { 'cluster.post-op-delay-secs': '0' };
    expect(wantedOptions({ layout, options: {} })).toMatchObject(atOnce);
    expect(wantedOptions({ layout, mayDiverge: true, options: {} })).toMatchObject(atOnce);
  },
);
