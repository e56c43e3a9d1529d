/** Runs in a guest whose first process is systemd: what an installation makes of services there. */
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { createLocalHost } from '../../../src/adapters/host/local-host.ts';
import { createSystemClock } from '../../../src/adapters/system/clock.ts';
import { type Service, unitName } from '../../../src/domain/install/services.ts';
import type { RemoteHost } from '../../../src/ports/remote-host.ts';
import type { Release, Target } from '../../../src/usecases/install/install-deps.ts';
import { removeServices, servicesStep } from '../../../src/usecases/install/service-step.ts';

/** Each of them systemd would take for something else, were it not quoted. */
const WORDS = ['a b', '100%', '%n', '$HOME', '"quoted"', "it's", 'back\\slash', 'two\nlines', 'ö', ';', '-x', '@y'];
const LOG = '/run/service-program';
const PROGRAM = new URL('service-program.ts', import.meta.url).pathname;
const WAIT = { timeout: 60_000 };

interface Started {
  readonly pid: number;
  readonly child: number;
  readonly words: readonly string[];
}

/** Every start of the program, the first one first. */
function started(): readonly Started[] {
  const lines = existsSync(LOG) ? readFileSync(LOG, 'utf8').split('\n') : [];
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Started);
}

function isAlive(pid: number | undefined): boolean {
  const path = `/proc/${pid}/stat`;
  return existsSync(path) && !readFileSync(path, 'utf8').includes(') Z ');
}

describe('a service by systemd', () => {
  const clock = createSystemClock();
  // The rest of a RemoteHost is about the way there.
  const host = createLocalHost({ clock }) as unknown as RemoteHost;
  const target = { host, hasSystemd: existsSync('/run/systemd/system') } as Target;
  const signal = AbortSignal.timeout(10 * 60_000);
  const service = (words: readonly string[]): Service => ({
    name: 'agent',
    description: 'Holdfast agent of kube1',
    argv: ['/usr/local/bin/node', PROGRAM, LOG, ...words],
  });
  const stepFor = (words: readonly string[]) => servicesStep(clock, {} as Release, () => [service(words)]);
  const systemctl = async (...args: readonly string[]) =>
    (await host.run({ file: 'systemctl', args, okCodes: [0, 1, 3, 4], timeoutMs: 60_000 })).stdout.trim();
  afterAll(() => {
    for (const { child } of started()) process.kill(child, 'SIGKILL');
  });

  it('is started with every word as it is, now and after each start of the machine, once', async () => {
    expect(target.hasSystemd).toBe(true);
    const step = stepFor(WORDS);
    expect(await step.look(target)).toBe('start agent');
    await step.act(target, signal);
    await expect.poll(started, WAIT).toHaveLength(1);
    expect(started()[0]?.words).toEqual(WORDS);
    expect(await systemctl('is-enabled', unitName(service([])))).toBe('enabled');
    expect(await step.look(target)).toBeUndefined();
  });

  it('is started again when it dies, and what others use of it goes on', async () => {
    const [first] = started();
    process.kill(first?.pid ?? 0, 'SIGKILL');
    await expect.poll(started, WAIT).toHaveLength(2);
    expect(isAlive(first?.child)).toBe(true);
  });

  it('is started anew with another command line, and what others use of it goes on', async () => {
    const step = stepFor(['newer']);
    expect(await step.look(target)).toBe('start agent');
    await step.act(target, signal);
    await expect.poll(started, WAIT).toHaveLength(3);
    const [, second, third] = started();
    expect(third?.words).toEqual(['newer']);
    expect([isAlive(second?.pid), isAlive(second?.child)]).toEqual([false, true]);
    expect(await step.look(target)).toBeUndefined();
  });

  it('is removed with its unit', async () => {
    const last = started().at(-1);
    await removeServices(host, [service([])]);
    await expect.poll(() => isAlive(last?.pid), WAIT).toBe(false);
    expect(await systemctl('is-active', unitName(service([])))).toBe('inactive');
    expect(await systemctl('is-enabled', unitName(service([])))).toBe('');
    expect(existsSync(`/etc/systemd/system/${unitName(service([]))}`)).toBe(false);
    expect(started()).toHaveLength(3);
  });
});
