/** Runs in a guest whose kernel has dm-crypt: local copies that are encrypted as a whole. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CrashError } from '../../../src/adapters/host/inject.ts';
import {
  closeLuks,
  findMapping,
  hasLuksHeader,
  headerUuid,
  mappingPath,
  openLuks,
} from '../../../src/engines/image/luks.ts';
import { copyPaths } from '../../../src/engines/image/paths.ts';
import { createLocalSnapshots } from '../../../src/engines/local/index.ts';
import type { DesiredCopy, Engine } from '../../../src/ports/engine.ts';
import { settle } from '../../contract/engine-harness.ts';
import {
  createLocalSet,
  describeLocalEngine,
  ENCRYPTED,
  expectNothingLeft,
  KEY,
  type LocalSet,
  type LocalWish,
} from '../../contract/local-engine.contract.ts';
import { type LocalMachine, startLocalMachine } from '../../contract/local-machine.ts';
import { BLOCK, BTRFS, XFS } from './encrypted.ts';
import { PATIENCE } from './patience.ts';

const { keySecret } = ENCRYPTED;
const MIB = 1024 ** 2;
const CHANGES =
  /^(?:run (?!losetup --associated|blkid|stat|readlink|dumpe2fs|xfs_growfs -n|btrfs filesystem usage|cryptsetup --version)|file (?:writeText|makeDirectory|remove)|mounts (?:mount|unmount))/;

describe('copies encrypted with LUKS', () => {
  let under: LocalMachine;
  const signal = AbortSignal.timeout(60 * 60_000);
  beforeAll(async () => {
    under = await startLocalMachine('3G', true, PATIENCE);
    under.keys.set(keySecret, KEY);
  });
  afterAll(() => under?.stop());
  afterEach(() => expectNothingLeft(under));

  const newSet = (wish: Partial<LocalWish>) => createLocalSet(under, { ...wish, signal });
  const bring = (copy: DesiredCopy, isPresent: boolean, engine: Engine = under.engine()) => {
    const options = { signal, tries: 100, pause: () => new Promise<void>((resolve) => setImmediate(resolve)) };
    return settle<'copy'>(engine, { ...copy, isPresent }, { ...options, isPatient: true });
  };
  const write = ({ copy }: LocalSet, text: string) =>
    under.host.files.writeText(`${copyPaths(copy).brick}/precious`, text);
  const read = ({ copy }: LocalSet) => under.host.files.readText(`${copyPaths(copy).brick}/precious`);
  const writeDevice = async ({ attachment }: LocalSet, text: string, at = 0) => {
    const args = [`of=${attachment.mountPath}`, 'bs=1M', `seek=${at}`, 'conv=notrunc,fsync', 'status=none'];
    await under.host.run({ file: 'dd', args, stdin: text, timeoutMs: 60_000, signal });
  };
  const readDevice = ({ attachment }: LocalSet, length: number, at = 0) => {
    const args = [`if=${attachment.mountPath}`, 'iflag=skip_bytes,count_bytes', `skip=${at * MIB}`, `count=${length}`];
    return under.run('dd', ...args, 'status=none');
  };
  /** Which of these the image holds: one look, for it is a long one on an emulated processor. */
  const foundIn = async ({ copy }: LocalSet, texts: readonly string[]) => {
    const patterns = texts.flatMap((text) => ['-e', text]);
    // Zeros end its lines: those of an image would be very long otherwise.
    const how = ['--text', '--null-data', '--fixed-strings', '--only-matching'];
    const args = [...how, ...patterns, '--', copyPaths(copy).image];
    const { stdout } = await under.host.run({ file: 'grep', args, okCodes: [0, 1], timeoutMs: 600_000 });
    return [...new Set(stdout.split('\0'))].filter((text) => text !== '').toSorted();
  };

  it('says that it can', async () => {
    expect((await under.engine().probe(signal)).abilities).toEqual(['btrfs', 'luks']);
  });

  it('has nothing readable on the disk, where its plain twin has all', async () => {
    const words = ['name-that-nobody-may-read', 'words-that-nobody-may-read'] as const;
    for (const wish of [XFS, { fsType: 'xfs' }] as const) {
      const set = await newSet(wish);
      const { engine, trace } = under.injected([]);
      await bring(set.copy, true, engine);
      await set.mount();
      const isEncrypted = 'keySecret' in wish;
      expect(await hasLuksHeader(under.host, copyPaths(set.copy).image)).toBe(isEncrypted);
      const path = `${set.attachment.mountPath}/${words[0]}`;
      await under.host.files.writeText(path, words[1].repeat(200));
      await under.run('sync', '--file-system', path);
      expect(await foundIn(set, [...words, KEY])).toEqual(isEncrypted ? [] : words);
      expect(trace.join('\n')).not.toContain(KEY);
      await set.remove();
    }
  });

  it('hides what is in a device, where its plain twin shows it', async () => {
    const text = 'words-that-nobody-may-read';
    for (const wish of [BLOCK, { brick: 'block' }] as const) {
      const set = await newSet(wish);
      await set.make();
      await set.mount();
      expect(Number(await under.run('blockdev', '--getsize64', set.attachment.mountPath))).toBe(set.copy.sizeBytes);
      await writeDevice(set, text, 3);
      expect(await foundIn(set, [text, KEY])).toEqual('keySecret' in wish ? [] : [text]);
      expect(await readDevice(set, text.length, 3)).toBe(text);
      await set.remove();
    }
  });

  it.each([XFS, ENCRYPTED, BTRFS])('grows in use, and no fstrim takes its room away (%o)', async (wish) => {
    const set = await newSet(wish);
    await set.make();
    await write(set, 'kept');
    const grown = { ...set.copy, sizeBytes: 300 * MIB };
    expect(await bring(grown, true)).toMatchObject({ state: 'ready', sizeBytes: grown.sizeBytes });
    const { freeBytes } = await under.host.files.usage(copyPaths(set.copy).mountPoint);
    expect(freeBytes).toBeGreaterThanOrEqual(grown.sizeBytes - MIB);
    const reserved = await under.run('stat', '--format=%b', copyPaths(set.copy).image);
    await expect(under.run('fstrim', copyPaths(set.copy).mountPoint)).rejects.toThrow(/not supported/);
    expect(await under.run('stat', '--format=%b', copyPaths(set.copy).image)).toBe(reserved);
    await under.restart(set.copy);
    await set.make();
    expect(await read(set)).toBe('kept');
    await bring(set.copy, false);
  });

  it('grows a device while it is open', async () => {
    const set = await newSet(BLOCK);
    await set.make();
    await set.mount();
    await writeDevice(set, 'kept');
    const grown = { ...set.copy, sizeBytes: 200 * MIB };
    expect(await bring(grown, true)).toMatchObject({ sizeBytes: grown.sizeBytes });
    expect(Number(await under.run('blockdev', '--getsize64', set.attachment.mountPath))).toBe(grown.sizeBytes);
    await writeDevice(set, 'behind', 190);
    expect([await readDevice(set, 4), await readDevice(set, 6, 190)]).toEqual(['kept', 'behind']);
    await set.remove();
  });

  it.each([XFS, ENCRYPTED, BTRFS])(
    'makes a clone from a snapshot that was taken in use, with the key of its source (%o)',
    async (wish) => {
      const set = await newSet(wish);
      await set.make();
      await write(set, 'as it was');
      const snapshots = createLocalSnapshots(under);
      const source = { snapshotUid: randomUUID(), copyUid: set.copy.copyUid };
      await snapshots.takeImage({ poolPath: under.poolPath, ...source }, signal);
      await write(set, 'as it is');
      const clone = await newSet({ ...wish, source });
      await clone.make();
      await clone.mount();
      expect([await read(clone), await read(set)]).toEqual(['as it was', 'as it is']);
      const { copyUid } = clone.copy;
      for (const [path, uuid] of [
        [copyPaths(clone.copy).image, headerUuid(copyUid)],
        [mappingPath(copyUid), copyUid],
      ] as const) {
        const id = await under.run('blkid', '-p', '-s', 'UUID', '-o', 'value', path);
        expect(id.trim(), path).toBe(uuid);
      }
      await snapshots.eraseImage({ poolPath: under.poolPath, ...source }, signal);
      await clone.remove();
      await set.remove();
    },
  );

  it('makes a clone of a device, with what was written by then', async () => {
    const set = await newSet(BLOCK);
    await set.make();
    await set.mount();
    const args = [`of=${set.attachment.mountPath}`, 'bs=1M', 'conv=notrunc', 'status=none'];
    await under.host.run({ file: 'dd', args, stdin: 'not flushed', timeoutMs: 60_000, signal });
    const snapshots = createLocalSnapshots(under);
    const source = { snapshotUid: randomUUID(), copyUid: set.copy.copyUid };
    const image = { poolPath: under.poolPath, ...source, isBlock: true };
    await snapshots.takeImage(image, signal);
    await writeDevice(set, 'as it is now');
    const clone = await newSet({ ...BLOCK, source });
    await clone.make();
    await clone.mount();
    expect([await readDevice(clone, 11), await readDevice(set, 12)]).toEqual(['not flushed', 'as it is now']);
    await snapshots.eraseImage(image, signal);
    await clone.remove();
    await set.remove();
  });

  it('attaches a device with its own key only, and for reading only where that is asked for', async () => {
    const set = await newSet(BLOCK);
    await set.make();
    const apply = async (isReadOnly = false) => {
      const wanted = { ...set.attachment, isReadOnly };
      const engine = under.engine();
      for (const step of engine.plan<'attachment'>(wanted, await engine.observe<'attachment'>(wanted, signal))) {
        await engine.apply(step, signal);
      }
    };
    under.keys.set(keySecret, KEY.replaceAll('e', 'a'));
    await expect(apply()).rejects.toMatchObject({ kind: 'precondition', reason: 'WrongKey' });
    under.keys.set(keySecret, KEY);
    expect(await findMapping(under.host, set.copy.copyUid)).toBeUndefined();
    await apply(true);
    await expect(writeDevice(set, 'no')).rejects.toThrow(/not permitted|Read-only/);
    const elsewhere = `${under.mountsPath}/pod`;
    await under.host.files.writeText(elsewhere, '');
    await under.run('mount', '--bind', set.attachment.mountPath, elsewhere);
    const gone = { ...set.attachment, isPresent: false };
    const [unbind, detach] = under
      .engine()
      .plan<'attachment'>(gone, await under.engine().observe<'attachment'>(gone, signal));
    if (unbind === undefined || detach === undefined) throw new Error('nothing is planned');
    await under.engine().apply(unbind, signal);
    await expect(under.engine().apply(detach, signal)).rejects.toMatchObject({ reason: 'ImageHeld' });
    await under.run('umount', elsewhere);
    await under.run('rm', elsewhere);
    await set.remove();
  });

  it('mounts what a power cut has left, and closes what an agent has', async () => {
    for (const wish of [XFS, ENCRYPTED, BTRFS]) {
      const set = await newSet(wish);
      await set.make();
      await write(set, 'kept');
      await under.run('sync', '--file-system', copyPaths(set.copy).mountPoint);
      const { image } = copyPaths(set.copy);
      // What is on the disk at this moment, with the log of a file system that is mounted.
      await under.run('cp', '--reflink=always', image, `${image}.unclean`);
      await under.restart(set.copy);
      await under.run('mv', `${image}.unclean`, image);
      await openLuks(tools(under), { copyUid: set.copy.copyUid, image, keySecret, signal });
      await set.make();
      expect(await read(set), wish.fsType).toBe('kept');
      await bring(set.copy, false);
    }
  });

  it('mounts and erases nothing that is mounted elsewhere, and formats nothing that is there', async () => {
    const set = await newSet(XFS);
    await set.make();
    await write(set, 'kept');
    const elsewhere = `${under.mountsPath}/elsewhere`;
    await under.run('mkdir', '-p', elsewhere);
    await under.run('mount', '--bind', copyPaths(set.copy).brick, elsewhere);
    const gone = { ...set.copy, isPresent: false };
    const apply = async (copy: DesiredCopy) => {
      for (const step of under.engine().plan<'copy'>(copy, await under.engine().observe<'copy'>(copy, signal))) {
        await under.engine().apply(step, signal);
      }
    };
    await expect(apply(gone)).rejects.toMatchObject({ reason: 'ImageHeld' });
    await expect(apply(set.copy)).rejects.toMatchObject({ reason: 'ImageHeld' });
    expect(await under.host.files.readText(`${elsewhere}/precious`)).toBe('kept');
    await under.run('umount', elsewhere);
    await bring(set.copy, true);
    expect(await read(set)).toBe('kept');
    await under.restart(set.copy);
    const { image } = copyPaths(set.copy);
    await under.run('mkfs.ext4', '-q', '-F', image);
    const before = await under.run('sha256sum', image);
    await expect(bring(set.copy, true)).rejects.toMatchObject({ kind: 'dataLoss', reason: 'ImageUnknown' });
    expect(await under.run('sha256sum', image)).toBe(before);
    await closeLuks(under.host, set.copy.copyUid);
    await bring(set.copy, false);
  });

  it.each([XFS, BLOCK])(
    'is whole, or gone, after a crash around any change of making or removing it (%o)',
    async (wish) => {
      const dies = async (copy: DesiredCopy, isPresent: boolean, nth: number) => {
        const what = nth % 2 === 0 ? 'crash-before' : 'crash-after';
        return bring(copy, isPresent, under.injected([{ match: CHANGES, nth, what }]).engine).then(
          () => false,
          (error: unknown) => error instanceof CrashError || Promise.reject(error),
        );
      };
      for (let nth = 1; ; nth += 1) {
        const set = await newSet(wish);
        const hasCrashed = await dies(set.copy, true, nth);
        expect(await bring(set.copy, true), `change ${nth}`).toMatchObject({ state: 'ready' });
        await dies(set.copy, false, nth);
        await bring(set.copy, false);
        expect(await under.residue(), `change ${nth}`).toEqual([]);
        if (!hasCrashed) return;
      }
    },
  );
});

function tools({ host, keys }: LocalMachine) {
  return { host, keys: { read: async (name: string) => keys.get(name) ?? '' } };
}

describeLocalEngine('a machine with dm-crypt', () => startLocalMachine('3G', true, PATIENCE), [XFS, BTRFS, BLOCK]);
