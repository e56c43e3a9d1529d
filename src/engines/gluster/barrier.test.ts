import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../ports/clock.fake.ts';
import type { Command, CommandResult, Host } from '../../ports/host.ts';
import { createSeededRandom } from '../../ports/random.fake.ts';
import { createKeyedMutex } from '../image/keyed-mutex.ts';
import { lowerBarrier, raiseBarrier } from './barrier.ts';
import { createGlusterCli } from './cli.ts';

const signal = new AbortController().signal;
const PATH = '/pool/brick';

interface Gluster {
  /** As `volume info` has it. */
  option: string;
  /** What `volume barrier` answers, one after the other; the last for ever. */
  answers: string[];
  pid: number;
  isOnline: boolean;
}

/** A host whose GlusterFS has one volume of one brick. */
function createBarrier(state: Partial<Gluster> = {}) {
  const gluster: Gluster = {
    option: 'disable',
    answers: ['volume barrier: command successful'],
    pid: 7,
    isOnline: true,
    ...state,
  };
  const commands: string[] = [];
  const frame = (body: string) => `<cliOutput><opRet>0</opRet><opErrno>0</opErrno><opErrstr/>${body}</cliOutput>`;
  const run = async ({ args }: Command): Promise<CommandResult> => {
    const [, verb = '', , ...rest] = args.filter((word) => !word.startsWith('--'));
    const answer = (stdout: string) => ({ stdout, stderr: '', code: 0 });
    if (verb === 'info') {
      const option = `<option><name>features.barrier</name><value>${gluster.option}</value></option>`;
      const brick = `<brick><name>kube1:${PATH}</name><hostUuid>u</hostUuid><isArbiter>0</isArbiter></brick>`;
      const volume = `<name>gv0</name><id>i</id><status>1</status><bricks>${brick}</bricks><options>${option}</options>`;
      return answer(frame(`<volInfo><volumes><volume>${volume}</volume></volumes></volInfo>`));
    }
    if (verb === 'status') {
      const node = `<hostname>kube1</hostname><path>${PATH}</path><status>${gluster.isOnline ? 1 : 0}</status><pid>${gluster.pid}</pid>`;
      return answer(
        frame(`<volStatus><volumes><volume><volName>gv0</volName><node>${node}</node></volume></volumes></volStatus>`),
      );
    }
    commands.push([verb, ...rest].join(' '));
    if (verb === 'set') return answer(frame(''));
    const text = gluster.answers.length > 1 ? gluster.answers.shift() : gluster.answers[0];
    if (text?.includes('command successful') === true) gluster.option = rest[0] ?? '';
    return { stdout: text?.includes('unsuccessful') ? '' : `${text}\n`, stderr: `${text}\n`, code: 1 };
  };
  const clock = createFakeClock();
  const host = { name: 'kube1', run } as unknown as Host;
  const cli = createGlusterCli({ host, clock, random: createSeededRandom(1) });
  return { deps: { cli, clock, locks: createKeyedMutex() }, gluster, commands, clock };
}

const UP = { processes: [`kube1:${PATH}:7`] };

describe('a barrier', () => {
  it('is raised with its timeout, and known to have stood when it can be lowered', async () => {
    const { deps, commands } = createBarrier();
    expect(await raiseBarrier(deps, 'gv0', { seconds: 10, signal })).toEqual(UP);
    await lowerBarrier(deps, 'gv0', { raised: UP, signal });
    expect(commands).toEqual(['set features.barrier-timeout 10', 'barrier enable', 'barrier disable']);
  });

  it('is not raised over a copy that does not run', async () => {
    const { deps, commands } = createBarrier({ isOnline: false });
    await expect(raiseBarrier(deps, 'gv0', { seconds: 10, signal })).rejects.toThrow(/kube1 does not run/);
    expect(commands).toEqual([]);
  });

  it('is not known to have stood when it fell by itself, and does not come back with the next start of a brick', async () => {
    const answers = ['volume barrier: command unsuccessful : Failed to reconfigure barrier.'];
    const { deps, commands } = createBarrier({ option: 'enable', answers });
    await expect(lowerBarrier(deps, 'gv0', { raised: UP, signal })).rejects.toMatchObject({ reason: 'BarrierFell' });
    expect(commands).toEqual(['barrier disable', 'set features.barrier disable']);
  });

  it('is not known to have stood when somebody else lowered it, or a copy was started anew', async () => {
    const lowered = createBarrier({ option: 'disable' });
    await expect(lowerBarrier(lowered.deps, 'gv0', { raised: UP, signal })).rejects.toThrow(/down already/);
    const restarted = createBarrier({ option: 'enable', pid: 8 });
    await expect(lowerBarrier(restarted.deps, 'gv0', { raised: UP, signal })).rejects.toThrow(/stopped or started/);
  });

  it('is lowered without a question where nothing is to be proven', async () => {
    const { deps, commands } = createBarrier({ option: 'disable' });
    await lowerBarrier(deps, 'gv0', { raised: undefined, signal });
    expect(commands).toEqual([]);
  });

  it('waits for another command about the volume', async () => {
    const busy = 'volume barrier: command unsuccessful : Another transaction is in progress for gv0.';
    const { deps, clock, commands } = createBarrier({
      option: 'enable',
      answers: [busy, 'volume barrier: command successful'],
    });
    const lowered = lowerBarrier(deps, 'gv0', { raised: UP, signal });
    while (commands.length < 2) await clock.advanceToNextTimer();
    await expect(lowered).resolves.toBeUndefined();
  });
});
