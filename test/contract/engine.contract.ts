/**
 * What every replicated engine promises to the controllers; run over the model (engine-fake.test.ts) and over real
 * GlusterFS on the lab (test/engine/gluster-contract.test.ts).
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { LAYOUTS } from '../../src/domain/volume/layout-faults.ts';
import type {
  Desired,
  DesiredAttachment,
  DesiredCopy,
  DesiredVolume,
  Engine,
  Observed,
  Subject,
} from '../../src/ports/engine.ts';
import { type Around, createVolumeSet, type SettleOptions, settle, type VolumeSet } from './engine-harness.ts';

/** Three nodes that are joined, each with a pool, and the ways to hurt them. */
export interface EngineUnderTest {
  readonly nodes: readonly [string, string, string];
  readonly poolPath: string;
  /** The engine of a node; with `around`, one whose agent can crash at a step. */
  engine(node: string, around?: Around): Engine;
  /** Returns when the node is off. */
  powerOff(node: string): Promise<void>;
  /** Returns when the node and its daemon are on again. */
  powerOn(node: string): Promise<void>;
  killBrick(node: string, volume: string): Promise<void>;
  breakDisk(node: string, copy: DesiredCopy): Promise<void>;
  /** Mounts something that is not ours. */
  occupy(node: string, mountPath: string): Promise<void>;
  release(node: string, mountPath: string): Promise<void>;
  /** Changes something on a mounted volume. False when it does not take writes now. */
  write(node: string, attachment: DesiredAttachment): Promise<boolean>;
  killMount(node: string, mountPath: string): Promise<void>;
  /** All that is left of copies, volumes and mounts on all nodes; empty when nothing is. */
  residue(): Promise<readonly string[]>;
  /** How often to look for something that takes its time, and for how long. */
  readonly patience: Pick<SettleOptions<Subject>, 'tries' | 'pause'>;
  stop(): Promise<void>;
}

const MIB = 1024 ** 2;
const SIZE_BYTES = 160 * MIB;

