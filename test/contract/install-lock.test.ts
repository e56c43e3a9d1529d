/** The lock of an installation, with the real programs of a machine: one holds it, and it ends with whoever held it. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLocalHost } from '../../src/adapters/host/local-host.ts';
import { createSwapText } from '../../src/adapters/ssh/swap-text.ts';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import type { ProcessId } from '../../src/ports/host.ts';
import type { RemoteHost } from '../../src/ports/remote-host.ts';
import type { Operator, Target } from '../../src/usecases/install/install-deps.ts';
import { withInstallLock } from '../../src/usecases/install/install-lock.ts';

const clock = createSystemClock();
const machine = createLocalHost({ clock });
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-lock-'));
});
afterEach(() => rm(folder, { recursive: true }));

const path = () => join(folder, 'run', 'install.lock');

/** This machine in the place of one behind ssh: what serves the connection is this process. */
function target(name: string, isController = false): Target {
  const nothing = async () => undefined;
  const swapText = createSwapText((command) => machine.run(command));
  const host: RemoteHost = { ...machine, name, user: 'root', open: nothing, upload: nothing, swapText, close: nothing };
  return { node: { name }, host, isController, hasSystemd: false } as unknown as Target;
}

function depsOf(who: string, part: Partial<Operator> = {}) {
  const operator = async (): Promise<Operator> => ({
    who,
    bootId: who,
    process: await machine.processes.self(),
    isAlive: (id: ProcessId) => machine.processes.isAlive(id),
    ...part,
  });
  return { clock, operator };
}

test('is held by one, who is named with the time, and is free again afterwards, also after a failure', async () => {
  const targets = [target('kube1', true)];
  const bob = () => withInstallLock(depsOf('bob@desk'), targets, async () => 'done', path());
  await withInstallLock(
    depsOf('alice@laptop'),
    targets,
    async () => {
      const { since } = JSON.parse(await readFile(path(), 'utf8')) as { since: string };
      await expect(bob()).rejects.toMatchObject({
        kind: 'precondition',
        reason: 'InstallUnderWay',
        message: `alice@laptop is installing on kube1, since ${since}; nothing was changed`,
      });
    },
    path(),
  );
  expect(await bob()).toBe('done');
  const failing = withInstallLock(depsOf('bob@desk'), targets, () => Promise.reject(new Error('no disk')), path());
  await expect(failing).rejects.toThrow('no disk');
  expect(await readdir(join(folder, 'run'))).toEqual(['install.lock.guard']);
});

test('of many at the same moment exactly one gets it', async () => {
  const targets = [target('kube1', true)];
  let running = 0;
  let refused = 0;
  const ended = Promise.withResolvers<void>();
  const results = Array.from({ length: 8 }, (_, nth) =>
    withInstallLock(
      depsOf(`user${nth}`),
      targets,
      async () => {
        running += 1;
        await ended.promise;
      },
      path(),
    ).catch(() => {
      refused += 1;
      // The one that has it ends only when all others have tried.
      if (refused === 7) ended.resolve();
    }),
  );
  await Promise.all(results);
  expect({ running, refused }).toEqual({ running: 1, refused: 7 });
});

test('of one that died is taken over at once from the same machine, and from another when its connection has ended', async () => {
  const dead = { pid: 4_194_000, startTicks: 1 };
  const mine = await machine.processes.self();
  const leave = (session: ProcessId) =>
    writeFile(path(), JSON.stringify({ who: 'alice', since: 'long ago', bootId: 'laptop', process: dead, session }));
  const targets = [target('kube1', true)];
  await withInstallLock(depsOf('bob'), targets, async () => undefined, path());
  await leave(mine);
  expect(await withInstallLock(depsOf('alice', { bootId: 'laptop' }), targets, async () => 'done', path())).toBe(
    'done',
  );
  await leave(mine);
  const elsewhere = () => withInstallLock(depsOf('bob', { bootId: 'desk' }), targets, async () => 'done', path());
  await expect(elsewhere()).rejects.toThrow('alice is installing on kube1, since long ago');
  await leave(dead);
  expect(await elsewhere()).toBe('done');
  await writeFile(path(), '{"who": "ali');
  expect(await elsewhere()).toBe('done');
});
