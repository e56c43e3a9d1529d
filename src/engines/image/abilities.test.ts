import { expect, test } from 'vitest';
import type { Host } from '../../ports/host.ts';
import { probeAbilities } from './abilities.ts';
import { chooseEncryption } from './choose-encryption.ts';

const FEATURES = '/sys/fs/ext4/features';
const MAPPER = '/dev/mapper/control';
const signal = new AbortController().signal;

/** A host that has these programs, a kernel that has loaded these file systems, and these files. */
function hostWith(programs: readonly string[], loaded: string, paths: readonly string[] = []): Host {
  const host: Pick<Host, 'name'> & { readonly run: unknown; readonly files: unknown } = {
    name: 'kube1',
    run: async ({ file }: { readonly file: string }) => {
      if (!programs.includes(file)) throw new Error(`no ${file}`);
      return { stdout: '', stderr: '', code: 0 };
    },
    files: {
      readText: async () => loaded,
      stat: async (path: string) => (paths.includes(path) ? { type: 'other' } : undefined),
    },
  };
  return host as Host;
}

test.each([
  ['its programs, and a kernel that has it', ['mkfs.btrfs'], 'nodev\tproc\n\tbtrfs\n', ['btrfs']],
  ['its programs, and a kernel that would load it', ['mkfs.btrfs', 'modprobe'], '\txfs\n', ['btrfs']],
  ['its programs alone', ['mkfs.btrfs'], '\txfs\n', []],
  ['its kernel alone', ['modprobe'], '\tbtrfs\n', []],
])('a node with btrfs: %s', async (_what, programs, loaded, abilities) => {
  expect(await probeAbilities(hostWith(programs, loaded, [FEATURES]), signal)).toEqual(abilities);
});

test.each([
  ['nothing', [], [FEATURES], []],
  ['an ext4 that was not loaded yet', [], [], ['fscrypt']],
  ['an ext4 that encrypts', [], [FEATURES, `${FEATURES}/encryption`], ['fscrypt']],
  ['cryptsetup alone', ['cryptsetup'], [FEATURES], []],
  ['cryptsetup and dm-crypt', ['cryptsetup'], [FEATURES, MAPPER, '/sys/module/dm_crypt'], ['luks']],
  ['cryptsetup and a dm-crypt that would be loaded', ['cryptsetup', 'modprobe'], [FEATURES, MAPPER], ['luks']],
  ['dm-crypt alone', ['modprobe'], [FEATURES, MAPPER, '/sys/module/dm_crypt'], []],
  ['a kernel that keeps it from its container', ['cryptsetup', 'modprobe'], [FEATURES, '/sys/module/dm_crypt'], []],
])('a node with %s', async (_what, programs, paths, abilities) => {
  expect(await probeAbilities(hostWith(programs, '', paths), signal)).toEqual(abilities);
});

const BOTH = hostWith(['cryptsetup'], '', [MAPPER, '/sys/module/dm_crypt', FEATURES, `${FEATURES}/encryption`]);
const FSCRYPT = hostWith([], '', [FEATURES, `${FEATURES}/encryption`]);
const COPY = { copyUid: 'uid', poolPath: '/pool', brick: 'image', fsType: 'ext4', keySecret: 'key' } as const;

test.each([
  ['luks', BOTH, COPY],
  ['luks', BOTH, { ...COPY, brick: 'block' }],
  ['fscrypt', FSCRYPT, COPY],
  ['none', FSCRYPT, { copyUid: 'uid', poolPath: '/pool', brick: 'image' }],
] as const)('a new copy gets %s', async (kind, host, copy) => {
  expect(await chooseEncryption(host, copy, signal)).toBe(kind);
});

test.each([
  ['neither', hostWith([], '', [FEATURES]), COPY],
  ['no LUKS for XFS', FSCRYPT, { ...COPY, fsType: 'xfs' }],
  ['no LUKS for a device', FSCRYPT, { ...COPY, brick: 'block' }],
] as const)('a host with %s makes no encrypted copy', async (_what, host, copy) => {
  await expect(chooseEncryption(host, copy, signal)).rejects.toMatchObject({
    kind: 'unsupported',
    reason: 'EncryptionUnsupported',
  });
});
