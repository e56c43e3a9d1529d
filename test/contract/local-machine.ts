/** This machine as the one node of a local engine: a pool of XFS in a file, and whatever is mounted below a folder of its own. */
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInjector, type Injection } from '../../src/adapters/host/inject.ts';
import { createLocalHost } from '../../src/adapters/host/local-host.ts';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { closeLuks, copyOfMapping } from '../../src/engines/image/luks.ts';
import { copyPaths } from '../../src/engines/image/paths.ts';
import { createLocalEngine } from '../../src/engines/local/index.ts';
import type { DesiredCopy, Engine } from '../../src/ports/engine.ts';
import type { Host } from '../../src/ports/host.ts';
import { createFakeVolumeKeys } from '../../src/ports/volume-keys.fake.ts';
import type { Around } from './engine-harness.ts';
import type { LocalEngineUnderTest } from './local-engine.contract.ts';
import { createPatientHost } from './patient-host.ts';

export interface LocalMachine extends LocalEngineUnderTest {
  readonly host: Host;
  /** An engine on a host that fails, waits or dies as the injections say. */
  injected(injections: readonly Injection[]): { readonly engine: Engine; readonly trace: readonly string[] };
  run(file: string, ...args: readonly string[]): Promise<string>;
}

const TIMEOUT_MS = 60_000;

/**
 * Makes the pool; needs root and loop devices.
 *
 * @param size - of the pool's disk, which is sparse
 * @param hasLuks - false for one whose kernel keeps dm-crypt to itself
 * @param patience - how many times longer its programs may take
 */
export async function startLocalMachine(size = '3G', hasLuks = true, patience = 1): Promise<LocalMachine> {
  const machine = createPatientHost(createLocalHost({ clock: createSystemClock() }, { name: 'kube1' }), patience);
  const stat: Host['files']['stat'] = async (path) =>
    path === '/dev/mapper/control' ? undefined : machine.files.stat(path);
  const host = hasLuks ? machine : { ...machine, files: { ...machine.files, stat } };
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'holdfast-local-')));
  const [disk, poolPath, mountsPath] = [join(folder, 'disk'), join(folder, 'pool'), join(folder, 'mnt')];
  const run = async (file: string, ...args: readonly string[]) =>
    (await host.run({ file, args, timeoutMs: TIMEOUT_MS })).stdout;
  await run('mkdir', poolPath, mountsPath);
  await run('truncate', '--size', size, disk);
  await run('mkfs.xfs', '-q', '-m', 'reflink=1', disk);
  await run('mount', '-o', 'loop', disk, poolPath);
  const below = async () =>
    (await host.mounts.list()).map(({ target }) => target).filter((each) => each.startsWith(folder));

  const keys = createFakeVolumeKeys();
  const switchOff = async (copy: DesiredCopy) => {
    await run('umount', copyPaths(copy).mountPoint);
    await closeLuks(host, copy.copyUid);
  };
  const mappings = async () => {
    const devices = (await host.files.list('/sys/block')).filter((name) => name.startsWith('dm-'));
    const names = devices.map((device) => host.files.readText(`/sys/block/${device}/dm/name`));
    return (await Promise.all(names)).map((name) => name.trim()).filter((name) => copyOfMapping(name) !== undefined);
  };
  const loops = async () =>
    (await run('losetup', '--noheadings', '--raw', '--output', 'NAME,BACK-FILE'))
      .split('\n')
      .flatMap((line) => (line.includes(` ${poolPath}/`) ? [line.split(' ')] : []));
  return {
    host,
    keys: keys.keys,
    node: 'kube1',
    poolPath,
    mountsPath,
    run,
    engine: (around) => withCrashes(createLocalEngine({ host, keys }), around),
    injected: (injections) => {
      const injector = createInjector(injections);
      return { engine: createLocalEngine({ host: injector.wrapHost(host), keys }), trace: injector.trace };
    },
    occupy: async (mountPath) => {
      await run('mkdir', '-p', mountPath);
      await run('mount', '-t', 'tmpfs', 'other', mountPath);
    },
    release: async (mountPath) => void (await run('umount', mountPath)),
    breakDisk: async (copy) => void (await run('xfs_io', '-x', '-c', 'shutdown', copyPaths(copy).mountPoint)),
    restart: switchOff,
    loseDisk: async (copy) => {
      await switchOff(copy);
      await run('rm', '-r', copyPaths(copy).folder);
    },
    residue: async () => [
      ...(await host.files.list(poolPath)),
      ...(await below()).filter((target) => target !== poolPath),
      ...(await loops()).map(([, file = '']) => file),
      ...(await mappings()),
    ],
    clear: async () => {
      for (const target of (await below()).toReversed()) if (target !== poolPath) await run('umount', '--lazy', target);
      for (const name of await mappings()) await closeLuks(host, copyOfMapping(name) ?? '', true);
      for (const [device = ''] of await loops()) await run('losetup', '--detach', device);
      await run('find', poolPath, '-mindepth', '1', '-delete');
    },
    stop: async () => {
      for (const target of (await below()).toReversed()) await run('umount', '--lazy', target);
      await rm(folder, { recursive: true });
    },
  };
}

function withCrashes(engine: Engine, around: Around | undefined): Engine {
  if (around === undefined) return engine;
  return { ...engine, apply: (step, signal) => around(step, () => engine.apply(step, signal)) };
}