/** Defines the suite over one implementation. */
export function describeEngine(name: string, start: () => Promise<EngineUnderTest>): void {
  describe(`${name} as an engine`, () => {
    let under: EngineUnderTest;
    let made: VolumeSet[] = [];
    const signal = AbortSignal.timeout(20 * 60_000);
    const [n1, n2, n3] = [() => under.nodes[0], () => under.nodes[1], () => under.nodes[2]];

    beforeAll(async () => {
      under = await start();
    });
    afterAll(() => under?.stop());
    afterEach(async () => {
      for (const set of made) await set.remove();
      made = [];
      expect(await under.residue()).toEqual([]);
    });

    const volumeSet = async (layout: DesiredVolume['layout'], brick: DesiredCopy['brick'] = 'image') => {
      const set = await createVolumeSet(under, { layout, brick, sizeBytes: SIZE_BYTES, signal });
      made.push(set);
      return set;
    };
    const observe = <S extends Subject>(node: string, desired: Desired<S> & { readonly subject: S }) =>
      under.engine(node).observe<S>(desired, signal);
    const plan = async <S extends Subject>(node: string, desired: Desired<S> & { readonly subject: S }) => {
      const observed: Observed<S> = await observe<S>(node, desired);
      return under.engine(node).plan<S>(desired, observed);
    };
    /** Looks until the fact holds, working off what is planned meanwhile. */
    const until = (set: VolumeSet, fact: (seen: Observed<'volume'>) => boolean) =>
      settle<'volume'>(under.engine(set.anchor), set.volume, { ...under.patience, signal, fact });

    it('says that it can be used, and what for', async () => {
      expect(await under.engine(n1()).probe(signal)).toMatchObject({ isInstalled: true, isRunning: true });
      expect(under.engine(n1()).capabilities().layouts).toEqual(LAYOUTS);
      expect(SIZE_BYTES).toBeGreaterThanOrEqual(under.engine(n1()).capabilities().minSizeBytes);
    });

    it('knows the joined nodes by name and plans no more joining', async () => {
      const desired = { subject: 'peers' as const, self: n1(), members: under.nodes };
      const { peers } = await observe<'peers'>(n1(), desired);
      expect(peers.flatMap((peer) => peer.names)).toEqual(expect.arrayContaining([n2(), n3()]));
      expect(peers.every((peer) => peer.isMember && peer.isConnected)).toBe(true);
      expect(await plan<'peers'>(n1(), desired)).toEqual([]);
    });

    it.each([
      ['single', 'image'],
      ['replicated', 'image'],
      ['arbiter', 'image'],
      ['dispersed', 'image'],
      ['replicated', 'directory'],
    ] as const)('makes %s of %s copies, mounts it and removes it without residue', async (layout, brick) => {
      const set = await volumeSet(layout, brick);
      const seen = await set.make();
      expect(seen).toMatchObject({ isPresent: true, isStarted: true });
      expect(seen.bricks.map((each) => each.node)).toEqual(set.volume.bricks.map((each) => each.node));
      expect(seen.bricks.every((each) => each.isOnline && each.isReadable)).toBe(true);
      expect(await set.mount(n1())).toMatchObject({ state: 'mounted', isAnswering: true });
      expect(await under.write(n1(), set.attachment)).toBe(true);
      expect(await plan<'volume'>(set.anchor, set.volume)).toEqual([]);
      expect(await plan<'attachment'>(n1(), set.attachment)).toEqual([]);
      for (const copy of set.copies) expect(await plan<'copy'>(copy.node, copy.desired)).toEqual([]);
    });

    it('does every step again without harm', async () => {
      const set = await volumeSet('single');
      const twice: Around = async (_step, act) => {
        await act();
        await act();
      };
      await set.make(twice);
      await set.mount(n1(), twice);
      expect(await under.write(n1(), set.attachment)).toBe(true);
      await set.remove(twice);
      expect(await under.residue()).toEqual([]);
    });

    it('ends whole after a crash between any two steps of a creation', async () => {
      for (let crashAt = 1; ; crashAt += 1) {
        const set = await volumeSet('single');
        const crash = crashingAfter(crashAt);
        await dies(async () => {
          await set.make(crash.around);
          await set.mount(n2(), crash.around);
        });
        await set.make();
        expect(await set.mount(n2())).toMatchObject({ state: 'mounted' });
        expect(await under.write(n2(), set.attachment), `after step ${crashAt}`).toBe(true);
        await set.remove();
        expect(await under.residue(), `after step ${crashAt}`).toEqual([]);
        if (!crash.hasCrashed()) break;
      }
    });

    it('is wholly gone after a crash between any two steps of a removal', async () => {
      for (let crashAt = 1; ; crashAt += 1) {
        const set = await volumeSet('single');
        await set.make();
        await set.mount(n2());
        const crash = crashingAfter(crashAt);
        await dies(() => set.remove(crash.around));
        await set.remove();
        expect(await under.residue(), `after step ${crashAt}`).toEqual([]);
        if (!crash.hasCrashed()) break;
      }
    });

    it('leaves nothing in a pool that is too small, and says so with numbers', async () => {
      const [copy] = (await volumeSet('single')).copies;
      if (copy === undefined) throw new Error('a single volume has a copy');
      const desired = { ...copy.desired, sizeBytes: 2 ** 45 };
      const [step] = await plan<'copy'>(copy.node, desired);
      if (step === undefined) throw new Error('nothing planned');
      await expect(under.engine(copy.node).apply(step, signal)).rejects.toMatchObject({ kind: 'capacity' });
      expect(await observe<'copy'>(copy.node, desired)).toMatchObject({ state: 'absent' });
      expect(await under.residue()).toEqual([]);
    });

    it('leaves what somebody else has mounted alone', async () => {
      const set = await volumeSet('single');
      await set.make();
      const attachment = set.attachment;
      await under.occupy(n3(), attachment.mountPath);
      expect(await observe<'attachment'>(n3(), attachment)).toMatchObject({ state: 'foreign' });
      const [step] = await plan<'attachment'>(n3(), attachment);
      expect(step).toMatchObject({ step: 'refuse', reason: 'MountPathOccupied' });
      if (step !== undefined)
        await expect(under.engine(n3()).apply(step, signal)).rejects.toThrow(attachment.mountPath);
      expect(await plan<'attachment'>(n3(), { ...attachment, isPresent: false })).toEqual([]);
      await under.release(n3(), attachment.mountPath);
    });

    it('mounts again what has died', async () => {
      const set = await volumeSet('single');
      await set.make();
      await set.mount(n2());
      await under.killMount(n2(), set.attachment.mountPath);
      expect(await observe<'attachment'>(n2(), set.attachment)).toMatchObject({ state: 'dead' });
      expect(await set.mount(n2())).toMatchObject({ state: 'mounted', isAnswering: true });
      expect(await under.write(n2(), set.attachment)).toBe(true);
    });

    it('refuses to touch a volume of the same name with other bricks', async () => {
      const set = await volumeSet('single');
      await set.make();
      const other = { ...set.volume, bricks: [{ node: n2(), path: '/elsewhere/brick', isArbiter: false }] };
      for (const isPresent of [true, false]) {
        expect(await plan<'volume'>(set.anchor, { ...other, isPresent })).toMatchObject([{ step: 'refuse' }]);
      }
    });

    describe('a replicated volume', () => {
      it('restarts a brick whose process was killed, and heals it', async () => {
        const set = await volumeSet('replicated');
        await set.make();
        await set.mount(n1());
        await under.killBrick(n2(), set.volume.name);
        await until(set, (seen) => seen.bricks[1]?.isOnline === true);
        await under.killBrick(n2(), set.volume.name);
        expect(await under.write(n1(), set.attachment)).toBe(true);
        const down = await observe<'volume'>(n1(), set.volume);
        expect(down.bricks[1]).toMatchObject({ isOnline: false, isReadable: false, isNodeReachable: true });
        expect(await plan<'volume'>(n1(), set.volume)).toMatchObject([{ step: 'startBricks' }]);
        const whole = await until(set, isCurrent);
        expect(whole.bricks.every((brick) => brick.isOnline)).toBe(true);
      });

      it('goes on without a node that is off, says that it is away, and heals it when it is back', async () => {
        const set = await volumeSet('replicated');
        await set.make();
        await set.mount(n1());
        await under.powerOff(n3());
        try {
          expect(await under.write(n1(), set.attachment)).toBe(true);
          const away = await until(set, (seen) => seen.bricks[2]?.isNodeReachable === false);
          expect(away.bricks.map((brick) => brick.isReadable)).toEqual([true, true, false]);
          expect(away.bricks[0]?.pendingHeals).toBeGreaterThan(0);
          expect(await plan<'volume'>(n1(), set.volume)).toEqual([]);
        } finally {
          await under.powerOn(n3());
        }
        // Its image is not mounted after the restart; that is for its own agent to do.
        const third = set.copies[2];
        if (third === undefined) throw new Error('three copies');
        expect(await observe<'copy'>(n3(), third.desired)).toMatchObject({ state: 'partial' });
        await settle<'copy'>(under.engine(n3()), third.desired, { ...under.patience, signal });
        const whole = await until(set, isCurrent);
        expect(whole.bricks.every((brick) => brick.isReadable)).toBe(true);
      });

      it('finds a dead disk that the engine still calls online, and brings the copy back', async () => {
        const set = await volumeSet('replicated');
        await set.make();
        await set.mount(n1());
        const second = set.copies[1];
        if (second === undefined) throw new Error('three copies');
        // Synced, so that what the shutdown throws away is not the brick directory itself.
        expect(await under.write(n1(), set.attachment)).toBe(true);
        await under.breakDisk(n2(), second.desired);
        expect(await under.write(n1(), set.attachment)).toBe(true);
        const seen = await until(set, ({ bricks }) => bricks[1]?.isReadable === false);
        expect(seen.bricks[1]?.isOnline).toBe(true);
        expect(await observe<'copy'>(n2(), second.desired)).toMatchObject({ state: 'broken' });
        await settle<'copy'>(under.engine(n2()), second.desired, { ...under.patience, signal });
        await until(set, isCurrent);
        expect(await under.write(n1(), set.attachment)).toBe(true);
      });

      it('answers nobody without a majority, keeps the mount, and goes on when nodes are back', async () => {
        const set = await volumeSet('replicated');
        await set.make();
        await set.mount(n1());
        await under.powerOff(n2());
        await under.powerOff(n3());
        try {
          expect(await under.write(n1(), set.attachment)).toBe(false);
          const seen = await observe<'attachment'>(n1(), set.attachment);
          expect(seen).toMatchObject({ state: 'mounted', isAnswering: false });
          const volume = await until(set, ({ bricks }) => bricks.filter((brick) => brick.isNodeReachable).length === 1);
          expect(volume.isStarted).toBe(true);
        } finally {
          await under.powerOn(n2());
          await under.powerOn(n3());
        }
        for (const copy of set.copies) {
          await settle<'copy'>(under.engine(copy.node), copy.desired, { ...under.patience, signal });
        }
        await until(set, isCurrent);
        await expect.poll(() => under.write(n1(), set.attachment), { timeout: 60_000 }).toBe(true);
      });
    });
  });
}

function isCurrent({ bricks }: Observed<'volume'>): boolean {
  return bricks.every((brick) => brick.isOnline && brick.isReadable && brick.pendingHeals === 0);
}

class Crash extends Error {}

/** Runs what may crash; any other error is one. */
async function dies(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
  }
}

/** An agent that dies after its n-th step, or, which is the same, before the next. */
function crashingAfter(nth: number): { around: Around; hasCrashed: () => boolean } {
  let steps = 0;
  let hasCrashed = false;
  return {
    hasCrashed: () => hasCrashed,
    around: async (step, act) => {
      steps += 1;
      await act();
      if (steps !== nth) return;
      hasCrashed = true;
      throw new Crash(`crashed after step ${nth}: ${step.about}`);
    },
  };
}
