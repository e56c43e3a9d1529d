/** Work on volumes as one agent process has it: what changes something takes time, and the process can die before or after it. */
import type { FakeVolumeWork } from '../../src/ports/volume-work.fake.ts';
import type { VolumeWork } from '../../src/ports/volume-work.ts';
import { never } from './mortality.ts';
import type { Pace } from './sim-engine.ts';
import type { SimProcess, World } from './world.ts';

export interface SimWorkOptions {
  readonly world: World;
  readonly process: SimProcess;
  readonly pace: Pace;
  /** Called at each call that changes something: whether the process dies at it. */
  readonly begin: (call: string) => 'before' | 'after' | undefined;
}

/** Calls that change something, and whether glusterd goes on with it by itself. */
const CHANGES: ReadonlyMap<string, boolean> = new Map([
  ['startHeal', true],
  ['startRebalance', true],
  ['stopRebalance', true],
  ['keepVersion', true],
  ['saveEntry', false],
  ['putBack', false],
  ['tidyUp', false],
]);

type Call = (...args: readonly unknown[]) => Promise<unknown>;

/** Lives and dies with the process; what glusterd was told is done although the one who asked is dead. */
export function createSimWork(inner: FakeVolumeWork, { world, process, pace, begin }: SimWorkOptions): VolumeWork {
  const pause = () => world.clock.sleep(Math.round((pace.stepMs / 4) * world.random.next()));
  const mortal =
    (name: string, act: Call): Call =>
    (...args) =>
      process.survive(async () => {
        const isDoneByDaemon = CHANGES.get(name);
        if (isDoneByDaemon === undefined) return act(...args);
        const dies = begin(name);
        if (dies === 'before') process.kill();
        if (!process.isAlive()) return never();
        await pause();
        if (!process.isAlive() && !isDoneByDaemon) return never();
        const result = await act(...args);
        if (dies === 'after') process.kill();
        await pause();
        return result;
      });
  const calls = Object.entries(inner).flatMap(([name, act]) =>
    typeof act === 'function' ? [[name, mortal(name, act as Call)]] : [],
  );
  // Every function of the fake is one of the port's.
  return Object.fromEntries(calls) as VolumeWork;
}
