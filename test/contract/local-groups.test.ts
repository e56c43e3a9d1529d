/** Images of several local volumes on this machine: of one moment for whoever writes to all of them, and all of them or none. */
import { randomUUID } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CrashError, createInjector, type Injection } from '../../src/adapters/host/inject.ts';
import { copyPaths } from '../../src/engines/image/paths.ts';
import { snapshotPaths } from '../../src/engines/image/snapshot-paths.ts';
import { createLocalSnapshots } from '../../src/engines/local/index.ts';
import type { SnapshotImage } from '../../src/ports/snapshot-engine.ts';
import { createLocalSet, type LocalSet } from './local-engine.contract.ts';
import { type LocalMachine, startLocalMachine } from './local-machine.ts';

const RECORD = 64;

/** Writes record n to the first file, safely, before record n to the second; and so on without an end. */
async function startWriter(paths: readonly [string, string]) {
  const files: FileHandle[] = [];
  for (const path of paths) files.push(await open(path, 'a'));
  const state = { done: 0, isStopped: false };
  const waiters: { readonly at: number; readonly resolve: () => void }[] = [];
  const work = (async () => {
    for (let n = 1; !state.isStopped; n += 1) {
      for (const file of files) {
        await file.write(
          String(n)
            .padEnd(RECORD - 1)
            .concat('\n'),
        );
        await file.datasync();
      }
      state.done = n;
      for (const { at, resolve } of waiters) if (n >= at) resolve();
    }
  })();
  return {
    done: () => state.done,
    /** Resolves when so many records more are in both. */
    more: (count: number) => new Promise<void>((resolve) => waiters.push({ at: state.done + count, resolve })),
    stop: async () => {
      state.isStopped = true;
      await work;
      for (const file of files) await file.close();
    },
  };
}

