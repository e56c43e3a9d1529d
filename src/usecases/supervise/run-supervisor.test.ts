import { expect, test } from 'vitest';
import { AppError } from '../../domain/errors.ts';
import { createFakeClock } from '../../ports/clock.fake.ts';
import type { HostFiles, HostProcesses, ProcessId } from '../../ports/host.ts';
import { createFakeLogger } from '../../ports/logger.fake.ts';
import { runSupervisor } from './run-supervisor.ts';

const OPTIONS = { servicesFile: '/etc/services.json', recordFile: '/run/supervisor.json', logFolder: '/var/log' };
const SELF: ProcessId = { pid: 1, startTicks: 1 };

/** A machine's processes and the two files, in memory. */
function createMachine(services: readonly string[]) {
  const texts = new Map([
    [
      OPTIONS.servicesFile,
      JSON.stringify({ services: services.map((name) => ({ name, description: '', argv: [name] })) }),
    ],
  ]);
  const alive = new Map<number, string>();
  const started: string[] = [];
  const stopped: string[] = [];
  const files = {
    readText: async (path: string) => {
      const text = texts.get(path);
      if (text === undefined) throw new AppError('notFound', `no ${path}`);
      return text;
    },
    writeText: async (path: string, text: string) => void texts.set(path, text),
    makeDirectory: async () => undefined,
    remove: async (path: string) => void texts.delete(path),
  } as unknown as HostFiles;
  const processes: HostProcesses = {
    self: async () => SELF,
    start: async ({ file }) => {
      started.push(file);
      const pid = 100 + started.length;
      alive.set(pid, file);
      return { pid, startTicks: pid };
    },
    isAlive: async ({ pid, startTicks }) => alive.has(pid) && startTicks === pid,
    stop: async ({ pid }) => {
      const name = alive.get(pid);
      if (name !== undefined) stopped.push(name);
      alive.delete(pid);
    },
  };
  const kill = (name: string) => {
    for (const [pid, each] of alive) if (each === name) alive.delete(pid);
  };
  const record = () => texts.get(OPTIONS.recordFile);
  return { files, processes, started, stopped, alive, kill, record, texts };
}

function start(machine: ReturnType<typeof createMachine>) {
  const clock = createFakeClock();
  const stop = new AbortController();
  const { files, processes } = machine;
  const ended = runSupervisor({ clock, files, processes, log: createFakeLogger() }, OPTIONS, stop.signal);
  return { clock, ended, stop };
}

test('services are started, started again when they end, and stopped with the supervisor, the last one first', async () => {
  const machine = createMachine(['glusterd', 'agent']);
  const { clock, ended, stop } = start(machine);
  await clock.settle();
  expect(machine.started).toEqual(['glusterd', 'agent']);
  machine.kill('agent');
  await clock.advance(5_000);
  expect(machine.started).toEqual(['glusterd', 'agent', 'agent']);
  expect(JSON.parse(machine.record() ?? '')).toMatchObject({ supervisor: SELF, services: { agent: { pid: 103 } } });
  stop.abort();
  await ended;
  expect(machine.stopped).toEqual(['agent', 'glusterd']);
  expect(machine.record()).toBeUndefined();
});

test('one that ends again and again is tried less and less often', async () => {
  const machine = createMachine(['agent']);
  const { clock, ended, stop } = start(machine);
  for (let second = 0; second < 120; second += 1) {
    machine.kill('agent');
    await clock.advance(1_000);
  }
  expect(machine.started.length).toBeGreaterThan(4);
  expect(machine.started.length).toBeLessThan(12);
  stop.abort();
  await ended;
});

test('what a killed supervisor has left is taken over, and what is no longer wanted is stopped', async () => {
  const machine = createMachine(['agent']);
  for (const name of ['agent', 'controller']) await machine.processes.start({ file: name, args: [], logFile: '' });
  const services = { agent: { pid: 101, startTicks: 101 }, controller: { pid: 102, startTicks: 102 } };
  machine.texts.set(OPTIONS.recordFile, JSON.stringify({ supervisor: { pid: 50, startTicks: 50 }, services }));
  const { clock, ended, stop } = start(machine);
  await clock.settle();
  expect(machine.started).toEqual(['agent', 'controller']);
  expect(machine.stopped).toEqual(['controller']);
  stop.abort();
  await ended;
});

test('a machine has one supervisor', async () => {
  const machine = createMachine(['agent']);
  const { pid, startTicks } = await machine.processes.start({ file: 'other', args: [], logFile: '' });
  machine.texts.set(OPTIONS.recordFile, JSON.stringify({ supervisor: { pid, startTicks }, services: {} }));
  await expect(start(machine).ended).rejects.toMatchObject({ kind: 'exists', reason: 'SupervisorRuns' });
});
