/** Snapshots as one agent process has them: each call takes time, and the process can die before or after its effect. */
import type { FakeSnapshots } from '../../src/engines/gluster/snapshots.fake.ts';
import type { GroupSnapshotEngine } from '../../src/ports/snapshot-engine.ts';
import { never } from './mortality.ts';
import type { Pace } from './sim-engine.ts';
import type { SimProcess, World } from './world.ts';

export interface SimSnapshotOptions {
  readonly node: string;
  readonly world: World;
  readonly process: SimProcess;
  readonly pace: Pace;
  /** Called at each call: whether the process dies at it. */
  readonly begin: (call: string) => 'before' | 'after' | undefined;
}

/** Lives and dies with the process, at the call that `begin` says; what glusterd was told (the barrier) is done although the one who asked is dead. */
export function createSimSnapshots(
  snapshots: FakeSnapshots,
  { node, world, process, pace, begin }: SimSnapshotOptions,
): GroupSnapshotEngine {
  const inner = snapshots.engine(node);
  const pause = () => world.clock.sleep(Math.round((pace.stepMs / 4) * world.random.next()));
  const call = <T>(name: keyof GroupSnapshotEngine, isDoneByDaemon: boolean, act: () => Promise<T>): Promise<T> =>
    process.survive(async () => {
      const dies = begin(name);
      if (dies === 'before') process.kill();
      if (!process.isAlive()) return never<T>();
      await pause();
      if (!process.isAlive() && !isDoneByDaemon) return never<T>();
      const result = await act();
      if (dies === 'after') process.kill();
      await pause();
      return result;
    });
  return {
    raiseBarrier: (volume, seconds, signal) =>
      call('raiseBarrier', true, async () => {
        const raised = await inner.raiseBarrier(volume, seconds, signal);
        void world.clock.sleep(seconds * 1_000).then(() => snapshots.expire(volume, raised));
        return raised;
      }),
    lowerBarrier: (volume, raised, signal) =>
      call('lowerBarrier', true, () => inner.lowerBarrier(volume, raised, signal)),
    // Freeze, reflink and thaw are a process of their own, which may end with the agent; the rename is the agent's.
    takeImage: (image, signal) => {
      snapshots.frozen.add(image.copyUid);
      return call('takeImage', false, async () => {
        snapshots.frozen.delete(image.copyUid);
        return inner.takeImage(image, signal);
      });
    },
    takeImages: (images, signal) => {
      for (const { copyUid } of images) snapshots.frozen.add(copyUid);
      return call('takeImages', false, async () => {
        for (const { copyUid } of images) snapshots.frozen.delete(copyUid);
        return inner.takeImages(images, signal);
      });
    },
    thaw: (image, signal) => call('thaw', false, () => inner.thaw(image, signal)),
    eraseImage: (image, signal) => call('eraseImage', false, () => inner.eraseImage(image, signal)),
  };
}
