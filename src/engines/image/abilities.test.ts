import { expect, test } from 'vitest';
import type { Host } from '../../ports/host.ts';
import { probeAbilities } from './abilities.ts';

/** A host that has these programs, and a kernel that has loaded these file systems. */
function hostWith(programs: readonly string[], loaded: string): Host {
  const host: Pick<Host, 'name'> & { readonly run: unknown; readonly files: unknown } = {
    name: 'kube1',
    run: async ({ file }: { readonly file: string }) => {
      if (!programs.includes(file)) throw new Error(`no ${file}`);
      return { stdout: '', stderr: '', code: 0 };
    },
    files: { readText: async () => loaded },
  };
  return host as Host;
}

test.each([
  ['its programs, and a kernel that has it', ['mkfs.btrfs'], 'nodev\tproc\n\tbtrfs\n', ['btrfs']],
  ['its programs, and a kernel that would load it', ['mkfs.btrfs', 'modprobe'], '\txfs\n', ['btrfs']],
  ['its programs alone', ['mkfs.btrfs'], '\txfs\n', []],
  ['its kernel alone', ['modprobe'], '\tbtrfs\n', []],
])('a node with %s', async (_what, programs, loaded, abilities) => {
  expect(await probeAbilities(hostWith(programs, loaded), new AbortController().signal)).toEqual(abilities);
});
