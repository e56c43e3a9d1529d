import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../ports/clock.fake.ts';
import type { Command, CommandResult, Host } from '../../ports/host.ts';
import { createSeededRandom } from '../../ports/random.fake.ts';
import { createKeyedMutex } from '../image/keyed-mutex.ts';
import { createGlusterCli } from './cli.ts';
import { volumeInfoArgv } from './command.ts';
import { judgeBrick } from './observe-volume.ts';

const answer = (opRet: number, opErrno: number, text: string): CommandResult => ({
  stdout: `<cliOutput><opRet>${opRet}</opRet><opErrno>${opErrno}</opErrno><opErrstr>${text}</opErrstr></cliOutput>`,
  stderr: '',
  code: 0,
});
const BUSY = answer(-1, 30802, 'Another transaction is in progress for gv0. Please try again after some time.');
const OK = answer(0, 0, '');

/** A host whose gluster program gives these answers, the last one for ever. */
function createCli(answers: readonly CommandResult[]) {
  const commands: Command[] = [];
  const run = async (command: Command): Promise<CommandResult> => {
    const found = answers[Math.min(commands.length, answers.length - 1)];
    commands.push(command);
    return found ?? OK;
  };
  const clock = createFakeClock();
  const host = { name: 'kube1', run } as Host;
  const cli = createGlusterCli({ host, clock, random: createSeededRandom(1) });
  const ask = { about: 'cannot look at volume gv0', resource: 'volume gv0', signal: new AbortController().signal };
  return { cli, clock, commands, ask };
}

describe('a busy volume', () => {
  it('is asked again until it answers', async () => {
    const { cli, clock, commands, ask } = createCli([BUSY, BUSY, BUSY, OK]);
    const reply = cli.demand(volumeInfoArgv('gv0'), ask);
    while (commands.length < 4) expect(await clock.advanceToNextTimer()).toBe(true);
    expect((await reply).isOk).toBe(true);
  });

  it('is given up after a minute, with the reason', async () => {
    const { cli, clock, ask } = createCli([BUSY]);
    const failed = cli.ask(volumeInfoArgv('gv0'), ask).catch((error: unknown) => error);
    await clock.advance(120_000);
    const error = await failed;
    expect(error).toMatchObject({ kind: 'conflict', reason: 'EngineBusy', resource: 'volume gv0' });
    expect(String(error)).toMatch(/Another transaction is in progress for gv0.*for 60 s/);
    expect(clock.timerCount()).toBe(0);
  });

  it('is not asked again once nobody wants to know', async () => {
    const { cli, clock, commands, ask } = createCli([BUSY]);
    const stop = new AbortController();
    const failed = cli.ask(volumeInfoArgv('gv0'), { ...ask, signal: stop.signal }).catch((error: unknown) => error);
    await clock.settle();
    stop.abort(new Error('no more'));
    expect(await failed).toMatchObject({ message: 'no more' });
    expect(commands).toHaveLength(1);
  });
});

describe('a refusal', () => {
  it('is an answer for ask and an error for demand', async () => {
    const { cli, ask } = createCli([answer(-1, 30800, 'Volume gv0 does not exist')]);
    expect(await cli.ask(volumeInfoArgv('gv0'), ask)).toMatchObject({ isOk: false, opRet: -1 });
    await expect(cli.demand(volumeInfoArgv('gv0'), ask)).rejects.toMatchObject({ kind: 'notFound' });
  });
});

describe('createKeyedMutex', () => {
  it('lets one at a time in per key, in order, and goes on after a failure', async () => {
    const mutex = createKeyedMutex();
    const seen: string[] = [];
    const first = Promise.withResolvers<void>();
    const act =
      (name: string, wait: Promise<void> = Promise.resolve()) =>
      async () => {
        seen.push(`${name} in`);
        await wait;
        seen.push(`${name} out`);
      };
    const failing = mutex.run('a', async () => {
      await first.promise;
      throw new Error('failed');
    });
    const all = [mutex.run('a', act('a1')), mutex.run('a', act('a2')), mutex.run('b', act('b1'))];
    await all[2];
    expect(seen).toEqual(['b1 in', 'b1 out']);
    first.resolve();
    await expect(failing).rejects.toThrow('failed');
    await Promise.all(all);
    expect(seen.slice(2)).toEqual(['a1 in', 'a1 out', 'a2 in', 'a2 out']);
  });
});

describe('judgeBrick', () => {
  const brick = { node: 'kube1', path: '/b', hostUuid: 'u', isArbiter: false };
  const online = { node: 'kube1', path: '/b', isOnline: true, port: 49152 };
  const healthy = { node: 'kube1', path: '/b', isConnected: true, statusText: 'Connected', pending: 0, splitBrain: 0 };

  it('takes a node that the status leaves out as not reachable', () => {
    expect(judgeBrick(brick, [], undefined)).toEqual({
      ...{ node: 'kube1', path: '/b', isOnline: false, isReadable: false, isNodeReachable: false },
    });
  });

  it('calls a brick with a dead disk online but not readable', () => {
    const dead = { node: 'kube1', path: '/b', isConnected: false, statusText: 'Input/output error' };
    expect(judgeBrick(brick, [online], [dead])).toMatchObject({ isOnline: true, isReadable: false });
    expect(judgeBrick(brick, [online], [healthy])).toMatchObject({ isReadable: true, pendingHeals: 0 });
  });

  it('calls one online but not readable that no client is sent to, when nobody could ask it', () => {
    const { port: _, ...lost } = online;
    expect(judgeBrick(brick, [lost], undefined)).toMatchObject({ isOnline: true, isReadable: false });
    expect(judgeBrick(brick, [lost], [healthy])).toMatchObject({ isReadable: true });
  });

  it('leaves what was not told undefined', () => {
    const seen = judgeBrick(brick, [online], undefined);
    expect(seen).toMatchObject({ isOnline: true, isReadable: true });
    expect(seen).not.toHaveProperty('pendingHeals');
  });
});
