/**
 * The engine as one agent process has it: looks and steps take time, the process can die before or after any step, and
 * what glusterd had been told to do is done although the one who asked is dead.
 */
import { createSecretKeys } from '../../src/adapters/kube/volume-keys.ts';
import type { FakeCluster } from '../../src/engines/gluster/cluster.fake.ts';
import { createFakeGlusterEngine } from '../../src/engines/gluster/engine.fake.ts';
import type { GlusterStep } from '../../src/engines/gluster/steps.ts';
import type { Desired, Engine, Subject } from '../../src/ports/engine.ts';
import { never } from './mortality.ts';
import type { SimProcess, World } from './world.ts';

/** Longest times of looks and steps, in simulated milliseconds; each is drawn between 0 and this. */
export interface Pace {
  readonly lookMs: number;
  readonly stepMs: number;
}

/** As measured on GlusterFS: commands take 0.1 to 2.4 s (facts: creation and start of volumes). */
export const USUAL_PACE: Pace = { lookMs: 200, stepMs: 1_500 };
/** A busy machine: steps last longer than the silence after which a node counts as lost. */
export const SLOW_PACE: Pace = { lookMs: 1_000, stepMs: 8_000 };

/** Heal info waits 10 s for the bricks of a node that is off, so a look can be older than it seems. */
export const SLOW_LOOKS: Pace = { lookMs: 12_000, stepMs: 1_500 };

/** Every third seed runs on busy machines. */
export function paceOf(seed: number): Pace {
  return seed % 3 === 0 ? SLOW_PACE : USUAL_PACE;
}

/** Called at the moments that matter, with the process whose engine it is. */
export interface EngineWatcher {
  /** The agent has decided to do the step. */
  onStep(step: GlusterStep, process: SimProcess): void;
  /** The step takes effect now; its agent may be dead. */
  onEffect(step: GlusterStep, node: string): void;
  /** What is seen is how it is now. */
  onLook(desired: Desired<Subject>): void;
}

export interface CrashPoint {
  /** Which step of the node, from 1. */
  readonly step: number;
  readonly when: 'before' | 'after';
}

export interface SimEngineOptions {
  readonly node: string;
  readonly process: SimProcess;
  readonly pace: Pace;
  readonly watcher: EngineWatcher;
  /** Its looks do not end, as behind a mount that hangs. */
  readonly isHanging: () => boolean;
  /** Called at each step: whether the process dies at it. */
  readonly beginStep: (step: GlusterStep) => CrashPoint['when'] | undefined;
}

/** Daemons finish what they were asked; what a command does itself (mkfs, mount of an image) ends with it. */
const DONE_BY_DAEMON: ReadonlySet<GlusterStep['step']> = new Set([
  'probePeer',
  'detachPeer',
  'createVolume',
  'setOptions',
  'resetOptions',
  'startVolume',
  'limitVolume',
  'startBricks',
  'healVolume',
  'replaceBrick',
  'addBrick',
  'removeBrick',
  'stopVolume',
  'deleteVolume',
]);

/** Creates the engine of the agent process. */
export function createSimEngine(world: World, gluster: FakeCluster, options: SimEngineOptions): Engine {
  const { node, process, pace, watcher, beginStep, isHanging } = options;
  const inner = createFakeGlusterEngine(gluster, node, { keys: createSecretKeys(process.deps) });
  const pause = (ms: number) => world.clock.sleep(Math.round(ms * world.random.next()));

  return {
    name: inner.name,
    capabilities: inner.capabilities,
    plan: inner.plan,
    probe: (signal) => process.survive(() => (isHanging() ? never() : inner.probe(signal))),
    observe: <S extends Subject>(desired: Desired<S> & { readonly subject: S }, signal: AbortSignal) =>
      process.survive(async () => {
        await pause(pace.lookMs / 2);
        watcher.onLook(desired);
        const seen = await inner.observe<S>(desired, signal);
        await pause(pace.lookMs / 2);
        return seen;
      }),
    apply: (step, signal) =>
      process.survive(async () => {
        // Planned by the engine itself.
        const known = step as GlusterStep;
        const dies = beginStep(known);
        watcher.onStep(known, process);
        if (dies === 'before') process.kill();
        if (!process.isAlive()) return never<void>();
        await pause(pace.stepMs / 2);
        if (!process.isAlive() && !DONE_BY_DAEMON.has(known.step)) return never<void>();
        watcher.onEffect(known, node);
        await inner.apply(step, signal);
        if (dies === 'after') process.kill();
        await pause(pace.stepMs / 2);
      }),
  };
}
