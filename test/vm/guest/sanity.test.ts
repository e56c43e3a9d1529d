/** Runs in a guest whose kernel has an NFS client and an NFS server: csi-sanity, all of it that shares are for. */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ROOT } from '../../../tools/project.ts';
import { callSanity, PATH_PROGRAMS, pathFlags, volumeFlags } from '../../../tools/sanity/call-sanity.ts';
import { SHARE_LEFT_OUT } from '../../../tools/sanity/suites.ts';
import type { CsiWorld } from '../../contract/csi-world.ts';
import { EXPORT, SERVER, startShareWorld } from './share-world.ts';

/** A hundred volumes, mounted and unmounted, by one slow processor. */
const SANITY_MS = 40 * 60_000;
const FOLDER = '/var/tmp/sanity';
/** For its files; the program is beside the project's folder in a guest. */
const run = { program: join(ROOT, 'csi-sanity'), folder: FOLDER };
let world: CsiWorld;

beforeAll(async () => {
  await mkdir(FOLDER, { recursive: true });
  ({ world } = await startShareWorld());
});
afterAll(() => world?.stop());

it(
  'passes csi-sanity, and skips nothing without a reason',
  async () => {
    const parameters = { server: SERVER, share: EXPORT };
    const shell = (name: keyof typeof PATH_PROGRAMS) => `exec sh -c '${PATH_PROGRAMS[name]}' "$1"`;
    const { passed, failed, skipped, output } = await callSanity(
      run,
      { leftOut: SHARE_LEFT_OUT },
      {
        ...volumeFlags(FOLDER, { parameters, accessType: 'mount' }),
        ...{ endpoint: `unix://${world.nodeSocket}`, controllerendpoint: `unix://${world.controllerSocket}` },
        ...pathFlags(FOLDER, { make: shell('make'), remove: shell('remove'), check: shell('check') }),
      },
    );
    console.log(
      [`csi-sanity: ${passed} passed`, ...[...skipped].map(([why, count]) => `skipped ${count}: ${why}`)].join('\n'),
    );
    expect(failed, output).toEqual([]);
    expect(passed).toBeGreaterThan(50);
    expect([...skipped.keys()].filter((reason) => reason.startsWith('Node Service'))).toEqual([]);
  },
  SANITY_MS,
);

it('leaves nothing on the share', async () => {
  const left = async () => (await world.client.list('Volume')).items.map(({ metadata }) => metadata.name);
  await expect.poll(left, { timeout: 60_000 }).toEqual([]);
  expect(await readdir(EXPORT)).toEqual(['.holdfast']);
  for (const own of ['owners', 'new', 'gone']) expect(await readdir(join(EXPORT, '.holdfast', own))).toEqual([]);
});
