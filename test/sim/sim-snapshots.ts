/** Snapshots as one agent process has them: each call takes time, and the process can die before or after its effect. */
import type { FakeSnapshots } from '../../src/engines/gluster/snapshots.fake.ts';
import type { SnapshotEngine } from '../../src/ports/snapshot-engine.ts';
import { never } from './mortality.ts';
import type { Pace } from './sim-engine.ts';
import type { SimProcess, World } from './world.ts';

export interface SimSnapshotOptions {
  readonly node: string;
  readonly world: World;
  readonly process: SimProcess;
  readonly pace: Pace;
}

/** Lives and dies with the process; what glusterd was told (the barrier) is done although the one who asked is dead. */
export function createSimSnapshots(
  snapshots: FakeSnapshots,
  { node, world, process, pace }: SimSnapshotOptions,
): SnapshotEngine {
  const inner = snapshots.engine(node);
  const pause = () => world.clock.sleep(Math.round((pace.stepMs / 4) * world.random.next()));
  const call = <T>(isDoneByDaemon: boolean, act: () => Promise<T>): Promise<T> =>
    process.survive(async () => {
      await pause();
      if (!process.isAlive() && !isDoneByDaemon) return never<T>();
      const result = await act();
      await pause();
      return result;
    });
  return {
    raiseBarrier: (volume, seconds, signal) =>
      call(true, async () => {
        const raised = await inner.raiseBarrier(volume, seconds, signal);
        void world.clock.sleep(seconds * 1_000).then(() => snapshots.expire(volume, raised));
        return raised;
      }),
    lowerBarrier: (volume, raised, signal) => call(true, () => inner.lowerBarrier(volume, raised, signal)),
    // Freeze, reflink and thaw are a process of their own; the rename that makes it an image is the agent's.
    takeImage: (image, signal) => call(false, () => inner.takeImage(image, signal)),
    thaw: (image, signal) => call(false, () => inner.thaw(image, signal)),
    eraseImage: (image, signal) => call(false, () => inner.eraseImage(image, signal)),
  };
}
