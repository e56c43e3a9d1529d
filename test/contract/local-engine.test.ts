/** The local engine on this machine: it keeps its promises, and loses nothing whatever cuts it short. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CrashError } from '../../src/adapters/host/inject.ts';
import { imageBytes } from '../../src/domain/volume/copy-size.ts';
import { copyPaths } from '../../src/engines/image/paths.ts';
import { createLocalSnapshots } from '../../src/engines/local/index.ts';
import type { DesiredCopy, Engine } from '../../src/ports/engine.ts';
import { settle } from './engine-harness.ts';
import {
  createLocalSet,
  describeLocalEngine,
  ENCRYPTED,
  expectNothingLeft,
  KEY,
  type LocalSet,
  type LocalWish,
} from './local-engine.contract.ts';
import { type LocalMachine, startLocalMachine } from './local-machine.ts';

// With fscrypt, which it has whatever its kernel can; LUKS is tested where there is a kernel that has it (test/vm).
const start = () => startLocalMachine('3G', false);
describeLocalEngine('this machine', start);

const MIB = 1024 ** 2;
/** Only what changes something: after a look nothing is other than before it. */
const CHANGES =
  /^(?:run (?!losetup --associated|blkid|stat|readlink|dumpe2fs|xfs_growfs -n|btrfs filesystem usage)|file (?:writeText|makeDirectory|remove)|mounts (?:mount|unmount))/;

