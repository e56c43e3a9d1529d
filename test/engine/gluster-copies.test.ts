/** Copies on a real pool: crashes at every line, limits that hold, and nothing touched that is not ours. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CrashError } from '../../src/adapters/host/inject.ts';
import { parseEngineVolumeName } from '../../src/domain/names.ts';
import { imageBytes } from '../../src/domain/volume/copy-size.ts';
import { copyPaths } from '../../src/engines/image/paths.ts';
import { snapshotPaths } from '../../src/engines/image/snapshot-paths.ts';
import type { DesiredCopy, Engine, Observed } from '../../src/ports/engine.ts';
import { createVolumeSet, settle } from '../contract/engine-harness.ts';
import { type GlusterLab, startGlusterLab } from './gluster-fixture.ts';

const MIB = 1024 ** 2;
const NODE = 'kube1';
const TIMEOUT_MS = 60_000;
/** Operations that change nothing: whoever dies after one leaves what there was after the change before it. */
const LOOKS =
  /^(?:file (?:stat|readText|readBytes|list|usage)|mounts list|run (?:losetup --list|blkid|stat|getfattr))\b/;

describe('copies', () => {
  let under: GlusterLab;
  const signal = AbortSignal.timeout(20 * 60_000);

  beforeAll(async () => {
    under = await startGlusterLab('gluster-copies');
  });
  afterAll(() => under?.stop());
  const expectNothingLeft = async () => expect(await under.residue()).toEqual([]);
  afterEach(() => expectNothingLeft());

  const newCopy = (brick: DesiredCopy['brick'] = 'image'): DesiredCopy => ({
    subject: 'copy',
    isPresent: true,
    copyUid: randomUUID(),
    volume: parseEngineVolumeName('gv0'),
    volumeUid: randomUUID(),
    poolPath: under.poolPath,
    brick,
    sizeBytes: 128 * MIB,
  });
  const bring = (copy: DesiredCopy, isPresent: boolean, engine: Engine = under.engine(NODE)) =>
    settle<'copy'>(engine, { ...copy, isPresent }, { ...under.patience, signal });
  const run = (file: string, ...args: string[]) => under.run(NODE, file, ...args);
  const blocksOf = async (path: string) => Number(await run('stat', '--format=%b', path)) * 512;

  /** Brings a copy up or down on a host that dies after its n-th change; false when it did not come to that. */
  const dies = async (copy: DesiredCopy, isPresent: boolean, nth: number): Promise<boolean> => {
    const match = (operation: string) => !LOOKS.test(operation);
    const { engine } = under.injected(NODE, [{ match, nth, what: 'crash-after' }]);
    try {
      await bring(copy, isPresent, engine);
      return false;
    } catch (error) {
      if (!(error instanceof CrashError)) throw error;
      return true;
    }
  };

  it.each(['image', 'directory'] as const)(
    'ends whole after a crash at any change of making one (%s)',
    async (brick) => {
      for (let nth = 1; ; nth += 1) {
        const copy = newCopy(brick);
        const hasCrashed = await dies(copy, true, nth);
        expect(await bring(copy, true), `change ${nth}`).toMatchObject({ state: 'ready' });
        expect((await under.lab.host(NODE).files.stat(copyPaths(copy).brick))?.type).toBe('directory');
        await bring(copy, false);
        if (!hasCrashed) return;
      }
    },
  );

  it.each(['image', 'directory'] as const)(
    'is gone after a crash at any change of removing one (%s)',
    async (brick) => {
      for (let nth = 1; ; nth += 1) {
        const copy = newCopy(brick);
        await bring(copy, true);
        await run('dd', 'if=/dev/urandom', `of=${copyPaths(copy).brick}/data`, 'bs=64K', 'count=4', 'status=none');
        const hasCrashed = await dies(copy, false, nth);
        await bring(copy, false);
        expect(await under.residue(), `change ${nth}`).toEqual([]);
        if (!hasCrashed) return;
      }
    },
  );

  it('goes after a crash at any change of making it, too', async () => {
    for (let nth = 1; ; nth += 1) {
      const copy = newCopy();
      const hasCrashed = await dies(copy, true, nth);
      await bring(copy, false);
      expect(await under.residue(), `change ${nth}`).toEqual([]);
      if (!hasCrashed) return;
    }
  });

  it('reserves all of its space, and lets no fstrim give it back', async () => {
    const copy = newCopy();
    await bring(copy, true);
    const { image, mountPoint } = copyPaths(copy);
    const size = imageBytes(copy.sizeBytes);
    expect(await blocksOf(image)).toBeGreaterThanOrEqual(size);
    const trim = await under.lab.host(NODE).run({
      file: 'fstrim',
      args: [mountPoint],
      okCodes: [0, 1],
      timeoutMs: TIMEOUT_MS,
    });
    expect(trim.code).toBe(1);
    expect(await blocksOf(image)).toBeGreaterThanOrEqual(size);
    await bring(copy, false);
  });

  it('gives what GlusterFS noted in the image of a snapshot the name and the numbers of the clone', async () => {
    const copy = newCopy();
    await bring(copy, true);
    const { image, brick, mountPoint } = copyPaths(copy);
    const source = { snapshotUid: randomUUID(), copyUid: copy.copyUid };
    const snapshot = snapshotPaths({ poolPath: copy.poolPath, ...source });
    // As GlusterFS keeps them: the file under its ID too, and its ID in the index of what is to heal.
    const id = randomUUID();
    const handles = `${brick}/.glusterfs/${id.slice(0, 2)}/${id.slice(2, 4)}`;
    const index = `${brick}/.glusterfs/indices/xattrop`;
    await run('mkdir', '-p', handles, index, snapshot.folder);
    await run('touch', `${brick}/file`, `${index}/${id}`);
    await run('ln', `${brick}/file`, `${handles}/${id}`);
    const [lacking, gone] = ['0x000000010000000000000000', '0x000000020000000000000000'];
    await run('setfattr', '--name=trusted.afr.gv0-client-3', `--value=${lacking}`, `${brick}/file`);
    await run('setfattr', '--name=trusted.afr.gv0-client-0', `--value=${gone}`, `${brick}/file`);
    await run('sync', '--file-system', mountPoint);
    await run('cp', '--reflink=always', image, snapshot.image);
    await under.lab.host(NODE).files.writeText(snapshot.clients, '1 2 3\n', { mode: 0o600 });

    const clone = { ...newCopy(), volume: parseEngineVolumeName('twin'), source };
    expect(await bring(clone, true)).toMatchObject({ state: 'ready' });
    const marks = await run(
      ...(['getfattr', '--absolute-names', '--dump', '--match=^trusted[.]afr', '--encoding=hex'] as const),
      `${copyPaths(clone).brick}/file`,
    );
    expect(marks.split('\n').filter((line) => line.startsWith('trusted'))).toEqual([
      `trusted.afr.twin-client-2=${lacking}`,
    ]);
    await bring(clone, false);
    await bring(copy, false);
    await run('rm', '-r', snapshot.parents[2]);
    await run('rmdir', '--ignore-fail-on-non-empty', snapshot.parents[1]);
  });

  it('leaves nothing readable in the bricks of an encrypted volume, and serves it again after a power cut', async () => {
    under.keys.set('key', 'the-key-of-the-test-has-64-characters-as-those-of-the-controller');
    const words = 'words-that-nobody-may-read';
    const linesWith = async (node: string, text: string, image: string) => {
      const grep = { file: 'grep', args: ['--text', '--count', '-e', text, '--', image], okCodes: [0, 1] };
      return Number((await under.lab.host(node).run({ ...grep, timeoutMs: TIMEOUT_MS })).stdout);
    };
    const wish = { brick: 'image', sizeBytes: 160 * MIB, signal } as const;
    const twin = await createVolumeSet(under, { ...wish, layout: 'single' });
    const set = await createVolumeSet(under, { ...wish, layout: 'replicated', keySecret: 'key' });
    for (const each of [twin, set]) {
      await each.make();
      await each.mount(NODE);
      const args = [`of=${each.attachment.mountPath}/name-of-a-file`, 'conv=fsync', 'status=none'];
      await under.lab.host(NODE).run({ file: 'dd', args, stdin: words, timeoutMs: TIMEOUT_MS });
      for (const { node, desired } of each.copies) {
        const { image, mountPoint } = copyPaths(desired);
        await under.run(node, 'sync', '--file-system', mountPoint);
        for (const text of [words, 'name-of-a-file']) {
          expect((await linesWith(node, text, image)) > 0, `${text} on ${node}`).toBe(each === twin);
        }
      }
    }
    await twin.remove();
    for (const { node, desired } of set.copies) {
      const { encryption } = await under.engine(node).observe<'copy'>(desired, signal);
      expect(encryption).toMatch(/^(?:luks2|fscrypt)$/);
    }

    const [, second] = set.copies;
    if (second === undefined) throw new Error('it has no second copy');
    await under.powerOff(second.node);
    expect(await under.write(NODE, set.attachment)).toBe(true);
    await under.powerOn(second.node);
    const copy = under.engine(second.node);
    expect(await settle<'copy'>(copy, second.desired, { ...under.patience, signal })).toMatchObject({ state: 'ready' });
    const isHealed = ({ bricks }: Observed<'volume'>) =>
      bricks.every((brick) => brick.isOnline && brick.pendingHeals === 0);
    await settle<'volume'>(under.engine(set.anchor), set.volume, { ...under.patience, signal, fact: isHealed });
    const { brick } = copyPaths(second.desired);
    expect(await under.run(second.node, 'cat', `${brick}/name-of-a-file`)).toBe(words);
    expect((await under.run(second.node, 'ls', brick)).trim().split('\n')).toHaveLength(2);
    await set.remove();
  });

  it('grows in use, and ends whole after a crash at any command of growing it', async () => {
    const copy = newCopy();
    await bring(copy, true);
    const { brick, image, mountPoint } = copyPaths(copy);
    await run('dd', 'if=/dev/urandom', `of=${brick}/data`, 'bs=64K', 'count=16', 'conv=fsync', 'status=none');
    const before = await run('sha256sum', `${brick}/data`);
    for (let nth = 1; ; nth += 1) {
      const grown = { ...copy, sizeBytes: (200 + 4 * nth) * MIB };
      const commands = under.injected(NODE, [{ match: /^run /, nth, what: 'crash-after' }]).engine;
      const hasCrashed = await bring(grown, true, commands).then(
        () => false,
        (error: unknown) => error instanceof CrashError || Promise.reject(error),
      );
      // As the agent has it: what it saw before is of another size.
      const seen = await bring({ ...grown, seenSizeBytes: copy.sizeBytes }, true);
      expect(seen, `command ${nth}`).toMatchObject({ state: 'ready', sizeBytes: grown.sizeBytes });
      const { freeBytes } = await under.lab.host(NODE).files.usage(mountPoint);
      expect(freeBytes + 16 * 64 * 1024, `command ${nth}`).toBeGreaterThanOrEqual(grown.sizeBytes);
      expect(await blocksOf(image)).toBeGreaterThanOrEqual(imageBytes(grown.sizeBytes));
      if (!hasCrashed) break;
    }
    const size = await blocksOf(image);
    await under.lab.host(NODE).run({ file: 'fstrim', args: [mountPoint], okCodes: [1], timeoutMs: TIMEOUT_MS });
    expect(await blocksOf(image)).toBe(size);
    expect(await run('sha256sum', `${brick}/data`)).toBe(before);
    // A smaller wish takes nothing away.
    expect(await bring(copy, true)).toMatchObject({ state: 'ready', sizeBytes: copy.sizeBytes });
    expect(await blocksOf(image)).toBe(size);
    await bring(copy, false);
  });

  it('stays as it is, and takes nothing more of the pool, when the room to grow is gone, also in the last moment', async () => {
    const copy = newCopy();
    await bring(copy, true);
    const { image, brick } = copyPaths(copy);
    const [host, filler] = [under.lab.host(NODE), `${under.poolPath}/filler`];
    const before = { size: await run('stat', '--format=%s', image), blocks: await blocksOf(image) };
    const grown = { ...copy, sizeBytes: 300 * MIB };
    const fill = async () => {
      const { freeBytes } = await host.files.usage(under.poolPath);
      await run('fallocate', '--length', String(freeBytes - 60 * MIB), filler);
    };
    await fill();
    await expect(bring(grown, true)).rejects.toMatchObject({ kind: 'capacity', reason: 'PoolFull' });
    await run('rm', filler);
    // Taken by somebody else between the look and the reservation.
    const { promise: isFilled, resolve } = Promise.withResolvers<void>();
    const late = under.injected(NODE, [{ match: /^run fallocate/, what: 'pause', until: isFilled }]);
    // Kept, not thrown: it may come before anybody awaits it.
    const failure = settle<'copy'>(late.engine, grown, { ...under.patience, signal }).then(
      () => undefined,
      (error: unknown) => error,
    );
    const isReached = () => late.trace.some((operation) => operation.startsWith('run fallocate'));
    await expect.poll(isReached, { timeout: TIMEOUT_MS }).toBe(true);
    await fill();
    resolve();
    expect(await failure).toMatchObject({ kind: 'capacity', reason: 'PoolFull' });
    expect({ size: await run('stat', '--format=%s', image), blocks: await blocksOf(image) }).toEqual(before);
    await run('touch', `${brick}/still-writable`);
    await run('rm', filler);
    expect(await bring(grown, true)).toMatchObject({ state: 'ready', sizeBytes: grown.sizeBytes });
    await bring(copy, false);
  });

  it('makes the image anew when its making was cut short, and never once it is whole', async () => {
    const copy = newCopy();
    const { folder, newImage, image } = copyPaths(copy);
    await run('mkdir', '-p', folder);
    await run('fallocate', '--length', '1M', newImage);
    await bring(copy, true);
    await run('touch', `${copyPaths(copy).brick}/precious`);
    await run('umount', copyPaths(copy).mountPoint);
    const before = await run('stat', '--format=%i', image);
    await bring(copy, true);
    expect(await run('stat', '--format=%i', image)).toBe(before);
    expect(await run('ls', copyPaths(copy).brick)).toBe('precious\n');
    await bring(copy, false);
  });

  it('neither mounts nor formats an image that is not its own', async () => {
    const copy = newCopy();
    const { folder, image } = copyPaths(copy);
    await run('mkdir', '-p', folder);
    await run('truncate', '-s', '16M', image);
    await run('mkfs.ext4', '-q', image);
    const before = await run('sha256sum', image);
    await expect(bring(copy, true)).rejects.toMatchObject({ kind: 'dataLoss', reason: 'ImageUnknown' });
    expect(await run('sha256sum', image)).toBe(before);
    await bring(copy, false);
  });

  it('follows no symlink, neither when making nor when removing', async () => {
    const copy = newCopy('directory');
    await run('mkdir', '-p', '/mnt/victim/copies');
    await run('touch', '/mnt/victim/precious');
    await run('ln', '-s', '/mnt/victim', `${under.poolPath}/.holdfast`);
    for (const isPresent of [true, false]) {
      await expect(bring(copy, isPresent)).rejects.toMatchObject({ kind: 'precondition', reason: 'UnexpectedFile' });
    }
    await run('rm', `${under.poolPath}/.holdfast`);

    await bring(copy, true);
    await run('ln', '-s', '/mnt/victim', `${copyPaths(copy).brick}/inside`);
    await bring(copy, false);

    await bring(copy, true);
    await run('rmdir', copyPaths(copy).brick);
    await run('ln', '-s', '/mnt/victim', copyPaths(copy).brick);
    await expect(bring(copy, false)).rejects.toMatchObject({ reason: 'UnexpectedFile' });
    await run('rm', copyPaths(copy).brick);
    await bring(copy, false);
    expect(await run('ls', '/mnt/victim')).toBe('copies\nprecious\n');
  });

  it('erases nothing where somebody else has put something', async () => {
    const copy = newCopy();
    const { folder, mountPoint } = copyPaths(copy);
    await bring(copy, true);
    await run('touch', `${folder}/notes.txt`);
    await expect(bring(copy, false)).rejects.toThrow(/notes\.txt/);
    await run('rm', `${folder}/notes.txt`);

    await bring(copy, true);
    await run('umount', mountPoint);
    await run('touch', `${mountPoint}/below`);
    await expect(bring(copy, false)).rejects.toMatchObject({ kind: 'precondition' });
    expect(await run('ls', mountPoint)).toBe('below\n');
    await run('rm', `${mountPoint}/below`);
    await bring(copy, false);
  });

  it.each(['image', 'directory'] as const)(
    'puts nothing in the place of a copy in use that is out of sight (%s)',
    async (brick) => {
      const copy = newCopy(brick);
      await bring(copy, true);
      await run('touch', `${copyPaths(copy).brick}/precious`);
      // As when the pool's own file system is not mounted, and this is the folder below it.
      await run('mount', '-t', 'tmpfs', 'tmpfs', under.poolPath);
      await expect(bring({ ...copy, isInUse: true }, true)).rejects.toMatchObject({ reason: 'CopyLost' });
      expect(await run('ls', '-A', under.poolPath)).toBe('');
      await run('umount', under.poolPath);
      expect(await bring(copy, true)).toMatchObject({ state: 'ready' });
      expect(await run('ls', copyPaths(copy).brick)).toBe('precious\n');
      await bring(copy, false);
    },
  );

  it('makes no brick in the plain folder where something hides the mount of its image', async () => {
    const copy = newCopy();
    await bring(copy, true);
    // The same files at the same path, but without what is mounted below: the mount table still lists that.
    await run('mount', '--bind', under.poolPath, under.poolPath);
    await expect(bring(copy, true)).rejects.toMatchObject({ kind: 'precondition', reason: 'ImageHidden' });
    expect(await run('ls', copyPaths(copy).mountPoint)).toBe('');
    await run('umount', under.poolPath);
    expect(await bring(copy, true)).toMatchObject({ state: 'ready' });
    await bring(copy, false);
  });

  it('does nothing while the pool is missing', async () => {
    const copy = { ...newCopy(), poolPath: '/nosuch-pool' };
    for (const isPresent of [true, false]) {
      await expect(bring(copy, isPresent)).rejects.toMatchObject({ reason: 'PoolMissing' });
    }
  });

  it('says how much is missing in a pool that is full, whatever fills it, and leaves nothing there', async () => {
    const { freeBytes } = await under.lab.host(NODE).files.usage(under.poolPath);
    const filler = `${under.poolPath}/filler`;
    await run('fallocate', '--length', String(freeBytes - 100 * MIB), filler);
    const message = /has .* of .* free; the copy needs 300 MiB/;
    const error = { kind: 'capacity', reason: 'PoolFull', message: expect.stringMatching(message) };
    await expect(bring(newCopy(), true)).rejects.toMatchObject(error);
    await run('rm', filler);
  });

  it.each([
    ['image', 'No space left on device', 0],
    ['directory', 'Disk quota exceeded', 2 * MIB],
  ] as const)('shows at least the size asked for and stops writers there (%s)', async (brick, message, overshoot) => {
    const sizeBytes = 200 * MIB;
    const set = await createVolumeSet(under, { layout: 'single', brick, sizeBytes, signal });
    await set.make();
    await set.mount(NODE);
    const { mountPath } = set.attachment;
    const { capacityBytes, freeBytes } = await under.lab.host(NODE).files.usage(mountPath);
    expect(capacityBytes).toBeGreaterThanOrEqual(sizeBytes);
    expect(freeBytes).toBeGreaterThanOrEqual(sizeBytes);
    const writer = await under.lab.host(NODE).run({
      file: 'dd',
      args: ['if=/dev/zero', `of=${mountPath}/big`, 'bs=1M', 'count=1000', 'conv=fsync', 'status=none'],
      okCodes: [1],
      timeoutMs: TIMEOUT_MS,
    });
    expect(writer.stderr).toContain(message);
    const written = Number(await run('stat', '--format=%s', `${mountPath}/big`));
    expect(written).toBeGreaterThanOrEqual(sizeBytes);
    expect(written).toBeLessThanOrEqual(capacityBytes + overshoot);
    // Full is not broken: what is there can be read and removed.
    await run('rm', `${mountPath}/big`);
    expect(await under.write(NODE, set.attachment)).toBe(true);
    await set.remove();
  });
});
