/**
 * A whole cluster in memory: one API (the real use cases over the real store), one clock that the test moves, and
 * processes that reach the API over connections with faults. The same seed gives the same run.
 */
import { openSqliteStore } from '../../src/adapters/object-store/sqlite.ts';
import { createFakeClock, type FakeClock } from '../../src/ports/clock.fake.ts';
import type { Clock, Millis } from '../../src/ports/clock.ts';
import {
  createFaultyClient,
  type FaultRates,
  type FaultyClient,
  NO_FAULTS,
} from '../../src/ports/faulty-client.fake.ts';
import { createFakeLogger, type FakeLogger } from '../../src/ports/logger.fake.ts';
import { createSeededRandom } from '../../src/ports/random.fake.ts';
import type { Random } from '../../src/ports/random.ts';
import type { ResourceClient } from '../../src/ports/resource-client.ts';
import type { Identity } from '../../src/shells/kube-api/authorize.ts';
import { createResources, type Resources } from '../../src/usecases/resources/resources.ts';
import { createDirectClient } from './direct-client.ts';
import { type BeginWrite, createMortality, type Mortality } from './mortality.ts';

/** Time between bookmarks of the simulated API. */
const BOOKMARK_MS = 10_000;

export interface SimProcess {
  readonly name: string;
  /** What a composition root would give to the program: its clock and client stop answering when it is killed. */
  readonly deps: {
    readonly client: ResourceClient;
    readonly clock: Clock;
    readonly random: Random;
    readonly log: FakeLogger;
  };
  /** For faults of this process's connection: cut, mend, silenceWatches, breakWatches, setRates. */
  readonly connection: FaultyClient;
  /** As kill -9: from the next await on, nothing of the program runs any more. */
  kill(): void;
  /** Kills it in the middle of its n-th write as {@link SimProcess.writes} counts them: before it reaches the API, or before its answer comes back. */
  killAtWrite(n: number, when: 'before' | 'after'): void;
  isAlive(): boolean;
  /** Resolves at its death. */
  readonly died: Promise<void>;
  /** For what reaches the program by other ways than its deps: a dead process never hears how the work ended. */
  survive<T>(work: () => Promise<T>): Promise<T>;
  /** Writes begun so far, but Leases and Events. */
  writes(): number;
}

export interface World {
  readonly seed: number;
  readonly clock: FakeClock;
  readonly random: Random;
  readonly resources: Resources;
  /** A connection without faults, for what a user does and for looking at the state. */
  readonly client: ResourceClient;
  /**
   * Starts nothing by itself: hand its deps to the program. A restarted program is a new process. With an identity it
   * may do what the embedded server lets that identity do.
   */
  createProcess(name: string, rates?: FaultRates, identity?: Identity, beginWrite?: BeginWrite): SimProcess;
  /**
   * Lets time pass, timer by timer, until the condition holds. False when it did not within `deadlineMs`.
   *
   * @param check - called after each timer; for invariants, which it throws about
   */
  runUntil(condition: () => boolean | Promise<boolean>, deadlineMs: Millis, check?: () => void): Promise<boolean>;
}

/** Creates a world; name the seed in the test's failure message. */
export async function createWorld(seed: number): Promise<World> {
  const clock = createFakeClock();
  const random = createSeededRandom(seed);
  const store = openSqliteStore({ path: ':memory:' });
  const resources = createResources({ store, clock, random });
  await resources.ensureNamespaces();
  const nextBookmark = (signal: AbortSignal) => clock.sleep(BOOKMARK_MS, signal).catch(() => undefined);
  const client = createDirectClient(resources, { nextBookmark });

  const createProcess: World['createProcess'] = (name, rates = NO_FAULTS, identity, beginWrite) => {
    const mortality: Mortality = createMortality(clock, beginWrite);
    const options = { nextBookmark, ...(identity && { identity }) };
    const connection = createFaultyClient(createDirectClient(resources, options), random, rates);
    return {
      name,
      deps: { client: mortality.client(connection), clock: mortality.clock, random, log: createFakeLogger() },
      connection,
      kill: () => mortality.kill(),
      killAtWrite: (n, when) => mortality.killAtWrite(n, when),
      isAlive: () => mortality.isAlive(),
      died: mortality.died,
      survive: (work) => mortality.survive(work),
      writes: () => mortality.writes(),
    };
  };

  return {
    ...{ seed, clock, random, resources, client, createProcess },
    runUntil: async (condition, deadlineMs, check = () => undefined) => {
      const end = clock.monotonic() + deadlineMs;
      await clock.settle();
      for (;;) {
        check();
        if (await condition()) return true;
        if (clock.monotonic() >= end || !(await clock.advanceToNextTimer())) return false;
      }
    },
  };
}
