import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFakeClock, type FakeClock } from '../../ports/clock.fake.ts';
import type { Clock } from '../../ports/clock.ts';
import { createFaultyClient, NO_FAULTS } from '../../ports/faulty-client.fake.ts';
import { createFakeLogger } from '../../ports/logger.fake.ts';
import { createSeededRandom } from '../../ports/random.fake.ts';
import type { Random } from '../../ports/random.ts';
import { createFakeResourceClient } from '../../ports/resource-client.fake.ts';
import type { ResourceClient } from '../../ports/resource-client.ts';
import { createLeaderElection } from './leader-election.ts';

/** Holds back everything a process would do: while it is paused, neither timers nor answers reach it. */
function createPause() {
  let gate: PromiseWithResolvers<void> | undefined;
  return {
    isPaused: () => gate !== undefined,
    pause: () => {
      gate ??= Promise.withResolvers<void>();
    },
    resume: () => {
      gate?.resolve();
      gate = undefined;
    },
    passed: async () => {
      while (gate !== undefined) await gate.promise;
    },
  };
}

type Pause = ReturnType<typeof createPause>;

function pausedClock(clock: Clock, pause: Pause): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    sleep: async (ms, signal) => {
      try {
        await clock.sleep(ms, signal);
      } finally {
        await pause.passed();
      }
    },
  };
}

/** Calls take time in both directions, and neither leave nor come back to a paused process. */
function slowClient(inner: ResourceClient, clock: FakeClock, random: Random, pause: Pause): ResourceClient {
  const travel = () => clock.sleep(random.next() ** 10 * 12_000);
  const call = async <T>(work: () => Promise<T>): Promise<T> => {
    await pause.passed();
    await travel();
    try {
      return await work();
    } finally {
      await travel();
      await pause.passed();
    }
  };
  return {
    get: (kind, name) => call(() => inner.get(kind, name)),
    list: (kind) => call(() => inner.list(kind)),
    create: (kind, object) => call(() => inner.create(kind, object)),
    replace: (kind, object) => call(() => inner.replace(kind, object)),
    // The signal is left out on purpose: a request that was given up still arrives.
    patch: (kind, name, patch, { signal: _signal, ...options } = {}) =>
      call(() => inner.patch(kind, name, patch, options)),
    delete: (kind, name) => call(() => inner.delete(kind, name)),
    watch: (kind, options) => inner.watch(kind, options),
  };
}

const who = fc.nat(2);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(8_000) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('pause' as const, 'resume' as const), who }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('cut' as const, 'mend' as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const), who }) },
);
type Action = typeof step extends fc.Arbitrary<infer T> ? T : never;

function setUp(seed: number) {
  const clock = createFakeClock();
  const random = createSeededRandom(seed);
  const server = createFakeResourceClient({ clock, random });
  let born = 0;
  const launch = () => {
    const pause = createPause();
    const faulty = createFaultyClient(slowClient(server, clock, random, pause), random, {
      ...{ failBefore: 0.1, failAfter: 0.1, breakWatch: 0 },
    });
    const deps = { client: faulty, clock: pausedClock(clock, pause), random, log: createFakeLogger() };
    const election = createLeaderElection(deps, { leaseName: 'controller', identity: `p${born++}` });
    const stop = new AbortController();
    let working: AbortSignal | undefined;
    const ended = election.run(async (signal) => {
      working = signal;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      working = undefined;
    }, stop.signal);
    const isActing = () => !pause.isPaused() && (election.isLeader() || working?.aborted === false);
    return { pause, faulty, stop, ended, isActing, isLeader: () => election.isLeader() };
  };
  const everyone = [launch()];
  const current = [everyone[0], launch(), launch()].filter((each) => each !== undefined);
  everyone.push(...current.slice(1));
  const restart = (at: number) => {
    current[at]?.stop.abort();
    const fresh = launch();
    current[at] = fresh;
    everyone.push(fresh);
  };
  return { clock, current, everyone, restart };
}

async function act(action: Action, { clock, current, restart }: ReturnType<typeof setUp>): Promise<void> {
  if (action.do === 'pass') return;
  const target = current[action.who];
  if (action.do === 'pause') target?.pause.pause();
  if (action.do === 'resume') target?.pause.resume();
  if (action.do === 'cut') target?.faulty.cut();
  if (action.do === 'mend') target?.faulty.mend();
  if (action.do === 'restart') restart(action.who);
  await clock.settle();
}

/** Lets time pass in small pieces and looks after each how many act as leaders. */
async function watchLeaders({ clock, everyone }: ReturnType<typeof setUp>, ms: number): Promise<number> {
  let most = 0;
  for (let passed = 0; passed <= ms; passed += 500) {
    await clock.advance(500);
    most = Math.max(most, everyone.filter((each) => each.isActing()).length);
  }
  return most;
}

describe('leader election', () => {
  it('never has two leaders under pauses, cuts, slow calls and restarts, and has one again afterwards', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.nat(), async (steps, seed) => {
        const world = setUp(seed);
        for (const each of steps) {
          await act(each, world);
          expect(await watchLeaders(world, each.do === 'pass' ? each.ms : 0)).toBeLessThanOrEqual(1);
        }
        for (const each of world.everyone) {
          each.pause.resume();
          each.faulty.mend();
          each.faulty.setRates(NO_FAULTS);
        }
        let hadLeader = false;
        for (let round = 0; round < 120; round += 1) {
          expect(await watchLeaders(world, 1_000)).toBeLessThanOrEqual(1);
          hadLeader ||= world.everyone.some((each) => each.isLeader());
        }
        expect(hadLeader).toBe(true);
        for (const each of world.everyone) each.stop.abort();
        await world.clock.advance(60_000);
        await Promise.all(world.everyone.map((each) => each.ended));
      }),
      { numRuns: 25 },
    );
  });
});
