/** Volumes that are devices, on this machine: nothing is ever written into one by us, and none is let go that is in use. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { CrashError } from '../../src/adapters/host/inject.ts';
import { createLocalSnapshots } from '../../src/engines/local/index.ts';
import type { DesiredAttachment } from '../../src/ports/engine.ts';
import { settle } from './engine-harness.ts';
import { createLocalSet, type LocalSet } from './local-engine.contract.ts';
import { type LocalMachine, startLocalMachine } from './local-machine.ts';

const MIB = 1024 ** 2;
const CHANGES =
  /^(?:run (?!losetup --associated|blkid|stat)|file (?:writeText|makeDirectory|remove)|mounts (?:mount|unmount))/;

let under: LocalMachine;
const signal = AbortSignal.timeout(10 * 60_000);
beforeAll(async () => {
  under = await startLocalMachine();
});
afterAll(() => under?.stop());
const expectNothingLeft = async () => expect(await under.residue()).toEqual([]);
afterEach(() => expectNothingLeft());

const newSet = () => createLocalSet(under, { brick: 'block', signal });
/** Into the device, at an offset in MiB; not flushed. */
const write = async ({ attachment }: LocalSet, text: string, at = 0) => {
  const args = ['of=' + attachment.mountPath, 'bs=1M', `seek=${at}`, 'conv=notrunc', 'status=none'];
  await under.host.run({ file: 'dd', args, stdin: text, timeoutMs: 20_000, signal });
};
const read = async ({ attachment }: LocalSet, length: number, at = 0) => {
  const args = [`if=${attachment.mountPath}`, 'iflag=skip_bytes,count_bytes', `skip=${at * MIB}`, `count=${length}`];
  return under.run('dd', ...args, 'status=none');
};
const apply = async (engine: LocalMachine['engine'], desired: DesiredAttachment) => {
  const made = engine();
  for (const step of made.plan<'attachment'>(desired, await made.observe<'attachment'>(desired, signal))) {
    await made.apply(step, signal);
  }
};
const deviceOf = async ({ copy }: LocalSet) =>
  (await under.run('losetup', '--noheadings', '--raw', '--output', 'NAME,BACK-FILE'))
    .split('\n')
    .find((line) => line.includes(copy.copyUid))
    ?.split(' ')[0];

it('is a device of the size that was asked for, of zeros, which keeps what is written and which nothing formats', async () => {
  const set = await newSet();
  await set.make();
  const { trace, engine } = under.injected([]);
  await apply(() => engine, set.attachment);
  expect((await under.run('stat', '--format=%F', set.attachment.mountPath)).trim()).toBe('block special file');
  expect(Number(await under.run('blockdev', '--getsize64', set.attachment.mountPath))).toBe(set.copy.sizeBytes);
  expect(await read(set, 8)).toBe('\0'.repeat(8));
  await write(set, 'precious', 100);
  await apply(under.engine, { ...set.attachment, isPresent: false });
  expect(await deviceOf(set)).toBeUndefined();
  await set.make();
  await set.mount();
  expect(await read(set, 8, 100)).toBe('precious');
  // A trim does not take the reservation away.
  const discards = await under.run('cat', `/sys/block/${(await deviceOf(set))?.slice(5)}/queue/discard_max_bytes`);
  expect(discards.trim()).toBe('0');
  expect(trace.filter((each) => /mkfs|blkid/.test(each))).toEqual([]);
  await set.remove();
});

it('grows while it is open', async () => {
  const set = await newSet();
  await set.make();
  await set.mount();
  await write(set, 'kept');
  const grown = { ...set.copy, sizeBytes: 200 * MIB };
  const options = { signal, tries: 3, pause: async () => undefined };
  expect(await settle<'copy'>(under.engine(), grown, options)).toMatchObject({ sizeBytes: grown.sizeBytes });
  expect(Number(await under.run('blockdev', '--getsize64', set.attachment.mountPath))).toBe(grown.sizeBytes);
  await write(set, 'behind', 190);
  expect([await read(set, 4), await read(set, 6, 190)]).toEqual(['kept', 'behind']);
  await set.remove();
});