describe('images of a group', () => {
  let under: LocalMachine;
  const signal = AbortSignal.timeout(10 * 60_000);
  beforeAll(async () => {
    under = await startLocalMachine();
  });
  afterAll(() => under?.stop());
  afterEach(async () => {
    const left = await under.residue();
    if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`);
  });

  /** An XFS and an ext4, as groups may mix them. */
  const makeTwo = async (): Promise<readonly [LocalSet, LocalSet]> => {
    const sets = [
      await createLocalSet(under, { fsType: 'xfs', signal }),
      await createLocalSet(under, { fsType: 'ext4', signal }),
    ] as const;
    for (const set of sets) await set.make();
    return sets;
  };
  const fileOf = ({ copy }: LocalSet) => `${copyPaths(copy).brick}/records`;
  const imageOf = ({ copy }: LocalSet): SnapshotImage => {
    return { poolPath: under.poolPath, snapshotUid: randomUUID(), copyUid: copy.copyUid };
  };
  /** How many records an image holds. */
  const count = async (image: SnapshotImage, { copy }: LocalSet): Promise<number> => {
    const at = `${under.mountsPath}/look`;
    await under.run('mkdir', '-p', at);
    const options = copy.fsType === 'xfs' ? 'loop,nouuid' : 'loop';
    await under.run('mount', '-o', options, snapshotPaths(image).image, at);
    try {
      const path = fileOf({ copy } as LocalSet).replace(copyPaths(copy).mountPoint, at);
      return Number(await under.run('stat', '--format=%s', path)) / RECORD;
    } finally {
      await under.run('umount', at);
      await under.run('rmdir', at);
    }
  };
  const writable = async (sets: readonly LocalSet[]) => {
    for (const set of sets)
      await under.run('dd', 'if=/dev/zero', `of=${fileOf(set)}-2`, 'bs=1', 'count=1', 'conv=fsync');
  };
  /** Pools are empty in the end; with the images goes the folder they were in. */
  const removeAll = async (sets: readonly LocalSet[]) => {
    for (const set of sets) await set.remove();
  };

  it('never hold what came later without what came before it; images taken one after the other do', async () => {
    const sets = await makeTwo();
    const [first, second] = sets;
    const snapshots = createLocalSnapshots(under);
    const writer = await startWriter([fileOf(first), fileOf(second)]);
    try {
      for (let round = 1; round <= 5; round += 1) {
        await writer.more(round * 7);
        const images = [imageOf(second), imageOf(first)] as const;
        const acknowledged = writer.done();
        const bytes = await snapshots.takeImages(images, signal);
        expect(bytes.every((each) => each > 0)).toBe(true);
        const [later, earlier] = [await count(images[0], second), await count(images[1], first)];
        expect(earlier, `round ${round}`).toBeGreaterThanOrEqual(later);
        expect(earlier - later, `round ${round}`).toBeLessThanOrEqual(1);
        expect(later, `round ${round}`).toBeGreaterThanOrEqual(acknowledged);
        await writer.more(1);
        for (const image of images) await snapshots.eraseImage(image, signal);
      }
      // The same look finds it where nothing holds the writer between the two.
      const apart = [imageOf(first), imageOf(second)] as const;
      await snapshots.takeImage(apart[0], signal);
      await writer.more(3);
      await snapshots.takeImage(apart[1], signal);
      expect(await count(apart[1], second)).toBeGreaterThan(await count(apart[0], first));
      for (const image of apart) await snapshots.eraseImage(image, signal);
    } finally {
      await writer.stop();
    }
    await removeAll(sets);
  });

  it('are all there or none, and nobody is held up, after a crash or a failure around any of it', async () => {
    const sets = await makeTwo();
    const whole = createLocalSnapshots(under);
    const match = /^run (?:sync|xfs_io|mv)|^file makeDirectory/;
    const tried = async (
      injection: Injection,
    ): Promise<{ readonly images: SnapshotImage[]; readonly error: unknown }> => {
      const injector = createInjector([injection]);
      const images = sets.map(imageOf);
      const snapshots = createLocalSnapshots({ host: injector.wrapHost(under.host) });
      const error = await snapshots.takeImages(images, signal).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      return { images, error };
    };
    const listLeft = async (images: readonly SnapshotImage[]) => {
      const seen = await Promise.all(images.map((image) => under.host.files.stat(snapshotPaths(image).folder)));
      return seen.filter((each) => each !== undefined);
    };
    /** False when there was nothing left to go wrong. */
    const goesWrong = async (injection: Injection): Promise<boolean> => {
      const { images, error } = await tried(injection);
      const hasFailed = error !== undefined && !(error instanceof CrashError);
      if (error instanceof CrashError) for (const image of images) await whole.thaw(image, signal);
      if (hasFailed) expect(error).toMatchObject({ kind: 'precondition', reason: 'ImageFailed' });
      await writable(sets);
      if (hasFailed) expect(await listLeft(images), `${injection.what} ${injection.nth}`).toEqual([]);
      for (const image of images) await whole.eraseImage(image, signal);
      return error !== undefined;
    };
    for (const what of ['crash-before', 'crash-after', 'fail'] as const) {
      let wrong = 0;
      while (await goesWrong({ match, nth: wrong + 1, what })) wrong += 1;
      expect(wrong, what).toBeGreaterThan(1);
    }
    await removeAll(sets);
  });

  it('may be erased after what they are of, and leave nothing then', async () => {
    const sets = await makeTwo();
    const snapshots = createLocalSnapshots(under);
    const images = sets.map(imageOf);
    await snapshots.takeImages(images, signal);
    await removeAll(sets);
    expect(await under.residue()).toEqual(['.holdfast']);
    // At once, as their records go: the last takes the folders.
    await Promise.all(images.map((image) => snapshots.eraseImage(image, signal)));
    expect(await under.residue()).toEqual([]);
  });

  it('are not taken of one that is frozen already, a device, or not mounted; the others go on', async () => {
    const sets = await makeTwo();
    const [first, second] = sets;
    const snapshots = createLocalSnapshots(under);
    await under.run('fsfreeze', '--freeze', copyPaths(second.copy).mountPoint);
    const refused = (images: readonly SnapshotImage[]) =>
      expect(snapshots.takeImages(images, signal)).rejects.toMatchObject({ reason: 'ImageFailed' });
    await refused(sets.map(imageOf));
    await writable(sets);
    await refused([imageOf(first), { ...imageOf(second), isBlock: true }]);
    await under.restart(second.copy);
    await refused([imageOf(first), imageOf(second)]);
    await writable([first]);
    expect(await under.host.files.list(`${under.poolPath}/.holdfast`)).toEqual(['copies']);
    await second.make();
    await removeAll(sets);
  });
});
