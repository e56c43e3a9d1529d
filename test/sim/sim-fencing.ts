/** Looks at the connections of copies as one agent process has them: they take time, and end with the process. */
import type { FakeCluster } from '../../src/engines/gluster/cluster.fake.ts';
import { createFakeFencing } from '../../src/engines/gluster/fencing.fake.ts';
import type { EngineFencing } from '../../src/ports/fencing.ts';
import { never } from './mortality.ts';
import type { Pace } from './sim-engine.ts';
import type { SimProcess, World } from './world.ts';

export interface SimFencingOptions {
  readonly node: string;
  readonly process: SimProcess;
  readonly pace: Pace;
  /** Called at each call that changes something: whether the process dies at it. */
  readonly begin: (call: string) => 'before' | 'after' | undefined;
}

/** Creates the view of the agent process. */
export function createSimFencing(
  world: World,
  gluster: FakeCluster,
  { node, process, pace, begin }: SimFencingOptions,
): EngineFencing {
  const inner = createFakeFencing(gluster, node);
  const pause = () => world.clock.sleep(Math.round((pace.lookMs / 2) * world.random.next()));
  const look = <T>(act: () => Promise<T>): Promise<T> =>
    process.survive(async () => {
      await pause();
      const seen = await act();
      await pause();
      return seen;
    });
  return {
    clients: (volume, signal) => look(() => inner.clients(volume, signal)),
    calls: (volume, signal) => look(() => inner.calls(volume, signal)),
    comeBack: (addresses, signal) =>
      process.survive(async () => {
        const dies = begin('comeBack');
        if (dies === 'before') process.kill();
        if (!process.isAlive()) return never<void>();
        await pause();
        await inner.comeBack(addresses, signal);
        if (dies === 'after') process.kill();
      }),
  };
}
