/** Thin local volumes on this machine: what is deleted goes back to the pool, and nothing that is not deleted does. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { usableBytes } from '../../src/domain/volume/copy-size.ts';
import { copyPaths } from '../../src/engines/image/paths.ts';
import { createLocalSnapshots } from '../../src/engines/local/index.ts';
import { settle } from './engine-harness.ts';
import {
  createLocalSet,
  ENCRYPTED,
  expectNothingLeft,
  KEY,
  type LocalSet,
  type LocalWish,
} from './local-engine.contract.ts';
import { type LocalMachine, startLocalMachine } from './local-machine.ts';
import { createThinTools, MIB, type ThinTools, WRITTEN } from './thin-tools.ts';

/** The log of XFS is 64 MiB, all written; what is reserved for such a volume is 300. */
const EMPTY = 80 * MIB;

describe('thin volumes on this machine', () => {
  let under: LocalMachine;
  let thin: ThinTools;
  const signal = AbortSignal.timeout(10 * 60_000);
  beforeAll(async () => {
    under = await startLocalMachine('3G', false);
    under.keys.set(ENCRYPTED.keySecret, KEY);
    thin = createThinTools(under, signal);
  });
  afterAll(() => under?.stop());
  afterEach(() => expectNothingLeft(under));

  const newSet = async (wish: Partial<LocalWish> = {}): Promise<LocalSet> => {
    const set = await createLocalSet(under, { thinProvision: true, ...wish, signal });
    await set.make();
    await set.mount();
    return set;
  };

  it.each([{ fsType: 'xfs' }, { fsType: 'ext4' }, ENCRYPTED] as const)(
    'takes little at first, and gives back what is deleted by itself (%o)',
    async (wish) => {
      const set = await newSet(wish);
      const empty = await thin.takenBy(set);
      expect(empty).toBeLessThan(EMPTY);
      await thin.write(set, 'kept');
      await thin.write(set, 'deleted');
      const sum = await thin.sumOf(set, 'kept');
      expect(await thin.takenBy(set)).toBeGreaterThanOrEqual(empty + 2 * WRITTEN - MIB);
      await under.run('rm', thin.path(set, 'deleted'));
      await thin.untilTaken(set, (bytes) => bytes < empty + 1.5 * WRITTEN);
      await under.run('umount', set.attachment.mountPath);
      await under.restart(set.copy);
      await set.make();
      await set.mount();
      expect(await thin.sumOf(set, 'kept')).toBe(sum);
      await set.remove();
    },
  );

  it.each(['xfs', 'ext4', 'btrfs'] as const)('gives back what is deleted when it is trimmed (%s)', async (fsType) => {
    const set = await newSet({ fsType });
    const empty = await thin.takenBy(set);
    await thin.write(set, 'kept');
    await thin.write(set, 'deleted');
    const sum = await thin.sumOf(set, 'kept');
    await under.run('rm', thin.path(set, 'deleted'));
    await under.run('sync', '--file-system', copyPaths(set.copy).mountPoint);
    await thin.trim(set);
    await thin.untilTaken(set, (bytes) => bytes < empty + 1.5 * WRITTEN);
    expect(await thin.sumOf(set, 'kept')).toBe(sum);
    await set.remove();
  });

  it('lets discards through on a loop device that had refused them for another volume, and the other way round', async () => {
    const limits = async (set: LocalSet) => {
      const device = (await under.run('losetup', '--noheadings', '--raw', '--output', 'NAME,BACK-FILE'))
        .split('\n')
        .find((line) => line.includes(set.copy.copyUid))
        ?.split(' ')[0];
      return Number(await under.run('cat', `/sys/block/${device?.slice(5)}/queue/discard_max_bytes`));
    };
    for (const brick of ['image', 'block'] as const) {
      for (const thinProvision of [false, true, false]) {
        const set = await newSet({ brick, thinProvision });
        expect((await limits(set)) > 0, `${brick} ${thinProvision}`).toBe(thinProvision);
        await set.remove();
      }
    }
  });

  it('as a device, gives back what is discarded, which reads as zeros then', async () => {
    const set = await newSet({ brick: 'block' });
    const { mountPath } = set.attachment;
    const dd = ['if=/dev/urandom', `of=${mountPath}`, 'bs=1M', 'count=64', 'conv=notrunc,fsync', 'status=none'];
    await under.run('dd', ...dd);
    expect(await thin.takenBy(set)).toBeGreaterThanOrEqual(WRITTEN);
    await under.run('blkdiscard', '--offset', '0', '--length', String(32 * MIB), mountPath);
    expect(await thin.takenBy(set)).toBe(WRITTEN / 2);
    const head = ['if=' + mountPath, 'bs=1M', 'count=32', 'status=none'];
    await under.run('dd', ...head, `of=${under.mountsPath}/head`);
    await under.run('cmp', '--bytes', String(32 * MIB), `${under.mountsPath}/head`, '/dev/zero');
    await under.run('rm', `${under.mountsPath}/head`);
    await set.remove();
  });

  it.each([{ fsType: 'xfs' }, { fsType: 'btrfs' }, { brick: 'block' }] as const)(
    'grows in use without taking room (%o)',
    async (wish) => {
      const set = await newSet(wish);
      const before = await thin.takenBy(set);
      const grown = { ...set.copy, sizeBytes: 400 * MIB };
      const options = { signal, tries: 3, pause: async () => undefined };
      expect(await settle<'copy'>(under.engine(), grown, options)).toMatchObject({ sizeBytes: grown.sizeBytes });
      expect((await thin.takenBy(set)) - before).toBeLessThan(100 * MIB);
      await set.remove();
    },
  );

  it.each([{ fsType: 'xfs' }, { fsType: 'ext4' }, { fsType: 'btrfs' }, ENCRYPTED] as const)(
    'keeps in a snapshot what is deleted after it, and clones that (%o)',
    async (wish) => {
      const set = await newSet(wish);
      await thin.write(set, 'kept');
      const sum = await thin.sumOf(set, 'kept');
      const snapshots = createLocalSnapshots(under);
      const source = { snapshotUid: randomUUID(), copyUid: set.copy.copyUid };
      const image = { poolPath: under.poolPath, ...source };
      await snapshots.takeImage(image, signal);
      await under.run('rm', thin.path(set, 'kept'));
      await under.run('sync', '--file-system', copyPaths(set.copy).mountPoint);
      await thin.trim(set);
      const { freeBytes } = await under.host.files.usage(under.poolPath);
      const clone = await newSet({ ...wish, source });
      expect(await thin.sumOf(clone, 'kept')).toBe(sum);
      // It shares what it has not written: of XFS, which writes its log anew, all but that.
      const costs = freeBytes - (await under.host.files.usage(under.poolPath)).freeBytes;
      expect(costs).toBeLessThan((await thin.takenBy(clone)) - WRITTEN / 2);
      await under.run('rm', thin.path(clone, 'kept'));
      await thin.trim(clone);
      await snapshots.eraseImage(image, signal);
      await clone.remove();
      await set.remove();
    },
  );

  it('is mounted again after an agent died between its device and its mount, and erased', async () => {
    const set = await createLocalSet(under, { thinProvision: true, signal });
    await set.make();
    await under.restart(set.copy);
    const { image } = copyPaths(set.copy);
    await under.run('losetup', '--find', image);
    await set.make();
    expect(await set.mount()).toMatchObject({ state: 'mounted' });
    await under.run('umount', set.attachment.mountPath);
    await under.restart(set.copy);
    await under.run('losetup', '--find', image);
    await set.remove();
  });

  it('that is in use elsewhere is neither mounted nor erased', async () => {
    const set = await createLocalSet(under, { thinProvision: true, signal });
    await set.make();
    const elsewhere = `${under.mountsPath}/elsewhere`;
    await under.run('mkdir', elsewhere);
    await under.run('mount', '--bind', copyPaths(set.copy).mountPoint, elsewhere);
    await under.restart(set.copy);
    const engine = under.engine();
    for (const isPresent of [true, false]) {
      const wanted = { ...set.copy, isPresent };
      const [step = { step: '', about: '' }] = engine.plan<'copy'>(
        wanted,
        await engine.observe<'copy'>(wanted, signal),
      );
      await expect(engine.apply(step, signal)).rejects.toMatchObject({ reason: 'ImageHeld' });
    }
    await under.run('umount', elsewhere);
    await set.remove();
  });

  it('is refused where the pool has less room than its size, though it would take none', async () => {
    const set = await createLocalSet(under, { thinProvision: true, signal });
    const large = { ...set.copy, sizeBytes: usableBytes(4 * 1024 * MIB) };
    const engine = under.engine();
    const [make = { step: '', about: '' }] = engine.plan<'copy'>(large, await engine.observe<'copy'>(large, signal));
    await expect(engine.apply(make, signal)).rejects.toMatchObject({ kind: 'capacity', reason: 'PoolFull' });
  });
});
