import { expect, test } from 'vitest';
import { createSystemClock } from '../system/clock.ts';
import { CrashError, createInjector, type Injection } from './inject.ts';
import { createLocalHost } from './local-host.ts';

const local = createLocalHost({ clock: createSystemClock() });
function injectInto(injections: readonly Injection[]) {
  const injector = createInjector(injections);
  return { host: injector.wrapMachine(local), trace: injector.trace };
}
const echo = (text: string) => ({ file: 'echo', args: [text], timeoutMs: 5_000 });

test('what is not chosen goes through and is written down', async () => {
  const { host, trace } = injectInto([]);
  expect((await host.run(echo('a'))).stdout).toBe('a\n');
  await host.files.stat('/');
  expect(trace).toEqual(['run echo a', 'file stat /']);
});

test('the chosen command fails, once', async () => {
  const { host } = injectInto([{ match: /^run echo/, nth: 2, what: 'fail' }]);
  await host.run(echo('a'));
  await expect(host.run(echo('b'))).rejects.toThrow('run echo b failed as injected');
  await host.run(echo('c'));
});

test('after a crash nothing is done any more', async () => {
  const before = injectInto([{ match: /^run echo b/, what: 'crash-before' }]);
  await before.host.run(echo('a'));
  await expect(before.host.run(echo('b'))).rejects.toThrow(CrashError);
  await expect(before.host.processes.self()).rejects.toThrow(CrashError);
  expect(before.trace).toEqual(['run echo a', 'run echo b']);

  const after = injectInto([{ match: /^file list/, what: 'crash-after' }]);
  await after.host.run(echo('a'));
  await expect(after.host.files.list('/')).rejects.toThrow(CrashError);
  await expect(after.host.run(echo('b'))).rejects.toThrow(CrashError);
});

test('a paused command waits to be let go', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { host } = injectInto([{ match: /slow/, what: 'pause', until: promise }]);
  const order: string[] = [];
  const slow = host.run(echo('slow')).then(() => order.push('slow'));
  await host.run(echo('fast'));
  order.push('fast');
  resolve();
  await slow;
  expect(order).toEqual(['fast', 'slow']);
});
