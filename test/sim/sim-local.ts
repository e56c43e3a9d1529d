/** The engines local and nfs as one agent process has them: looks and steps take time, and end with the process. */
import { createSecretKeys } from '../../src/adapters/kube/volume-keys.ts';
import { sha256 } from '../../src/adapters/ledger/sha256.ts';
import type { FakeCluster } from '../../src/engines/gluster/cluster.fake.ts';
import { createFakeLocalEngine } from '../../src/engines/local/engine.fake.ts';
import type { FakeNfsMachine } from '../../src/engines/nfs/file-server.fake.ts';
import { createNfsEngine } from '../../src/engines/nfs/index.ts';
import type { Desired, Engine, Subject } from '../../src/ports/engine.ts';
import { never } from './mortality.ts';
import type { Pace } from './sim-engine.ts';
import type { SimProcess, World } from './world.ts';

export interface SimLocalOptions {
  readonly node: string;
  readonly process: SimProcess;
  readonly pace: Pace;
  /** Called at each step: whether the process dies at it. */
  readonly begin: (step: string) => 'before' | 'after' | undefined;
}

/** Creates the engine of the agent process, over the disks and mounts of the node. */
export function createSimLocalEngine(world: World, cluster: FakeCluster, options: SimLocalOptions): Engine {
  const keys = createSecretKeys(options.process.deps);
  return paced(world, createFakeLocalEngine(cluster.state.node(options.node), { keys }), options);
}

/** Creates the nfs engine of the agent process: the real one, over a file server in memory. */
export function createSimNfsEngine(world: World, machine: FakeNfsMachine, options: SimLocalOptions): Engine {
  return paced(world, createNfsEngine({ ...machine, hash: sha256 }), options);
}

function paced(world: World, inner: Engine, { process, pace, begin }: SimLocalOptions): Engine {
  // Programs on the node itself: far quicker than what daemons of several nodes agree on.
  const pause = (ms: number) => world.clock.sleep(Math.round((ms / 10) * world.random.next()));
  return {
    ...inner,
    probe: (signal) => process.survive(() => inner.probe(signal)),
    observe: <S extends Subject>(desired: Desired<S> & { readonly subject: S }, signal: AbortSignal) =>
      process.survive(async () => {
        await pause(pace.lookMs);
        return inner.observe<S>(desired, signal);
      }),
    apply: (step, signal) =>
      process.survive(async () => {
        const dies = begin(`${inner.name} ${step.step}`);
        if (dies === 'before') process.kill();
        if (!process.isAlive()) return never<void>();
        await pause(pace.stepMs);
        if (!process.isAlive()) return never<void>();
        await inner.apply(step, signal);
        if (dies === 'after') process.kill();
      }),
  };
}
