/**
 * What the local engine promises to the controllers; run over the model (local-engine-fake.test.ts) and over the programs and
 * disks of this machine (local-engine.test.ts).
 */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parseEngineVolumeName } from '../../src/domain/names.ts';
import type {
  Desired,
  DesiredAttachment,
  DesiredCopy,
  DesiredVolume,
  Engine,
  Observed,
  Subject,
} from '../../src/ports/engine.ts';
import { type Around, settle } from './engine-harness.ts';

/** One node with a pool, and the ways to hurt it. */
export interface LocalEngineUnderTest {
  readonly node: string;
  readonly poolPath: string;
  /** Folder that volumes are mounted below. */
  readonly mountsPath: string;
  /** Keys by the name of their Secret, as the API has them. */
  readonly keys: Map<string, string>;
  /** With `around`, one whose agent can crash at a step. */
  engine(around?: Around): Engine;
  /** Mounts something that is not ours. */
  occupy(mountPath: string): Promise<void>;
  release(mountPath: string): Promise<void>;
  /** The file system of the copy meets an error and shuts down. */
  breakDisk(copy: DesiredCopy): Promise<void>;
  /** The machine is switched off and on: nothing of the copy is mounted. */
  restart(copy: DesiredCopy): Promise<void>;
  /** The disk is exchanged for an empty one. */
  loseDisk(copy: DesiredCopy): Promise<void>;
  /** All that is left of copies and mounts; empty when nothing is. */
  residue(): Promise<readonly string[]>;
  /** Takes that away, where a test that failed has left it and the ones after it are to fail for their own reasons alone. */
  clear?(): Promise<void>;
  stop(): Promise<void>;
}

const MIB = 1024 ** 2;

/** A volume with its copy and its mount. */
export interface LocalSet {
  readonly copy: DesiredCopy;
  readonly attachment: DesiredAttachment;
  volume(): Promise<DesiredVolume>;
  make(around?: Around): Promise<Observed<'volume'>>;
  mount(around?: Around): Promise<Observed<'attachment'>>;
  remove(around?: Around): Promise<void>;
}

/** What a test wants of a copy. */
export type LocalWish = Pick<DesiredCopy, 'brick' | 'fsType' | 'keySecret' | 'thinProvision' | 'source'>;

/** An encrypted copy, whose key is in {@link LocalEngineUnderTest.keys}. */
export const ENCRYPTED = { fsType: 'ext4', keySecret: 'key-of-the-test' } as const;
export const KEY = 'the-key-of-the-test-has-64-characters-as-those-of-the-controller';

/** Describes a new volume; makes nothing yet. */
export async function createLocalSet(
  under: Pick<LocalEngineUnderTest, 'node' | 'poolPath' | 'mountsPath' | 'engine'>,
  { signal, ...wish }: { readonly signal: AbortSignal } & Partial<LocalWish>,
): Promise<LocalSet> {
  const name = parseEngineVolumeName(`vol-${randomUUID().slice(0, 8)}`);
  const copy: DesiredCopy = {
    ...{ subject: 'copy', isPresent: true, copyUid: randomUUID(), volume: name, volumeUid: randomUUID() },
    ...{ poolPath: under.poolPath, brick: 'image', sizeBytes: 128 * MIB },
    ...wish,
  };
  const { brickPath } = await under.engine().observe<'copy'>(copy, signal);
  const bricks = [{ node: under.node, path: brickPath, isArbiter: false }];
  const volume: DesiredVolume = {
    ...{ subject: 'volume', isPresent: true, name, layout: 'single', bricks, options: {} },
  };
  const attachment: DesiredAttachment = {
    ...{ subject: 'attachment', isPresent: true, volume: name, mountPath: `${under.mountsPath}/${name}` },
    ...{ isReadOnly: false, servers: [under.node], copyPath: brickPath },
    ...(copy.brick === 'block' && copy.keySecret !== undefined ? { keySecret: copy.keySecret } : {}),
    ...(copy.thinProvision === true ? { thinProvision: true } : {}),
  };
  // What is unmounted a moment ago may still be held by the kernel: that is refused, and tried again.
  const options = {
    signal,
    tries: 100,
    pause: () => new Promise<void>((resolve) => setImmediate(resolve)),
    isPatient: true,
  };
  return {
    copy,
    attachment,
    volume: async () => volume,
    make: async (around) => {
      await settle<'copy'>(under.engine(around), copy, options);
      return settle<'volume'>(under.engine(around), volume, options);
    },
    mount: (around) => settle<'attachment'>(under.engine(around), attachment, options),
    remove: async (around) => {
      await settle<'attachment'>(under.engine(around), { ...attachment, isPresent: false }, options);
      await settle<'volume'>(under.engine(around), { ...volume, isPresent: false }, options);
      await settle<'copy'>(under.engine(around), { ...copy, isPresent: false }, options);
    },
  };
}

