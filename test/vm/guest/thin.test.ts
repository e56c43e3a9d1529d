/** Runs in a guest whose kernel has dm-crypt: thin local volumes that are encrypted as a whole, beside those whose room is reserved. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { hasLuksHeader, mappingName } from '../../../src/engines/image/luks.ts';
import { copyPaths } from '../../../src/engines/image/paths.ts';
import { createLocalSnapshots } from '../../../src/engines/local/index.ts';
import { settle } from '../../contract/engine-harness.ts';
import {
  createLocalSet,
  ENCRYPTED,
  expectNothingLeft,
  KEY,
  type LocalSet,
  type LocalWish,
} from '../../contract/local-engine.contract.ts';
import { type LocalMachine, startLocalMachine } from '../../contract/local-machine.ts';
import { createThinTools, MIB, type ThinTools, WRITTEN } from '../../contract/thin-tools.ts';
import { BLOCK, BTRFS, XFS } from './encrypted.ts';
import { PATIENCE } from './patience.ts';

const { keySecret } = ENCRYPTED;
/** Of LUKS, in the image before the device. */
const HEADER = 2 * MIB;

describe('thin volumes encrypted with LUKS', () => {
  let under: LocalMachine;
  let thin: ThinTools;
  const signal = AbortSignal.timeout(60 * 60_000);
  beforeAll(async () => {
    under = await startLocalMachine('3G', true, PATIENCE);
    under.keys.set(keySecret, KEY);
    thin = createThinTools(under, signal);
  });
  afterAll(() => under?.stop());
  afterEach(() => expectNothingLeft(under));

  const newSet = async (wish: Partial<LocalWish>): Promise<LocalSet> => {
    const set = await createLocalSet(under, { ...wish, signal });
    await set.make();
    await set.mount();
    return set;
  };
  /** What the kernel does for the mapping of a copy. */
  const tableOf = ({ copy }: LocalSet) => under.run('dmsetup', 'table', mappingName(copy.copyUid));
  const inUse = async (set: LocalSet) => Number(await under.run('stat', '--format=%b', copyPaths(set.copy).image));

  it.each([XFS, ENCRYPTED, BTRFS])('give back what is deleted, and keep the rest (%o)', async (wish) => {
    const set = await newSet({ ...wish, thinProvision: true });
    expect(await hasLuksHeader(under.host, copyPaths(set.copy).image)).toBe(true);
    expect(await tableOf(set)).toMatch(/ crypt .* allow_discards$/m);
    const empty = await thin.takenBy(set);
    await thin.write(set, 'kept');
    await thin.write(set, 'deleted');
    const sum = await thin.sumOf(set, 'kept');
    expect(await thin.takenBy(set)).toBeGreaterThanOrEqual(empty + 2 * WRITTEN - MIB);
    await under.run('rm', thin.path(set, 'deleted'));
    await under.run('sync', '--file-system', copyPaths(set.copy).mountPoint);
    await thin.trim(set);
    await thin.untilTaken(set, (bytes) => bytes < empty + 1.5 * WRITTEN);
    await under.run('umount', set.attachment.mountPath);
    await under.restart(set.copy);
    // As an agent leaves it that died before cryptsetup had the device.
    await under.run('losetup', '--find', copyPaths(set.copy).image);
    await set.make();
    await set.mount();
    expect(await tableOf(set)).toMatch(/ allow_discards$/m);
    expect(await thin.sumOf(set, 'kept')).toBe(sum);
    await set.remove();
  });

  it('as a device, give back what is discarded, and grow without taking room', async () => {
    const set = await newSet({ ...BLOCK, thinProvision: true });
    const { mountPath } = set.attachment;
    expect(await tableOf(set)).toMatch(/ allow_discards$/m);
    const dd = ['if=/dev/urandom', `of=${mountPath}`, 'bs=1M', `count=${WRITTEN / MIB}`, 'conv=notrunc,fsync'];
    await under.run('dd', ...dd, 'status=none');
    const rest = async () => {
      await under.run('dd', `if=${mountPath}`, `of=${under.mountsPath}/rest`, 'bs=1M', 'skip=32', 'count=32');
      return (await under.run('sha256sum', `${under.mountsPath}/rest`)).split(' ')[0];
    };
    const before = await rest();
    expect(await thin.takenBy(set)).toBeGreaterThanOrEqual(WRITTEN);
    await under.run('blkdiscard', '--offset', '0', '--length', String(WRITTEN / 2), mountPath);
    expect(await thin.takenBy(set)).toBeLessThanOrEqual(WRITTEN / 2 + HEADER);
    expect(await rest()).toBe(before);
    await under.run('rm', `${under.mountsPath}/rest`);
    const grown = { ...set.copy, sizeBytes: 400 * MIB };
    const options = { signal, tries: 3, pause: async () => undefined };
    expect(await settle<'copy'>(under.engine(), grown, options)).toMatchObject({ sizeBytes: grown.sizeBytes });
    expect(await tableOf(set)).toMatch(/ allow_discards$/m);
    expect(await thin.takenBy(set)).toBeLessThanOrEqual(WRITTEN / 2 + HEADER);
    await set.remove();
  });

  it.each([XFS, ENCRYPTED, BTRFS, BLOCK])('let no discard through where their room is reserved (%o)', async (wish) => {
    const set = await newSet(wish);
    const table = await tableOf(set);
    expect(table).toContain(' crypt ');
    expect(table).not.toContain('allow_discards');
    const reserved = await inUse(set);
    const discard = 'brick' in wish ? under.run('blkdiscard', set.attachment.mountPath) : thin.trim(set);
    await expect(discard).rejects.toThrow(/not supported/i);
    expect(await inUse(set)).toBe(reserved);
    await set.remove();
  });

  it('keep in a snapshot what is deleted after it, and clone that with the key of its source', async () => {
    const set = await newSet({ ...XFS, thinProvision: true });
    await thin.write(set, 'kept');
    const sum = await thin.sumOf(set, 'kept');
    const snapshots = createLocalSnapshots(under);
    const source = { snapshotUid: randomUUID(), copyUid: set.copy.copyUid };
    const image = { poolPath: under.poolPath, ...source };
    await snapshots.takeImage(image, signal);
    await under.run('rm', thin.path(set, 'kept'));
    await under.run('sync', '--file-system', copyPaths(set.copy).mountPoint);
    await thin.trim(set);
    const clone = await newSet({ ...XFS, thinProvision: true, source });
    expect(await tableOf(clone)).toMatch(/ allow_discards$/m);
    expect(await thin.sumOf(clone, 'kept')).toBe(sum);
    await under.run('rm', thin.path(clone, 'kept'));
    await thin.trim(clone);
    await snapshots.eraseImage(image, signal);
    await clone.remove();
    await set.remove();
  });
});
