/** Runs in a guest: the lives of share-life.test.ts on mounts of its kernel, whose own NFS server is the file server. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { createLocalHost } from '../../../src/adapters/host/local-host.ts';
import { createShareFolders } from '../../../src/adapters/host/share-folders.ts';
import { createSystemClock } from '../../../src/adapters/system/clock.ts';
import { TARGET_ROOT } from '../../contract/csi-world.ts';
import { createPatientHost } from '../../contract/patient-host.ts';
import { leftOnShare, OTHERS, type ShareLife, TOKEN, withShareLife } from '../../contract/share-life-world.ts';
import { life, onOneNode, withRestarts } from '../../csi-life/calls.ts';
import { live } from '../../csi-life/live.ts';
import { startNfsServer } from './nfs-server.ts';
import { PATIENCE } from './patience.ts';

const [SERVER, EXPORT, NODE] = ['127.0.0.1', '/srv/export', 'kube1'] as const;
const SEED = 421_497_872;
const RUNS = 3;
const host = createPatientHost(createLocalHost({ clock: createSystemClock() }, { name: NODE }), PATIENCE);
const folders = createShareFolders({ hostName: NODE, run: (command) => host.run(command) });
/** Nobody has made it yet. */
const none = (error: unknown) => {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
  throw error;
};

beforeAll(async () => {
  await mkdir(TARGET_ROOT, { recursive: true });
  await startNfsServer({ [EXPORT]: SERVER });
});

async function createLife(tellDeaths: (deaths: number) => void): Promise<ShareLife> {
  for (const name of await readdir(EXPORT)) await rm(join(EXPORT, name), { recursive: true });
  await mkdir(join(EXPORT, OTHERS.folder), { recursive: true });
  await writeFile(join(EXPORT, OTHERS.folder, OTHERS.file), '');
  return {
    tellDeaths,
    machines: new Map([[NODE, { host, folders }]]),
    write: (_node, path, token) => writeFile(join(path, TOKEN), token, { flush: true }),
    read: async (folder) => (await readFile(join(EXPORT, folder, TOKEN), 'utf8').catch(none)) ?? '',
    residue: async () => {
      const left = await leftOnShare(async (folder) => (await readdir(join(EXPORT, folder)).catch(none)) ?? []);
      const mounts = (await host.mounts.list()).filter(({ fsType }) => /^nfs4?$/.test(fsType));
      const pods = await readdir(join(TARGET_ROOT, 'pods'), { recursive: true }).catch(none);
      const volumes = (pods ?? []).filter((path) => /\/vol-/.test(path));
      return [...left, ...mounts.map(({ target }) => target), ...volumes];
    },
  };
}

it(`lives as the model says, while controllers and the agent are killed (seed ${SEED})`, async () => {
  let deaths = 0;
  const lives = fc.asyncProperty(life(6), async (steps) => {
    const world = await createLife((more) => {
      deaths += more;
    });
    const parameters = { server: SERVER, share: EXPORT };
    await withShareLife(world, (driver) => live(driver, withRestarts(onOneNode(steps)), parameters));
  });
  await fc.assert(lives, { seed: SEED, numRuns: RUNS, endOnFailure: true });
  expect(deaths).toBeGreaterThan(RUNS);
});
