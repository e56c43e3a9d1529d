import { expect, test } from 'vitest';
import { AppError } from '../../domain/errors.ts';
import { createFakeClock } from '../../ports/clock.fake.ts';
import type { ProcessId } from '../../ports/host.ts';
import { createFakeLogger } from '../../ports/logger.fake.ts';
import { findSupervisor } from './find-supervisor.ts';

const FILE = '/run/holdfast/supervisor.json';

function machine() {
  const state: { text?: string; alive: readonly number[] } = { alive: [] };
  const readText = async (path: string) => {
    if (path === FILE && state.text !== undefined) return state.text;
    throw new AppError('notFound', `there is no ${path}`);
  };
  const clock = createFakeClock();
  const log = createFakeLogger();
  const isAlive = async ({ pid }: ProcessId) => state.alive.includes(pid);
  return { state, clock, log, deps: { clock, log, files: { readText }, processes: { isAlive } } };
}

const record = (pid: number) => JSON.stringify({ supervisor: { pid, startTicks: 7 }, services: {} });

test('it waits for a supervisor that lives, not for one of before, and says once that it waits', async () => {
  const { state, clock, log, deps } = machine();
  const found = findSupervisor(deps, FILE, new AbortController().signal);
  await clock.settle();
  state.text = record(11);
  await clock.advance(2_000);
  state.text = record(12);
  state.alive = [12];
  await clock.advance(2_000);
  expect(await found).toEqual({ pid: 12, startTicks: 7 });
  expect(log.entries.map(({ message }) => message)).toEqual(['the engine of this machine is not there yet']);
});

test('it ends with its signal', async () => {
  const { clock, deps } = machine();
  const stop = new AbortController();
  const found = findSupervisor(deps, FILE, stop.signal);
  await clock.settle();
  stop.abort();
  expect(await found).toBeUndefined();
});
