import { expect, test } from 'vitest';
import { createFakeClock } from '../../ports/clock.fake.ts';
import type { Engine, EngineProbe } from '../../ports/engine.ts';
import { createEngineWatch } from './engine-watch.ts';

const RUNS: EngineProbe = { isInstalled: true, isRunning: true };
const { signal } = new AbortController();

function watched(first: EngineProbe, isOptional = false) {
  const clock = createFakeClock();
  const state = { probe: first, asked: 0, onProbe: () => undefined as void };
  const engine = {
    capabilities: () => ({ isOptional }),
    probe: async () => {
      state.asked += 1;
      const { probe } = state;
      state.onProbe();
      return probe;
    },
  } as unknown as Engine;
  return { clock, state, watch: createEngineWatch({ clock }, [engine]) };
}

test('engines that run are asked once for all looks of some seconds, and anew after that', async () => {
  const { clock, state, watch } = watched(RUNS);
  for (let look = 0; look < 5; look += 1) expect(await watch.look(signal)).toMatchObject([{ probe: RUNS }]);
  expect(state.asked).toBe(1);
  state.probe = { isInstalled: true, isRunning: false };
  await clock.advance(10_000);
  expect(await watch.look(signal)).toMatchObject([{ probe: state.probe }]);
});

test.each<EngineProbe>([
  { isInstalled: true, isRunning: false },
  { ...RUNS, isRejoining: true },
  { ...RUNS, isBlank: true },
  { ...RUNS, message: 'something is to be done about it' },
])('one that is not at rest is asked at each look: %o', async (probe) => {
  const { state, watch } = watched(probe);
  await watch.look(signal);
  await watch.look(signal);
  expect(state.asked).toBe(2);
});

test('one that was changed is asked anew, also where the change came while it was asked', async () => {
  const { state, watch } = watched({ ...RUNS, id: 'old' });
  await watch.look(signal);
  watch.forget();
  state.onProbe = () => {
    state.probe = { ...RUNS, id: 'new' };
    watch.forget();
  };
  expect(await watch.look(signal)).toMatchObject([{ probe: { id: 'old' } }]);
  state.onProbe = () => undefined;
  expect(await watch.look(signal)).toMatchObject([{ probe: { id: 'new' } }]);
});

test('an optional engine that is not installed is left out', async () => {
  const { watch } = watched({ isInstalled: false, isRunning: false }, true);
  expect(await watch.look(signal)).toEqual([]);
});