/** After each test; what it left is taken away. */
export async function expectNothingLeft(under: Pick<LocalEngineUnderTest, 'residue' | 'clear'>): Promise<void> {
  const left = await under.residue();
  if (left.length > 0) await under.clear?.();
  expect(left).toEqual([]);
}

/** Defines the suite over one implementation. */
export function describeLocalEngine(
  name: string,
  start: () => Promise<LocalEngineUnderTest>,
  /** What not every machine can make. */
  more: readonly Partial<LocalWish>[] = [],
): void {
  describe(`${name} as a local engine`, () => {
    let under: LocalEngineUnderTest;
    // From when the file is read on, and in a guest other tests come before and all are slow; each test has a limit of its own.
    const signal = AbortSignal.timeout(60 * 60_000);

    beforeAll(async () => {
      under = await start();
      under.keys.set(ENCRYPTED.keySecret, KEY);
    });
    afterAll(() => under?.stop());
    afterEach(() => expectNothingLeft(under));

    const newSet = (wish: Partial<LocalWish> = {}) => createLocalSet(under, { ...wish, signal });
    const plan = async <S extends Subject>(desired: Desired<S> & { readonly subject: S }) => {
      const observed: Observed<S> = await under.engine().observe<S>(desired, signal);
      return under.engine().plan<S>(desired, observed);
    };
    const observeCopy = (copy: DesiredCopy) => under.engine().observe<'copy'>(copy, signal);

    it('says that it can be used, and what for', async () => {
      expect(await under.engine().probe(signal)).toMatchObject({
        ...{ isInstalled: true, isRunning: true },
        abilities: expect.arrayContaining(['btrfs']),
      });
      expect(under.engine().capabilities()).toMatchObject({ layouts: ['single'], isClustered: false });
    });

    it.each<Partial<LocalWish>>([
      {},
      { fsType: 'ext4' },
      { fsType: 'btrfs' },
      ENCRYPTED,
      { brick: 'directory' },
      { brick: 'block' },
      { thinProvision: true },
      { thinProvision: true, fsType: 'ext4' },
      { thinProvision: true, fsType: 'btrfs' },
      { thinProvision: true, brick: 'block' },
      { thinProvision: true, ...ENCRYPTED },
      ...more,
    ])('makes %o, mounts it, leaves it alone then, and removes it without residue', async (wish) => {
      const set = await newSet(wish);
      expect(await set.make()).toMatchObject({
        ...{ isPresent: true, isStarted: true, engineId: set.copy.copyUid },
        bricks: [{ node: under.node, isOnline: true, isReadable: true }],
      });
      const seen = await observeCopy(set.copy);
      expect(seen).toMatchObject({ state: 'ready', sizeBytes: set.copy.sizeBytes });
      expect(seen.encryption ?? 'none').toMatch(wish.keySecret === undefined ? /^none$/ : /^(?:luks2|fscrypt)$/);
      expect(await set.mount()).toMatchObject({ state: 'mounted', isAnswering: true });
      for (const subject of [set.copy, await set.volume(), set.attachment]) expect(await plan(subject)).toEqual([]);
      await set.remove();
    });

    it.each(['image', 'block'] as const)('does every step again without harm (%s)', async (brick) => {
      const set = await newSet({ brick });
      const twice: Around = async (_step, act) => {
        await act();
        await act();
      };
      await set.make(twice);
      expect(await set.mount(twice)).toMatchObject({ state: 'mounted' });
      await set.remove(twice);
    });

    it.each(['image', 'block'] as const)('ends whole after a crash between any two steps (%s)', async (brick) => {
      for (let crashAt = 1; ; crashAt += 1) {
        const set = await newSet({ brick });
        const creation = crashingAfter(crashAt);
        await dies(async () => {
          await set.make(creation.around);
          await set.mount(creation.around);
        });
        await set.make();
        expect(await set.mount(), `after step ${crashAt}`).toMatchObject({ state: 'mounted' });
        const removal = crashingAfter(crashAt);
        await dies(() => set.remove(removal.around));
        await set.remove();
        expect(await under.residue(), `after step ${crashAt}`).toEqual([]);
        if (!creation.hasCrashed()) return;
      }
    });

    it.each(['image', 'block'] as const)('says what a thin copy takes, which is not its size (%s)', async (brick) => {
      const [thin, other] = [
        await newSet({ brick, thinProvision: true }),
        await newSet({ brick, thinProvision: true }),
      ];
      await thin.make();
      const taken = await under.engine().takenBytes?.([thin.copy, other.copy], signal);
      expect([...(taken?.keys() ?? [])]).toEqual([thin.copy.copyUid]);
      expect(taken?.get(thin.copy.copyUid)).toBeLessThan(80 * MIB);
      await thin.remove();
    });

    it('takes discard among the mount options of a thin volume only', async () => {
      for (const thinProvision of [true, false]) {
        const set = await newSet({ thinProvision });
        await set.make();
        const wanted = { ...set.attachment, mountOptions: ['discard'] };
        const seen = await under.engine().observe<'attachment'>(wanted, signal);
        const planned = () => under.engine().plan<'attachment'>(wanted, seen);
        if (thinProvision) expect(planned()).toMatchObject([{ step: 'bindCopy', flags: [] }]);
        else expect(planned).toThrow(/mount option "discard" is not allowed/);
        await set.remove();
      }
    });

    it('leaves alone what somebody else has mounted', async () => {
      const set = await newSet();
      await set.make();
      await under.occupy(set.attachment.mountPath);
      const [refusal] = await plan(set.attachment);
      await expect(under.engine().apply(refusal ?? { step: '', about: '' }, signal)).rejects.toMatchObject({
        reason: 'MountPathOccupied',
      });
      expect(await plan({ ...set.attachment, isPresent: false })).toEqual([]);
      await under.release(set.attachment.mountPath);
      await set.remove();
    });

    it('refuses a mount on a node that does not keep the volume, and says where it is', async () => {
      const { copyPath: _, ...elsewhere } = (await newSet()).attachment;
      const [refusal] = await plan({ ...elsewhere, servers: ['kube7'] });
      await expect(under.engine().apply(refusal ?? { step: '', about: '' }, signal)).rejects.toMatchObject({
        kind: 'precondition',
        reason: 'KeptElsewhere',
        message: expect.stringContaining('kube7'),
      });
    });

    it('never makes anew a copy that held the volume', async () => {
      const set = await newSet();
      await set.make();
      await under.loseDisk(set.copy);
      const [refusal] = await plan({ ...set.copy, isInUse: true });
      await expect(under.engine().apply(refusal ?? { step: '', about: '' }, signal)).rejects.toMatchObject({
        kind: 'dataLoss',
        reason: 'CopyLost',
      });
      const made = { ...(await set.volume()), engineId: set.copy.copyUid };
      expect(await under.engine().observe<'volume'>(made, signal)).toMatchObject({
        isPresent: true,
        bricks: [{ isOnline: false }],
      });
      await set.remove();
    });

    it('mounts an encrypted copy with its own key only, and loses nothing while that is away', async () => {
      const set = await newSet(ENCRYPTED);
      await set.make();
      await under.restart(set.copy);
      const remount = async () => {
        for (const step of await plan(set.copy)) await under.engine().apply(step, signal);
      };
      under.keys.set(ENCRYPTED.keySecret, KEY.replaceAll('e', 'a'));
      await expect(remount()).rejects.toMatchObject({ kind: 'precondition', reason: 'WrongKey' });
      under.keys.delete(ENCRYPTED.keySecret);
      await expect(remount()).rejects.toMatchObject({ kind: 'precondition', reason: 'KeyMissing' });
      expect(await observeCopy(set.copy)).toMatchObject({ state: 'partial', hasImage: true, isMounted: false });
      under.keys.set(ENCRYPTED.keySecret, KEY);
      await set.make();
      expect(await set.mount()).toMatchObject({ state: 'mounted', isAnswering: true });
      await set.remove();
    });

    it('makes nothing without the key', async () => {
      const set = await newSet({ ...ENCRYPTED, keySecret: 'no-such-key' });
      const [make] = await plan(set.copy);
      await expect(under.engine().apply(make ?? { step: '', about: '' }, signal)).rejects.toMatchObject({
        reason: 'KeyMissing',
      });
      expect(await under.residue()).toEqual([]);
    });

    it('brings back a file system that has shut down: detached, and mounted anew', async () => {
      const set = await newSet();
      await set.make();
      await set.mount();
      await under.breakDisk(set.copy);
      expect(await observeCopy(set.copy)).toMatchObject({ state: 'broken', isShutDown: true });
      expect((await under.engine().observe<'volume'>(await set.volume(), signal)).bricks).toMatchObject([
        { isReadable: false },
      ]);
      const seen = await under.engine().observe<'attachment'>(set.attachment, signal);
      expect(seen.state).toBe('dead');
      // The mount is detached first: while it is there nobody mounts the image anew.
      const [detach] = under.engine().plan<'attachment'>(set.attachment, seen);
      await under.engine().apply(detach ?? { step: '', about: '' }, signal);
      await set.make();
      expect(await set.mount()).toMatchObject({ state: 'mounted', isAnswering: true });
      await set.remove();
    });
  });
}

class Crash extends Error {}

/** An agent that dies after its n-th step. */
function crashingAfter(nth: number): { readonly around: Around; hasCrashed(): boolean } {
  let steps = 0;
  return {
    around: async (_step, act) => {
      steps += 1;
      if (steps > nth) throw new Crash('dead');
      await act();
      if (steps === nth) throw new Crash('dies');
    },
    hasCrashed: () => steps >= nth,
  };
}

async function dies(act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
  }
}
