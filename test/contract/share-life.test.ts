/**
 * The lives of csi-life.test.ts on engine nfs: the real controllers, agents and engine, over a file server and two machines in memory.
 * `LIFE_SEED=...` lives others; `LIFE_RUNS=1000` lives more of them.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createFakeFileServer } from '../../src/engines/nfs/file-server.fake.ts';
import { life, NODES, withRestarts } from '../csi-life/calls.ts';
import { live } from '../csi-life/live.ts';
import { TARGET_ROOT } from './csi-world.ts';
import { leftOnShare, OTHERS, type ShareLife, TOKEN, withShareLife } from './share-life-world.ts';
import { createShareMachine } from './share-machine.ts';

const { LIFE_SEED, LIFE_RUNS } = process.env;
const SEED = LIFE_SEED === undefined ? 421_497_872 : Number(LIFE_SEED);
const RUNS = LIFE_RUNS === undefined ? 6 : Number(LIFE_RUNS);
const EXPORT = 'files:/export';

function createLife(tellDeaths?: (deaths: number) => void): ShareLife {
  const server = createFakeFileServer();
  server.export(EXPORT);
  server.put(EXPORT, `${OTHERS.folder}/${OTHERS.file}`, 'file');
  const machines = new Map(NODES.map((node) => [node as string, createShareMachine(server, node, [TARGET_ROOT])]));
  return {
    ...(tellDeaths === undefined ? {} : { tellDeaths }),
    machines,
    write: async (node, path, token) => {
      const source = machines.get(node)?.sourceAt(path);
      if (source === undefined) throw new Error(`nothing is mounted at ${path} of ${node}`);
      server.put(source, TOKEN, 'file', token);
    },
    read: async (folder) => server.text(EXPORT, `${folder}/${TOKEN}`) ?? '',
    residue: async () => {
      const left = await leftOnShare(async (folder) => server.names(EXPORT, folder === '' ? undefined : folder) ?? []);
      const mounts = [...machines.values()].map(async ({ host }) =>
        (await host.mounts.list()).map(({ target }) => target),
      );
      const pods = [...machines.values()].flatMap(({ paths }) =>
        paths().filter((path) => /\/pods\/.*\/vol-/.test(path)),
      );
      return [...left, ...(await Promise.all(mounts)).flat(), ...pods];
    },
  };
}

test(`every answer is one that the model allows, what is there is what was answered, and in the end there is nothing (LIFE_SEED=${SEED})`, async () => {
  let calls = 0;
  const lives = fc.asyncProperty(life(10), async (steps) => {
    calls += steps.flatMap(({ branches }) => branches).length;
    await withShareLife(createLife(), (world) => live(world, steps, { server: 'files', share: '/export' }));
  });
  await fc.assert(lives, { seed: SEED, numRuns: RUNS, endOnFailure: LIFE_RUNS !== undefined });
  expect(calls).toBeGreaterThan(RUNS * 3);
}, 600_000);

test(`the same while controllers and agents are killed in the midst of what they do (LIFE_SEED=${SEED})`, async () => {
  let deaths = 0;
  const lives = fc.asyncProperty(life(8), async (steps) => {
    const world = createLife((more) => {
      deaths += more;
    });
    await withShareLife(world, (driver) => live(driver, withRestarts(steps), { server: 'files', share: '/export' }));
  });
  await fc.assert(lives, { seed: SEED, numRuns: RUNS, endOnFailure: LIFE_RUNS !== undefined });
  expect(deaths).toBeGreaterThan(RUNS);
}, 600_000);