it('is made from a snapshot that was taken in use, with what was written by then, flushed or not', async () => {
  const set = await newSet();
  await set.make();
  await set.mount();
  await write(set, 'as it was');
  const snapshots = createLocalSnapshots(under);
  const source = { snapshotUid: randomUUID(), copyUid: set.copy.copyUid };
  const image = { poolPath: under.poolPath, ...source, isBlock: true };
  expect((await snapshots.takeImage(image, signal)).bytes).toBeGreaterThan(0);
  await write(set, 'as it is ');
  const clone = await createLocalSet(under, { brick: 'block', source, signal });
  await clone.make();
  await clone.mount();
  expect([await read(clone, 9), await read(set, 9)]).toEqual(['as it was', 'as it is ']);
  await expect(snapshots.takeImage(image, signal)).rejects.toMatchObject({ reason: 'ImageFailed' });
  await snapshots.thaw(image, signal);
  await snapshots.eraseImage(image, signal);
  await clone.remove();
  await set.remove();
});

it('that may only be read cannot be written', async () => {
  const set = await newSet();
  await set.make();
  await apply(under.engine, { ...set.attachment, isReadOnly: true });
  await expect(write(set, 'no')).rejects.toThrow(/not permitted|Read-only/);
  await apply(under.engine, { ...set.attachment, isPresent: false });
  await expect(apply(under.engine, { ...set.attachment, mountOptions: ['noexec'] })).rejects.toThrow(
    'no mount options',
  );
  await set.remove();
});

it('that is bound or open somewhere is neither detached nor erased', async () => {
  const set = await newSet();
  await set.make();
  await set.mount();
  const elsewhere = `${under.mountsPath}/pod`;
  await under.host.files.writeText(elsewhere, '');
  await under.run('mount', '--bind', set.attachment.mountPath, elsewhere);
  const gone = { ...set.attachment, isPresent: false };
  await expect(apply(under.engine, gone)).rejects.toMatchObject({ kind: 'unavailable', reason: 'ImageHeld' });
  const engine = under.engine();
  const noCopy = { ...set.copy, isPresent: false };
  for (const step of engine.plan<'copy'>(noCopy, await engine.observe<'copy'>(noCopy, signal))) {
    await expect(engine.apply(step, signal)).rejects.toMatchObject({ reason: 'ImageHeld' });
  }
  await under.run('umount', elsewhere);
  await under.run('rm', elsewhere);
  expect(await deviceOf(set)).toBeDefined();
  await set.remove();
});

it('of another owner is not attached, and neither is one bound over a file of somebody', async () => {
  const set = await newSet();
  await set.make();
  const stranger = await newSet();
  const theirs = { ...stranger.attachment, copyPath: set.attachment.copyPath ?? '' };
  await expect(apply(under.engine, theirs)).rejects.toMatchObject({ reason: 'NotTheOwner' });
  await under.host.files.writeText(set.attachment.mountPath, 'mine');
  await expect(apply(under.engine, set.attachment)).rejects.toMatchObject({ reason: 'MountPathOccupied' });
  await under.run('rm', set.attachment.mountPath);
  expect(await deviceOf(set)).toBeUndefined();
  await set.remove();
});

it('leaves no device behind, whatever change of attaching or detaching an agent dies around', async () => {
  const set = await newSet();
  await set.make();
  for (let nth = 1; ; nth += 1) {
    const what = nth % 2 === 0 ? 'crash-before' : 'crash-after';
    const die = async (desired: DesiredAttachment) => {
      const { engine } = under.injected([{ match: CHANGES, nth, what }]);
      return apply(() => engine, desired).then(
        () => false,
        (error: unknown) => error instanceof CrashError || Promise.reject(error),
      );
    };
    const hasCrashed = await die(set.attachment);
    expect(await set.mount(), `change ${nth}`).toMatchObject({ state: 'mounted' });
    const gone = { ...set.attachment, isPresent: false };
    await die(gone);
    await apply(under.engine, gone);
    expect(await deviceOf(set), `change ${nth}`).toBeUndefined();
    if (!hasCrashed) break;
  }
  await set.remove();
});