describe('local copies on this machine', () => {
  let under: LocalMachine;
  const signal = AbortSignal.timeout(10 * 60_000);
  beforeAll(async () => {
    under = await start();
    under.keys.set(ENCRYPTED.keySecret, KEY);
  });
  afterAll(() => under?.stop());
  afterEach(() => expectNothingLeft(under));

  const newSet = (wish: Partial<LocalWish> = {}) => createLocalSet(under, { ...wish, signal });
  const bring = (copy: DesiredCopy, isPresent: boolean, engine: Engine = under.engine()) => {
    const options = { signal, tries: 100, pause: () => new Promise<void>((resolve) => setImmediate(resolve)) };
    return settle<'copy'>(engine, { ...copy, isPresent }, { ...options, isPatient: true });
  };
  /** Brings a copy up or down on a host that dies around its n-th change; false when it did not come to that. */
  const dies = async (copy: DesiredCopy, isPresent: boolean, nth: number, when: 'before' | 'after') => {
    try {
      await bring(copy, isPresent, under.injected([{ match: CHANGES, nth, what: `crash-${when}` }]).engine);
      return false;
    } catch (error) {
      if (!(error instanceof CrashError)) throw error;
      return true;
    }
  };
  const write = (set: LocalSet, text: string) =>
    under.host.files.writeText(`${copyPaths(set.copy).brick}/precious`, text);
  const read = (set: LocalSet) => under.host.files.readText(`${copyPaths(set.copy).brick}/precious`);
  /** Runs with the image neither mounted nor attached. */
  const inOrder = async (set: LocalSet, act: (image: string) => Promise<unknown>) => {
    await under.run('umount', copyPaths(set.copy).mountPoint);
    await act(copyPaths(set.copy).image);
  };

  it.each([
    ...([{ brick: 'image' }, { brick: 'directory' }, { brick: 'block' }, ENCRYPTED] as const),
    ...([{ thinProvision: true }, { thinProvision: true, brick: 'block' }] as const),
  ])('is whole, or gone, after a crash around any change of making or removing one (%o)', async (wish) => {
    for (let nth = 1; ; nth += 1) {
      const set = await newSet(wish);
      const when = nth % 2 === 0 ? 'before' : 'after';
      const hasCrashed = await dies(set.copy, true, nth, when);
      expect(await bring(set.copy, true), `change ${nth}`).toMatchObject({ state: 'ready' });
      await dies(set.copy, false, nth, when);
      await bring(set.copy, false);
      expect(await under.residue(), `change ${nth}`).toEqual([]);
      if (!hasCrashed) return;
    }
  });

  it('formats nothing that is there: neither a whole image, nor whatever has its name', async () => {
    const set = await newSet();
    await set.make();
    await write(set, 'kept');
    const { image, folder } = copyPaths(set.copy);
    await inOrder(set, async () => undefined);
    for (let nth = 1; ; nth += 1) {
      const { engine, trace } = under.injected([{ match: CHANGES, nth, what: 'crash-after' }]);
      const hasCrashed = await bring(set.copy, true, engine).then(
        () => false,
        (error: unknown) => error instanceof CrashError || Promise.reject(error),
      );
      expect(trace.filter((each) => each.startsWith('run mkfs'))).toEqual([]);
      if (!hasCrashed) break;
    }
    expect(await read(set)).toBe('kept');
    await inOrder(set, () => under.run('mkfs.ext4', '-q', '-F', image));
    const before = await under.run('sha256sum', image);
    await expect(bring(set.copy, true)).rejects.toMatchObject({ kind: 'dataLoss', reason: 'ImageUnknown' });
    expect(await under.run('sha256sum', image)).toBe(before);
    expect(await under.host.files.list(folder)).toContain('brick.img');
    await bring(set.copy, false);
  });

  it.each(['image', 'directory'] as const)('touches nothing of another owner (%s)', async (brick) => {
    const set = await newSet({ brick });
    await set.make();
    await write(set, 'kept');
    const stranger = { ...set.copy, volumeUid: randomUUID() };
    await expect(bring(stranger, false)).rejects.toMatchObject({ kind: 'precondition', reason: 'NotTheOwner' });
    await bring(set.copy, true);
    expect(await read(set)).toBe('kept');
    await under.run('rm', `${copyPaths(set.copy).folder}/owner`);
    await expect(bring({ ...stranger, volumeUid: set.copy.volumeUid }, false)).rejects.toMatchObject({
      reason: 'NotTheOwner',
    });
    const text = `volume ${set.copy.volume}\nuid ${set.copy.volumeUid}\n`;
    await under.host.files.writeText(`${copyPaths(set.copy).folder}/owner`, text);
    await bring(set.copy, false);
  });

  it.each(['image', 'directory'] as const)('erases nothing that is mounted elsewhere (%s)', async (brick) => {
    const set = await newSet({ brick });
    await set.make();
    await write(set, 'kept');
    const elsewhere = `${under.mountsPath}/elsewhere`;
    await under.run('mkdir', '-p', elsewhere);
    await under.run('mount', '--bind', copyPaths(set.copy).brick, elsewhere);
    const reason = brick === 'image' ? 'ImageHeld' : 'FolderHeld';
    const apply = async () => {
      const gone = { ...set.copy, isPresent: false };
      const engine = under.engine();
      for (const step of engine.plan<'copy'>(gone, await engine.observe<'copy'>(gone, signal))) {
        await engine.apply(step, signal);
      }
    };
    await expect(apply()).rejects.toMatchObject({ kind: 'unavailable', reason });
    expect(await under.host.files.readText(`${elsewhere}/precious`)).toBe('kept');
    await under.run('umount', elsewhere);
    await bring(set.copy, false);
  });

  it('checks an unclean image before its first mount, and never one that is mounted', async () => {
    const set = await newSet({ fsType: 'ext4' });
    await set.make();
    await write(set, 'kept');
    await under.run('sync', '--file-system', copyPaths(set.copy).mountPoint);
    // As a crash leaves it: copied while it is mounted and not unmounted cleanly.
    const { image } = copyPaths(set.copy);
    await under.run('cp', '--reflink=always', image, `${image}.unclean`);
    await inOrder(set, () => under.run('mv', `${image}.unclean`, image));
    const { engine, trace } = under.injected([]);
    expect(await bring(set.copy, true, engine)).toMatchObject({ state: 'ready' });
    const work = trace.filter((each) => /^(?:run e2fsck|mounts mount )/.test(each)).map((each) => each.split(' ')[1]);
    expect(work).toEqual(['e2fsck', 'mount']);
    expect(await read(set)).toBe('kept');
    const again = under.injected([]);
    await under.run('umount', copyPaths(set.copy).mountPoint);
    await under.run('mount', '-o', 'loop', image, `${under.mountsPath}`);
    const mount = { step: 'mountImage', about: '', copy: set.copy };
    await expect(again.engine.apply(mount, signal)).rejects.toMatchObject({ reason: 'ImageHeld' });
    expect(again.trace.filter((each) => each.includes('e2fsck'))).toEqual([]);
    await under.run('umount', under.mountsPath);
    await bring(set.copy, true);
    await bring(set.copy, false);
  });

  it('grows XFS and btrfs in use, and ext4 at the next mount at the latest', async () => {
    for (const fsType of ['xfs', 'ext4', 'btrfs'] as const) {
      const set = await newSet({ fsType });
      await set.make();
      await write(set, 'kept');
      const grown = { ...set.copy, sizeBytes: 300 * MIB };
      if (fsType === 'ext4') {
        // Where the kernel refuses it to whoever lacks CAP_SYS_RESOURCE, the image is large enough already.
        const grow = { step: 'growImage', about: '', copy: set.copy, imageBytes: imageBytes(grown.sizeBytes) };
        await under
          .engine()
          .apply(grow, signal)
          .catch((error: unknown) => {
            expect(error).toMatchObject({ reason: 'GrowsAtNextMount' });
          });
        await under.run('umount', copyPaths(set.copy).mountPoint);
      }
      expect(await bring(grown, true)).toMatchObject({ state: 'ready', sizeBytes: grown.sizeBytes });
      const { freeBytes } = await under.host.files.usage(copyPaths(set.copy).mountPoint);
      expect(freeBytes, fsType).toBeGreaterThanOrEqual(grown.sizeBytes - MIB);
      expect((await under.host.files.stat(copyPaths(set.copy).image))?.sizeBytes).toBe(
        imageBytes(grown.sizeBytes, fsType),
      );
      expect(await read(set)).toBe('kept');
      await bring(set.copy, false);
    }
  });

  it('has room for all that is promised in btrfs, also after it was grown, and no fstrim takes it away', async () => {
    const set = await newSet({ fsType: 'btrfs' });
    await set.make();
    const grown = { ...set.copy, sizeBytes: 320 * MIB };
    for (const [name, copy] of Object.entries({ first: set.copy, second: grown })) {
      await bring(copy, true);
      const { brick, image } = copyPaths(copy);
      const bytes = name === 'first' ? copy.sizeBytes : copy.sizeBytes - set.copy.sizeBytes;
      await under.run('dd', 'if=/dev/zero', `of=${brick}/${name}`, 'bs=1M', `count=${bytes / MIB}`, 'conv=fsync');
      const reserved = await under.run('stat', '--format=%b', image);
      await expect(under.run('fstrim', copyPaths(copy).mountPoint)).rejects.toThrow(/not supported/);
      expect(await under.run('stat', '--format=%b', image)).toBe(reserved);
    }
    await bring(set.copy, false);
  });

  it.each([{ fsType: 'xfs' }, { fsType: 'ext4' }, { fsType: 'btrfs' }, ENCRYPTED] as const)(
    'makes a clone from a snapshot that was taken in use (%o)',
    async (wish) => {
      const set = await newSet(wish);
      await set.make();
      await set.mount();
      await write(set, 'as it was');
      const snapshots = createLocalSnapshots(under);
      const source = { snapshotUid: randomUUID(), copyUid: set.copy.copyUid };
      const image = { poolPath: under.poolPath, ...source };
      await snapshots.takeImage(image, signal);
      await write(set, 'as it is');
      const clone = await createLocalSet(under, { ...wish, source, signal });
      await clone.make();
      await clone.mount();
      expect([await read(clone), await read(set)]).toEqual(['as it was', 'as it is']);
      const idOf = async ({ copy }: LocalSet) =>
        under.run('blkid', '-p', '-s', 'UUID', '-o', 'value', copyPaths(copy).image);
      expect((await idOf(clone)).trim()).toBe(clone.copy.copyUid);
      await expect(snapshots.takeImage(image, signal)).rejects.toMatchObject({ reason: 'ImageFailed' });
      await snapshots.eraseImage(image, signal);
      await clone.remove();
      await set.remove();
    },
  );

  it('leaves nothing of what is written, nor of its name, nor of the key, on the disk of an encrypted copy', async () => {
    const words = ['words-that-nobody-may-read', 'name-that-nobody-may-read'] as const;
    /** How many lines of the image hold one of these. */
    const linesWith = async (set: LocalSet, texts: readonly string[]) => {
      const patterns = texts.flatMap((text) => ['-e', text]);
      const args = ['--text', '--fixed-strings', '--count', ...patterns, '--', copyPaths(set.copy).image];
      return Number((await under.host.run({ file: 'grep', args, okCodes: [0, 1], timeoutMs: 60_000 })).stdout);
    };
    for (const wish of [ENCRYPTED, { fsType: 'ext4' }] as const) {
      const set = await newSet(wish);
      const { engine, trace } = under.injected([]);
      await bring(set.copy, true, engine);
      await set.mount();
      const path = `${set.attachment.mountPath}/${words[1]}`;
      await under.host.files.writeText(path, words[0]);
      await under.run('sync', '--file-system', path);
      expect((await linesWith(set, words)) > 0, JSON.stringify(wish)).toBe(wish !== ENCRYPTED);
      expect(await linesWith(set, [KEY])).toBe(0);
      expect(trace.join('\n')).not.toContain(KEY);
      expect(await under.host.files.readText(path)).toBe(words[0]);
      await set.remove();
    }
  });

  it('grows an encrypted copy, keeps what is in it, and runs programs from it', async () => {
    const set = await newSet(ENCRYPTED);
    await set.make();
    await write(set, 'kept');
    const grown = { ...set.copy, sizeBytes: 300 * MIB };
    const grow = { step: 'growImage', about: '', copy: set.copy, imageBytes: imageBytes(grown.sizeBytes) };
    await under
      .engine()
      .apply(grow, signal)
      .catch((error: unknown) => {
        expect(error).toMatchObject({ reason: 'GrowsAtNextMount' });
      });
    await under.restart(set.copy);
    expect(await bring(grown, true)).toMatchObject({ state: 'ready', sizeBytes: grown.sizeBytes });
    expect(await read(set)).toBe('kept');
    await under.run('cp', '/bin/true', `${copyPaths(set.copy).brick}/program`);
    await under.run(`${copyPaths(set.copy).brick}/program`);
    await bring(set.copy, false);
  });

  it.each([
    { fsType: 'xfs', keySecret: ENCRYPTED.keySecret },
    { fsType: 'btrfs', keySecret: ENCRYPTED.keySecret },
    { brick: 'block', keySecret: ENCRYPTED.keySecret },
  ] as const)('makes nothing of %o, which only LUKS could encrypt', async (wish) => {
    const set = await newSet(wish);
    await expect(bring(set.copy, true)).rejects.toMatchObject({ kind: 'unsupported', reason: 'EncryptionUnsupported' });
    expect(await under.residue()).toEqual([]);
  });

  it('makes no folder that is not encrypted in the place of one that is', async () => {
    const set = await newSet(ENCRYPTED);
    await set.make();
    await under.run('rmdir', copyPaths(set.copy).brick);
    await expect(bring(set.copy, true)).rejects.toMatchObject({ kind: 'dataLoss', reason: 'NotEncrypted' });
    await under.run('mkdir', copyPaths(set.copy).brick);
    await under.restart(set.copy);
    await expect(bring(set.copy, true)).rejects.toMatchObject({ kind: 'dataLoss', reason: 'NotEncrypted' });
    await bring(set.copy, false);
  });

  it('mounts with the flags that are asked for, and with no others', async () => {
    const set = await newSet();
    await set.make();
    const engine = under.engine();
    const flagged = { ...set.attachment, isReadOnly: true, mountOptions: ['nodev', 'noexec'] };
    await set.mount();
    const seen = await engine.observe<'attachment'>(flagged, signal);
    const steps = engine.plan<'attachment'>(flagged, seen);
    expect(steps.map(({ step }) => step)).toEqual(['setFlags']);
    for (const step of steps) await engine.apply(step, signal);
    expect(engine.plan<'attachment'>(flagged, await engine.observe<'attachment'>(flagged, signal))).toEqual([]);
    await expect(under.run('touch', `${set.attachment.mountPath}/file`)).rejects.toThrow(/Read-only/);
    for (const option of ['loop', 'discard', 'nouuid', 'errors=continue', 'nodev,suid', 'bind']) {
      const odd = { ...set.attachment, mountOptions: [option] };
      expect(() => engine.plan<'attachment'>(odd, seen), option).toThrow(/not allowed/);
    }
    await set.remove();
  });
});
